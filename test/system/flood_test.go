package system_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// floodSize is what comes at the server at once, and for how long.
type floodSize struct {
	deaf      int // WebSockets that never read
	slow      int // connections that never end their headers
	dribbling int // bodies of one byte a second
	rude      int // of those who withhold a body, and of those who do not take the answer
	upTo      time.Duration
}

// The honest: readers, and writers who together make so many events a second.
const (
	floodFeeds   = 10
	floodWriters = 4
	floodRate    = 100
)

// Readers that do not read, requests that do not end, and in the midst of them
// people who look and agents who work: these must hardly notice.
func TestWhoNeverReadsHarmsNobody(t *testing.T) {
	size := floodSize{deaf: sized(5000, 200), slow: sized(500, 50), dribbling: sized(200, 20), rude: sized(100, 30), upTo: time.Duration(sized(60, 6)) * time.Second}
	var harm []string
	for range attempts {
		if harm = flooded(t, size); len(harm) == 0 {
			return
		}
		t.Log(harm)
	}
	assert.Empty(t, harm)
}

// flooded has a server live through a flood, and says by what the honest noticed it.
func flooded(t *testing.T, size floodSize) (harm []string) {
	t.Helper()
	// Fewer calls in flight than there are of the rude, who would hold them all.
	s := startATMcpd(t, fmt.Sprint("ATMCP_LIMIT_IN_FLIGHT=", size.rude*2/3))
	defer s.kill()
	f := &flood{t: t, atmcpd: s, size: size, written: make(map[int64]time.Time), late: make(map[int64][]time.Duration)}
	quiet := f.write(size.upTo / 6)
	files, idle := f.openFiles(), f.gauges()

	feeds, ended := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range floodFeeds {
		socket := f.follow(feeds)
		readers.Go(func() { f.read(feeds, socket) })
	}
	attack, over := context.WithTimeout(t.Context(), size.upTo)
	var attackers sync.WaitGroup
	f.attack(attack, &attackers)
	harried := f.write(size.upTo)
	peak := f.peakMemory()
	attackers.Wait()
	over()

	require.Eventually(t, f.caughtUp, 5*time.Second, 20*time.Millisecond, "a feed has a hole")
	ended()
	readers.Wait()
	late := f.latenesses()
	t.Logf("events %d × %d feeds, p50 %v, p99 %v, max %v late; write p50 %v quiet, %v harried; peak %d MiB",
		len(f.written), floodFeeds, at(late, 0.5), at(late, 0.99), late[len(late)-1], at(quiet, 0.5), at(harried, 0.5), peak>>20)
	assert.Less(t, peak, int64(1<<30), "memory")
	assert.Eventually(t, func() bool { return f.openFiles() <= files+20 }, 30*time.Second, 100*time.Millisecond,
		"before there were %d open files", files)
	for name, before := range idle {
		assert.Eventually(t, func() bool { return f.metric(t, f.adminToken(t), name) <= before+20 }, 30*time.Second, 100*time.Millisecond,
			"%s was %v before", name, before)
	}
	if at(late, 0.99) >= 500*time.Millisecond {
		harm = append(harm, fmt.Sprint("an honest feed is late: p99 ", at(late, 0.99)))
	}
	if at(harried, 0.5) >= 2*at(quiet, 0.5)+5*time.Millisecond {
		harm = append(harm, fmt.Sprint("writers are slowed: p50 ", at(harried, 0.5), ", before ", at(quiet, 0.5)))
	}
	if len(harried) < len(quiet)*6/2 {
		harm = append(harm, fmt.Sprint("writers write less than half as much: ", len(harried), ", before ", len(quiet), " in a sixth of the time"))
	}
	return harm
}

// gauges are what a server has of what an attack makes it have.
func (f *flood) gauges() map[string]float64 {
	of := make(map[string]float64)
	for _, name := range []string{"go_goroutines", "atmcp_connections", "atmcp_feeds", "atmcp_calls_in_flight", "atmcp_waiters"} {
		of[name] = f.metric(f.t, f.adminToken(f.t), name)
	}
	return of
}

// flood is a server under attack, and those who work with it all the same.
type flood struct {
	*atmcpd

	t    *testing.T
	size floodSize

	mu      sync.Mutex
	written map[int64]time.Time // when the reply about an event was there
	late    map[int64][]time.Duration
}

// write makes events at the rate, and returns how long each call took, sorted.
func (f *flood) write(upTo time.Duration) []time.Duration {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), upTo)
	defer cancel()
	var mu sync.Mutex
	var took []time.Duration
	var writers sync.WaitGroup
	for i := range floodWriters {
		client := &mcpClient{url: "http://" + f.addr, token: f.join, name: fmt.Sprint("writer-", i), http: &http.Client{}}
		writers.Go(func() {
			tick := time.NewTicker(floodWriters * time.Second / floodRate)
			defer tick.Stop()
			for n := 0; ctx.Err() == nil; n++ {
				began := time.Now()
				var made struct {
					EventID int64 `json:"event_id"`
				}
				a := args{"title": fmt.Sprint("finding ", n), "body": fmt.Sprint("by ", client.name, " at ", began)}
				if err := patient(context.WithoutCancel(ctx), client, "post_knowledge", a, &made); !assert.NoError(f.t, err) {
					return
				}
				f.mu.Lock()
				f.written[made.EventID] = time.Now()
				f.mu.Unlock()
				mu.Lock()
				took = append(took, time.Since(began))
				mu.Unlock()
				select {
				case <-tick.C:
				case <-ctx.Done():
				}
			}
		})
	}
	writers.Wait()
	slices.Sort(took)
	require.NotEmpty(f.t, took)
	return took
}

// patient calls a tool, and again after a while if the server has too much to do, as its
// refusal says. The time that this takes is harm.
func patient(ctx context.Context, client *mcpClient, tool string, a args, res any) error {
	for tries := 1; ; tries++ {
		err := client.call(ctx, tool, a, res)
		if atmcp.CodeOf(err) != atmcp.CodeRateLimited || tries == 50 {
			return err
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// follow opens an honest feed.
func (f *flood) follow(ctx context.Context) *websocket.Conn {
	f.t.Helper()
	header := http.Header{"Authorization": {"Bearer " + f.join}}
	socket, reply, err := websocket.Dial(ctx, "ws://"+f.addr+"/ws/default?v=2", &websocket.DialOptions{HTTPHeader: header})
	require.NoError(f.t, err)
	if reply.Body != nil {
		_ = reply.Body.Close()
	}
	socket.SetReadLimit(1 << 20)
	return socket
}

// read takes what a feed brings and notes how late it is. A hole, a repetition or a
// gap is a failure.
func (f *flood) read(ctx context.Context, socket *websocket.Conn) {
	defer func() { _ = socket.CloseNow() }()
	last := int64(0)
	for {
		_, text, err := socket.Read(ctx)
		if ctx.Err() != nil {
			return
		}
		var frame struct {
			Type   string
			Head   int64
			Events []struct{ ID int64 }
		}
		if !assert.NoError(f.t, err) || !assert.NoError(f.t, json.Unmarshal(text, &frame)) || !assert.NotContains(f.t, []string{"gap", "bye"}, frame.Type) {
			return
		}
		if frame.Type == "hello" {
			last = frame.Head
		}
		now := time.Now()
		f.mu.Lock()
		for _, e := range frame.Events {
			assert.Equal(f.t, last+1, e.ID)
			last = e.ID
			late := time.Duration(0) // the feed may be before the reply
			if at, ok := f.written[e.ID]; ok {
				late = now.Sub(at)
			}
			f.late[e.ID] = append(f.late[e.ID], late)
		}
		f.mu.Unlock()
	}
}

// caughtUp tells whether every feed has every event that was written since it began.
func (f *flood) caughtUp() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	newest := int64(0)
	for id := range f.written {
		newest = max(newest, id)
	}
	return len(f.late[newest]) == floodFeeds
}

func (f *flood) latenesses() []time.Duration {
	var all []time.Duration
	for _, each := range f.late {
		all = append(all, each...)
	}
	slices.Sort(all)
	return all
}

// at is the value below which the share of sorted values lies.
func at(sorted []time.Duration, share float64) time.Duration {
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}

// openFiles counts the server's descriptors.
func (f *flood) openFiles() int {
	list, err := os.ReadDir(filepath.Join("/proc", fmt.Sprint(f.cmd.Process.Pid), "fd"))
	require.NoError(f.t, err)
	return len(list)
}
