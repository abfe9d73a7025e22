package limit_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/limit"
)

// call is a call of one agent, or the refusal.
func call(l *limit.Limiter, agent string) (*limit.Call, error) {
	c, err := l.Enter()
	if err == nil {
		err = errors.Join(c.Team("crew"), c.Agent("crew", agent))
	}
	if err != nil {
		c.Leave()
	}
	return c, err
}

// refusal is the limit that err names, and when to come again.
func refusal(t *testing.T, err error) (string, time.Duration) {
	t.Helper()
	limited, ok := errors.AsType[*limit.Error](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, atmcp.CodeRateLimited, atmcp.CodeOf(err))
	assert.Contains(t, limited.Hint, fmt.Sprint(limited.Max))
	return limited.Limit, time.Duration(limited.RetryAfterMS) * time.Millisecond
}

func TestAnAgentHasItsRateAndComesAgainWhenItIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := limit.New(limit.Limits{AgentCalls: 10})
		for range 20 {
			c, err := call(l, "alice")
			require.NoError(t, err)
			c.Leave()
		}
		_, err := call(l, "alice")
		name, retry := refusal(t, err)
		assert.Equal(t, "calls of the agent a second", name)
		other, err := call(l, "bob")
		require.NoError(t, err, "another agent is another agent")
		other.Leave()

		time.Sleep(retry)
		c, err := call(l, "alice")
		require.NoError(t, err, "what was refused took nothing of the rate")
		c.Leave()
		for range 200 {
			time.Sleep(100 * time.Millisecond)
			c, err := call(l, "alice")
			require.NoError(t, err)
			c.Leave()
		}
	})
}

func TestATeamHasItsRateWhoeverCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := limit.New(limit.Limits{TeamCalls: 10})
		var refused error
		for i := range 21 {
			c, err := call(l, fmt.Sprint(i))
			refused = errors.Join(refused, err)
			if err == nil {
				c.Leave()
			}
		}
		name, _ := refusal(t, refused)
		assert.Equal(t, "calls of the team a second", name)
	})
}

// The minute is the limit's; what was saved up in silence is four of them, and is not had
// again by being forgotten.
func TestASenderOfDirectivesIsSlowedDownNotTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := limit.New(limit.Limits{AgentCalls: 1000, SenderDirectives: 30})
		direct := func(sender string) error {
			c, err := call(l, sender)
			require.NoError(t, err)
			defer c.Leave()
			return c.Directive("crew", sender)
		}
		for range 120 {
			require.NoError(t, direct("alice"))
		}
		name, retry := refusal(t, direct("alice"))
		assert.Equal(t, "directives of the sender a minute", name)
		assert.Equal(t, 2*time.Second, retry)
		require.NoError(t, direct("console:alice"), "a console is not the agent of its name")
		time.Sleep(retry)
		require.NoError(t, direct("alice"))
		_, _ = refusal(t, direct("alice"))

		time.Sleep(2*time.Minute + time.Second)
		for range 60 {
			require.NoError(t, direct("alice"))
		}
		_, _ = refusal(t, direct("alice"))
	})
}

func TestWaitsAreNotInFlightAndHaveALimitOfTheirOwn(t *testing.T) {
	t.Parallel()
	l := limit.New(limit.Limits{InFlight: 3, AgentInFlight: 2, AgentWaits: 2})
	a, err := call(l, "alice")
	require.NoError(t, err)
	b, err := call(l, "alice")
	require.NoError(t, err)
	_, err = call(l, "alice")
	name, _ := refusal(t, err)
	assert.Equal(t, "calls of the agent in flight", name)

	require.NoError(t, a.Wait())
	require.NoError(t, b.Wait())
	c, err := call(l, "alice")
	require.NoError(t, err, "those that wait are not in flight")
	name, _ = refusal(t, c.Wait())
	assert.Equal(t, "open waits of the agent", name)
	a.Leave()
	a.Leave()
	require.NoError(t, c.Wait())

	b.Leave()
	c.Leave()
	var open []*limit.Call
	for i := range 3 {
		c, err := call(l, fmt.Sprint(i))
		require.NoError(t, err)
		open = append(open, c)
	}
	_, err = l.Enter()
	name, _ = refusal(t, err)
	assert.Equal(t, "calls in flight", name)
	open[0].Stream()
	_, err = l.Enter()
	require.NoError(t, err, "a feed is not in flight")
}

func from(remote string) *http.Request { return &http.Request{RemoteAddr: remote} }

// guess shows a token that its owner chose, and that is wrong.
func guess(l *limit.Limiter, r *http.Request) error {
	if err := l.MayLogin(r, "a token of somebody's own"); err != nil {
		return err
	}
	return l.LoginFailed(r)
}

func TestAnAddressWithManyWrongCredentialsWaitsForTheMinuteToEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := limit.New(limit.Limits{})
		for i := range 10 {
			require.NoError(t, guess(l, from(fmt.Sprint("10.0.0.1:", i))))
			require.NoError(t, guess(l, from("127.0.0.1:1")))
			require.NoError(t, guess(l, from(fmt.Sprintf("[2001:db8::%d]:1", i))))
		}
		name, retry := refusal(t, guess(l, from("10.0.0.1:77")))
		assert.Equal(t, "failed sign-ins of the address a minute", name)
		assert.Equal(t, time.Minute, retry)
		require.NoError(t, guess(l, from("10.0.0.2:1")))
		require.NoError(t, guess(l, from("127.0.0.1:1")), "loopback is exempt")
		require.Error(t, guess(l, from("[2001:db8::ffff]:1")), "a customer has a network of them")
		require.NoError(t, guess(l, from("[2001:db8:1::1]:1")))
		time.Sleep(time.Minute)
		require.NoError(t, guess(l, from("10.0.0.1:1")))
	})
}

// Many may share an address, and one of them may have an old token.
func TestWhoseTokenNobodyCanGuessIsNotHeldUpByHisNeighbours(t *testing.T) {
	t.Parallel()
	l := limit.New(limit.Limits{FailedLogins: 1})
	made := "atm_join_" + strings.Repeat("0", 36) + "_secret"
	require.NoError(t, l.MayLogin(from("10.0.0.1:1"), made))
	require.NoError(t, l.LoginFailed(from("10.0.0.1:1")))
	require.NoError(t, l.MayLogin(from("10.0.0.1:1"), made), "it is looked at")
	require.Error(t, l.LoginFailed(from("10.0.0.1:1")), "and is refused as a guess, if it is not good")
	require.Error(t, l.MayLogin(from("10.0.0.1:1"), "one of its own"))
}

func TestWhomAProxyForwardsForIsWhoIsCounted(t *testing.T) {
	t.Parallel()
	l := limit.New(limit.Limits{FailedLogins: 1, Proxies: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}})
	through := func(remote string, chain ...string) *http.Request {
		return &http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": chain}}
	}
	require.NoError(t, guess(l, through("10.1.0.1:1", "203.0.113.5")))
	require.Error(t, guess(l, through("10.1.0.2:1", "1.2.3.4, 203.0.113.5", "10.1.0.9")), "the last one that is no proxy")
	require.NoError(t, guess(l, through("10.1.0.1:1", "203.0.113.6")))
	require.NoError(t, guess(l, through("203.0.113.7:1", "203.0.113.8")))
	require.Error(t, guess(l, through("203.0.113.7:1", "203.0.113.9")), "a stranger can say anything")
	require.NoError(t, guess(l, through("10.1.0.1:1", "203.0.113.8")))
	require.NoError(t, guess(l, through("10.1.0.1:1", "nonsense, 1.2.3.4, more nonsense")), "the proxy itself")
}

func TestTheOperatorFindsRoomWhereNobodyElseDoes(t *testing.T) {
	t.Parallel()
	l := limit.New(limit.Limits{InFlight: 1})
	_, err := l.Enter()
	require.NoError(t, err)
	_, err = l.Enter()
	require.Error(t, err)
	_, err = l.EnterOperator()
	require.NoError(t, err)
	assert.Equal(t, 2, l.Use().InFlight)
}

func TestNobodyIsLimitedByNothing(t *testing.T) {
	t.Parallel()
	var l *limit.Limiter
	c, err := call(l, "alice")
	require.NoError(t, err)
	require.NoError(t, c.Wait())
	c.Stream()
	require.NoError(t, guess(l, from("10.0.0.1:1")))
	_, some := l.Limits()
	assert.False(t, some)
}

func TestConnectionsBeyondTheLimitAreClosedAndMakeRoomWhenTheyEnd(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	inner, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	listener := limit.New(limit.Limits{Connections: 2}).Listener(inner)
	defer func() { _ = listener.Close() }()
	accepted := make(chan net.Conn)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	dial := func() net.Conn {
		var d net.Dialer
		conn, err := d.DialContext(t.Context(), "tcp", inner.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	dial()
	first := <-accepted
	dial()
	second := <-accepted
	_, err = dial().Read(make([]byte, 1))
	require.Error(t, err, "the third is closed")
	require.NoError(t, first.Close())
	dial()
	third := <-accepted
	require.NoError(t, errors.Join(second.Close(), third.Close()))
}

// BenchmarkCall is what a call costs that nothing is wrong with.
func BenchmarkCall(b *testing.B) {
	l := limit.New(limit.Limits{AgentCalls: 1 << 30, TeamCalls: 1 << 30})
	b.ReportAllocs()
	for b.Loop() {
		c, err := call(l, "alice")
		require.NoError(b, err)
		c.Leave()
	}
}
