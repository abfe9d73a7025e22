package mcpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/mcpapi"
)

func TestNewsRideOnAnyReplyInAtMost200Bytes(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	ann, bob := s.as("ann"), s.as("bob")
	console, err := s.team.Console("op")
	require.NoError(t, err)
	for _, end := range []func(atmcp.TaskID) error{
		func(id atmcp.TaskID) error {
			_, err := console.CancelTask(t.Context(), atmcp.TaskRequest{TaskID: id})
			return err
		},
		func(id atmcp.TaskID) error {
			_, err := console.ReleaseTask(t.Context(), atmcp.TaskRequest{TaskID: id})
			return err
		},
		func(id atmcp.TaskID) error {
			_, err := console.ReassignTask(t.Context(), atmcp.ReassignRequest{TaskRequest: atmcp.TaskRequest{TaskID: id}, To: "bob"})
			return err
		},
	} {
		for range 3 {
			id := s.call(t, ann, "create_task", args{"title": "x"}).text(t, "task_id")
			require.Equal(t, true, s.call(t, bob, "claim_task", args{"task_id": id}).JSON["ok"])
			if err := end(atmcp.TaskID(id)); err != nil {
				t.Logf("not ended: %v", err)
			}
		}
	}
	for range 20 {
		s.call(t, ann, "send_directive", args{"to_agent": "bob", "instruction": "x"})
	}
	for range 10 {
		r := s.call(t, bob, "get_memory", args{"key": "none"})
		raw, err := json.Marshal(r.JSON["_news"])
		require.NoError(t, err)
		assert.LessOrEqual(t, len(raw), 200, "%s", raw)
		assert.Contains(t, string(raw), "directives")
	}
}

func TestARepeatedCallGetsTheSameResultAndFreshNews(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	call := args{"title": "x", "idem_key": "k1"}
	first := s.call(t, s.as("bob"), "create_task", call)
	s.call(t, s.as("ann"), "send_directive", args{"to_agent": "bob", "instruction": "stop"})
	again := s.call(t, s.as("bob"), "create_task", call)
	assert.Equal(t, first.JSON["task_id"], again.JSON["task_id"])
	assert.Equal(t, true, again.JSON["replayed"])
	assert.NotContains(t, first.JSON, "_news")
	assert.Contains(t, again.JSON, "_news")
}

func TestTextsArriveAsTheyWereSent(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for _, text := range []string{"<b>&amp;</b>", "null", "[1]", "a\x00b", "\u2028", "日本語 🙂", `{"ok":false}`} {
		require.Equal(t, true, s.call(t, s.as("ann"), "set_memory", args{"key": "k", "value": text}).JSON["ok"])
		got := s.call(t, s.as("ann"), "get_memory", args{"key": "k"})
		assert.Equal(t, text, got.JSON["value"])
		assert.NotContains(t, got.Text, `\u003c`, "HTML is nobody's business here")
	}
	s.call(t, s.as("ann"), "set_memory", args{"key": "k", "value": json.RawMessage(`{"n":9007199254740993,"f":1.50}`)})
	assert.Contains(t, s.call(t, s.as("ann"), "get_memory", args{"key": "k"}).Text, `"n":9007199254740993`)
}

func BenchmarkCall(b *testing.B) {
	for name, a := range map[string]args{
		"get_memory": {"key": "k"},
		"set_memory": {"key": "k", "value": 1},
		"inbox":      {},
	} {
		b.Run(name, func(b *testing.B) {
			s := newStand(b)
			h := s.as("ann")
			body := rawCall(b, name, a)
			b.ReportAllocs()
			for b.Loop() {
				res := s.send(b, http.MethodPost, "/mcp", h, body)
				if !strings.Contains(res.Body, `"ok":true`) {
					b.Fatal(res.Body)
				}
			}
		})
	}
}

func TestAPageOfTheLogFitsIntoAReply(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	text := strings.Repeat("x", 4000)
	for range 20 {
		id := s.call(t, s.as("ann"), "create_task", args{"title": "x"}).text(t, "task_id")
		token := s.call(t, s.as("ann"), "claim_task", args{"task_id": id}).JSON["fencing_token"]
		r := s.call(t, s.as("ann"), "complete_task", args{"task_id": id, "fencing_token": token, "result_summary": text})
		require.Equal(t, true, r.JSON["ok"], r.Text)
	}
	r := s.call(t, s.as("ann"), "sync", nil)
	assert.Less(t, len(r.Text), 49_000)
	assert.Equal(t, true, r.JSON["more"])
	r = s.call(t, s.as("ann"), "sync", args{"max_bytes": 2000})
	assert.Less(t, len(r.Text), 3000)
}

func TestEveryCallIsObservedWithItsOutcome(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]int{}
	s := newStand(t, func(o *mcpapi.Options) {
		o.Observe = func(tool, outcome string, took time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			seen[fmt.Sprint(tool, " ", outcome, " ", took > 0)]++
		}
	})
	bob := s.as("bob")
	s.call(t, bob, "create_task", args{"title": "x"})
	s.call(t, bob, "create_task", args{})
	s.call(t, bob, "claim_task", args{"task_id": "none"})
	s.call(t, http.Header{}, "heartbeat", args{})
	s.call(t, bob, "inbox", args{"wait_ms": 1})
	assert.Equal(t, map[string]int{
		"create_task ok true": 1, "create_task invalid true": 1, "claim_task unknown_task true": 1,
		"heartbeat not_joined true": 1, "inbox ok false": 1,
	}, seen)
}
