package valkeylive_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/liveness"
	"github.com/atmcp/atmcp/liveness/valkeylive"
)

// The budget of a call with what a busy machine may add to most, and to any. A client
// that waits for its timeouts takes a second and more, each time. What a call takes to
// the nanosecond is in budget_test.go.
const (
	boundOfMost = 150 * time.Millisecond
	boundOfAny  = time.Second
)

// callsAreShort makes calls until the breaker is open, and some more.
func callsAreShort(t *testing.T, l *valkeylive.Live) {
	t.Helper()
	calls := map[string]func() error{
		"Beat":   func() error { return l.Beat(t.Context(), "team", "own", liveness.Beat{}, ttl) },
		"Notify": func() error { return l.Notify(t.Context(), "team", "topic") },
		"Forget": func() error { return l.Forget(t.Context(), "team", "nobody") },
		"Roster": func() error { _, err := l.Roster(t.Context(), "team"); return err },
	}
	took := make(map[string][]time.Duration)
	for n := 0; n < 20 || l.Err() == nil; n++ {
		require.Less(t, n, 1000, "the breaker never opens")
		for name, call := range calls {
			took[name] = append(took[name], timed(t, call))
		}
	}
	for name, each := range took {
		slices.Sort(each)
		assert.Less(t, each[len(each)/2], boundOfMost, name)
		assert.Less(t, each[len(each)-1], boundOfAny, name)
	}
	least := boundOfAny
	for range 10 {
		least = min(least, timed(t, calls["Roster"]))
	}
	assert.Less(t, least, 40*time.Millisecond, "nobody asks while the breaker is open")
}

// timed makes a call and returns how long it took.
func timed(t *testing.T, call func() error) time.Duration {
	t.Helper()
	began := time.Now()
	require.NoError(t, call())
	return time.Since(began)
}

// serves waits until a Live has its server back, for at most limit.
func serves(tb testing.TB, l *valkeylive.Live, limit time.Duration) {
	tb.Helper()
	require.Eventually(tb, func() bool { return l.Err() == nil }, limit, 5*time.Millisecond, "%v", l.Err())
}

func TestAServerThatIsNotThereKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	s.kill()
	here, there := s.open(s.url()), s.open(s.url())
	require.Error(t, here.Err())
	callsAreShort(t, here)
	assert.Equal(t, []string{"own"}, alive(t, here, "team"), "what came here is known here")
	beat(t, there, "team", "other")

	s.start()
	serves(t, here, 3*time.Second)
	serves(t, there, 3*time.Second)
	sees(t, here, "team", "other")
	sees(t, there, "team", "own")
}

func TestAServerThatDiesIsFoundAgainAndToldOfEverybody(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	here, there := s.open(s.url()), s.open(s.url())
	beat(t, there, "team", "other")
	sees(t, here, "team", "other")
	s.kill()
	callsAreShort(t, here)
	assert.Equal(t, []string{"other", "own"}, alive(t, here, "team"), "what the server said last counts for the rest of its TTL")

	s.start()
	serves(t, here, 3*time.Second)
	serves(t, there, 3*time.Second)
	sees(t, there, "team", "own")
	third := s.open(s.url())
	sees(t, third, "team", "own")
	sees(t, third, "team", "other")
}

func TestAFrozenServerCostsACallItsBudgetAndThenNothing(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	here, there := s.open(s.url()), s.open(s.url())
	beat(t, there, "team", "other")
	beat(t, here, "team", "leaves")
	sees(t, here, "team", "other")
	sees(t, there, "team", "leaves")
	s.freeze()
	callsAreShort(t, here)
	require.NoError(t, here.Forget(t.Context(), "team", "leaves"))
	assert.Equal(t, []string{"other", "own"}, alive(t, here, "team"))

	s.thaw()
	serves(t, here, 3*time.Second)
	serves(t, there, 3*time.Second)
	sees(t, there, "team", "own")
	require.Eventually(t, func() bool { return len(alive(t, there, "team")) == 2 }, patience, 10*time.Millisecond,
		"who was forgotten meanwhile is forgotten everywhere")
}

func TestAnIdleServerThatFreezesIsNoticed(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	l := s.open(s.url())
	serves(t, l, patience)
	s.freeze()
	require.Eventually(t, func() bool { return l.Err() != nil }, 3*time.Second, 5*time.Millisecond, "nobody calls, and it is seen")
	s.thaw()
	serves(t, l, 3*time.Second)
}

// proxy is a way to a server on which everything takes a while.
type proxy struct {
	addr  string
	delay atomic.Int64
}

func startProxy(tb testing.TB, to string) *proxy {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	p := &proxy{addr: l.Addr().String()}
	ctx, cancel := context.WithCancel(tb.Context())
	var group sync.WaitGroup
	tb.Cleanup(func() { cancel(); _ = l.Close(); group.Wait() })
	group.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				_ = client.Close()
				continue
			}
			stop := context.AfterFunc(ctx, func() { _ = client.Close(); _ = server.Close() })
			group.Go(func() { p.carry(server, client) })
			group.Go(func() { p.carry(client, server); stop() })
		}
	})
	return p
}

// carry brings what one side says to the other, late.
func (p *proxy) carry(to, from net.Conn) {
	defer func() { _ = to.Close(); _ = from.Close() }()
	text := make([]byte, 64<<10)
	for {
		n, err := from.Read(text)
		if n > 0 {
			time.Sleep(time.Duration(p.delay.Load()))
			if _, err := to.Write(text[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func TestASlowServerCostsACallItsBudget(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := startProxy(t, s.addr)
	here, there := s.open("redis://"+p.addr), s.open(s.url())
	beat(t, there, "team", "other")
	sees(t, here, "team", "other")
	p.delay.Store(int64(500 * time.Millisecond))
	callsAreShort(t, here)
	assert.Equal(t, []string{"other", "own"}, alive(t, here, "team"))
	p.delay.Store(0)
	serves(t, here, 10*time.Second)
	sees(t, there, "team", "own")
}

func TestAFlushedServerIsToldOfEverybodyAgain(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	here, there := s.open(s.url()), s.open(s.url())
	beat(t, here, "team", "a")
	beat(t, there, "team", "b")
	sees(t, here, "team", "b")
	sees(t, there, "team", "a")
	for range 3 {
		s.do("FLUSHALL")
		assert.Contains(t, alive(t, here, "team"), "a", "who beat here is known here")
		assert.Contains(t, alive(t, there, "team"), "b")
		agree(t, "team", []string{"a", "b"}, here, there)
	}
}

func TestNonsenseInTheServerIsIgnoredAndWrittenOver(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	l := s.open(s.url())
	const key = "atmcp:team:live"
	now := time.Now().UnixMilli()
	value := func(from, until int64, rest string) string { return fmt.Sprintf("1 %d %d %s", from, until, rest) }
	good := `other {"at":"2026-07-28T12:00:00Z","status":"fine"}`
	beat(t, l, "team", "own")
	require.Eventually(t, func() bool { return s.do("EXISTS", key) == "1" }, patience, 5*time.Millisecond)
	for field, text := range map[string]string{
		"empty": "", "words": "not a beat at all", "other form": "2 1 2 x {}", "binary": "\x00\xff\x00\xff",
		"future": value(now+1e9, now+2e9, good), "negative": value(-5, now+1e6, good), "endless": value(now-1000, 9e18, good),
		"backwards": value(now-1000, now-2000, good), "overflow": "1 99999999999999999999999999 1 x {}",
		"not JSON": value(now-1000, now+1e6, "x {"), "list": value(now-1000, now+1e6, "x []"), "deep": value(now-1000, now+1e6, "x {\"at\":7}"),
		"progress": value(now-1000, now+1e6, `x {"at":"2026-07-28T12:00:00Z","progress":1000000}`), "long": value(now-1000, now+1e6, string(make([]byte, 1<<20))),
		string(make([]byte, 5000)): value(now-1000, now+1e6, good),
		"good":                     value(now-1000, now+1e6, good),
	} {
		s.do("HSET", key, field, text)
	}
	agree(t, "team", []string{"good", "own"}, l)

	// Nonsense under the name of somebody who is known here changes nothing, and is mended.
	s.do("HSET", key, "own", "nonsense")
	agree(t, "team", []string{"good", "own"}, l, s.open(s.url()))

	// Whoever beats replaces nonsense under its name.
	beat(t, l, "team", "future")
	require.Eventually(t, func() bool { return s.do("HGET", key, "future") != value(now+1e9, now+2e9, good) }, patience, 5*time.Millisecond)

	// What stands in the place of a roster is no roster.
	for _, foreign := range [][]string{{"SET", key, "text"}, {"RPUSH", key, "a", "b"}, {"SADD", key, "x"}, {"XADD", key, "*", "a", "b"}} {
		s.do("DEL", key)
		s.do(foreign...)
		assert.Contains(t, alive(t, l, "team"), "own", "%s", foreign)
		agree(t, "team", []string{"future", "own"}, l, s.open(s.url()))
		serves(t, l, patience)
	}

	// Nor is a hash with more fields than there are agents.
	s.do("DEL", key)
	s.do("EVAL", "for i = 1, 70000 do redis.call('HSET', KEYS[1], i, '1 1 9000000000000000 x {}') end return 1", "1", key)
	agree(t, "team", []string{"future", "own"}, l, s.open(s.url()))

	// A false name of the data makes hubs tell it again, and nothing else.
	s.do("HSET", key, "", string(make([]byte, 100_000)))
	agree(t, "team", []string{"future", "own"}, l)
	serves(t, l, patience)
}

func TestAServerThatTakesNothingMoreLosesNobodyHere(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	l := s.open(s.url())
	beat(t, l, "team", "before")
	sees(t, s.open(s.url()), "team", "before")
	s.do("CONFIG", "SET", "maxmemory", "1")
	s.do("CONFIG", "SET", "maxmemory-policy", "noeviction")
	beat(t, l, "team", "after")
	require.Eventually(t, func() bool { return l.Err() != nil }, patience, 5*time.Millisecond)
	assert.Contains(t, l.Err().Error(), "OOM")
	assert.Equal(t, []string{"after", "before"}, alive(t, l, "team"))
	s.do("CONFIG", "SET", "maxmemory", "0")
	serves(t, l, patience)
	sees(t, s.open(s.url()), "team", "after")
}

// A hundred thousand agents, more than may wait to be told, come while nobody listens.
func TestWhoWaitsToBeToldIsBounded(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	s.kill()
	l := s.open(s.url())
	const teams, members = 100, 1000
	for i := range teams * members {
		require.NoError(t, l.Beat(t.Context(), "team "+strconv.Itoa(i/members), strconv.Itoa(i), liveness.Beat{}, time.Hour))
	}
	entries, err := l.Roster(t.Context(), "team 0")
	require.NoError(t, err)
	assert.Len(t, entries, members, "whoever was dropped from the queue is known here all the same")
	s.start()
	serves(t, l, 5*time.Second)
	other := s.open(s.url())
	var told [teams]int
	require.Eventually(t, func() bool {
		sum := 0
		for i := range told {
			entries, err := other.Roster(t.Context(), "team "+strconv.Itoa(i))
			if err == nil { // else it was too busy to be read in time
				told[i] = len(entries)
			}
			sum += told[i]
		}
		return sum >= 1<<16
	}, 2*patience, 50*time.Millisecond, "the newest are told")
	assert.Empty(t, alive(t, other, "team 0"), "the oldest were dropped, until they beat again")
	require.NoError(t, l.Beat(t.Context(), "team 0", "7", liveness.Beat{}, time.Hour))
	sees(t, other, "team 0", "7")
}

func TestCloseDoesNotWaitForAServer(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	l, err := valkeylive.Open(t.Context(), valkeylive.Options{URL: s.url()})
	require.NoError(t, err)
	s.freeze()
	defer s.thaw()
	watching := make(chan error, 1)
	go func() { watching <- l.Watch(t.Context(), func(string, string) {}) }()
	beat(t, l, "team", "a")
	began := time.Now()
	require.NoError(t, l.Close())
	assert.Less(t, time.Since(began), 3*time.Second)
	require.ErrorIs(t, <-watching, liveness.ErrClosed)

	silent, err := net.Listen("tcp", "127.0.0.1:0") // it accepts and says nothing
	require.NoError(t, err)
	defer func() { _ = silent.Close() }()
	began = time.Now()
	l, err = valkeylive.Open(t.Context(), valkeylive.Options{URL: "redis://" + silent.Addr().String()})
	require.NoError(t, err)
	require.NoError(t, l.Close())
	assert.Less(t, time.Since(began), 5*time.Second)
}
