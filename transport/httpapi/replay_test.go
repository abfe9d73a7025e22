package httpapi_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/httpapi"
	"github.com/atmcp/atmcp/transport/internal/feed"
)

// picture is what a page keeps of a team.
type picture struct {
	t     *testing.T
	head  uint64
	epoch string
	rows  map[string]map[string]json.RawMessage // by entity
}

// load takes a snapshot over the network.
func (o *online) load() *picture {
	o.t.Helper()
	a := o.get("/api/teams/crew/snapshot?v=2", o.crew.JoinToken)
	require.Equal(o.t, 200, a.status, a.text)
	return draw(o.t, []byte(a.text))
}

func draw(t *testing.T, text []byte) *picture {
	t.Helper()
	var all map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(text, &all))
	p := &picture{t: t, rows: make(map[string]map[string]json.RawMessage)}
	require.NoError(t, json.Unmarshal(all["head"], &p.head))
	require.NoError(t, json.Unmarshal(all["epoch"], &p.epoch))
	for list, id := range map[string]string{
		"agents": "agent_id", "tasks": "task_id", "goals": "goal_id", "directives": "directive_id", "memory": "key", "knowledge": "content_id",
	} {
		var rows []map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(all[list], &rows), list)
		for _, row := range rows {
			var name string
			require.NoError(t, json.Unmarshal(row[id], &name))
			p.rows[strings.TrimSuffix(list, "s")+"/"+name] = row
		}
	}
	return p
}

// apply takes a batch as pages do.
func (p *picture) apply(x frame) {
	p.t.Helper()
	require.Equal(p.t, p.head+1, x.From, "a hole, or a repetition")
	p.head = x.To
	for _, e := range x.Events {
		if e.Patch == nil {
			continue
		}
		row := p.rows[e.Entity]
		if row == nil {
			row = make(map[string]json.RawMessage)
			p.rows[e.Entity] = row
		}
		for name, value := range e.Patch {
			if name != "body" && name != "value" { // which snapshots leave out
				row[name] = value
			}
		}
		if kind, _, _ := strings.Cut(e.Entity, "/"); kind == "task" || kind == "directive" {
			row["ts"] = fmt.Append(nil, e.TS)
		}
	}
}

// frames is a feed, however it is carried.
type frames interface{ next() frame }

// event returns the next frame of a stream of events.
type event struct{ *listener }

func (e event) next() frame {
	e.t.Helper()
	_, x, ok := e.listener.next()
	require.True(e.t, ok, "the stream ended")
	return x
}

// pages reads the log by long polls.
type pages struct {
	*online

	since uint64
	epoch string
}

func (g *pages) next() frame {
	g.t.Helper()
	a := g.get(fmt.Sprintf("/api/teams/crew/events?since=%d&epoch=%s&limit=40&wait_ms=2000", g.since, g.epoch), g.crew.JoinToken)
	require.Equal(g.t, 200, a.status, a.text)
	var page struct {
		Events    []entry `json:"events"`
		NextSince uint64  `json:"next_since"`
		Gap       string  `json:"gap"`
	}
	require.NoError(g.t, json.Unmarshal([]byte(a.text), &page))
	if page.Gap != "" {
		return frame{Type: "gap", Reason: page.Gap, raw: a.text}
	}
	x := frame{Type: "batch", From: g.since + 1, To: page.NextSince, Events: page.Events, raw: a.text}
	g.since = page.NextSince
	return x
}

// follow applies what a feed brings until an event is in.
func (p *picture) follow(f frames, until uint64) {
	p.t.Helper()
	for p.head < until {
		x := f.next()
		require.NotContains(p.t, []string{"gap", "bye"}, x.Type, x.raw)
		if x.Type == "batch" && x.To >= x.From {
			p.apply(x)
		}
	}
}

// agrees compares with a later snapshot, which may have dropped what is settled.
func (p *picture) agrees(later *picture) {
	p.t.Helper()
	require.Equal(p.t, later.head, p.head)
	for entity, want := range later.rows {
		delete(want, "rev")
		got := make(map[string]json.RawMessage)
		for name, value := range p.rows[entity] {
			if name != "rev" {
				got[name] = value
			}
		}
		a, err := json.Marshal(want)
		require.NoError(p.t, err)
		b, err := json.Marshal(got)
		require.NoError(p.t, err)
		require.JSONEq(p.t, string(a), string(b), entity)
	}
}

// Pages that read at their own pace, through restarts and among writers, end with
// what a new page would load.
func TestWhoFollowsBatchesHasTheNextSnapshot(t *testing.T) {
	t.Parallel()
	disk := memstore.New()
	var crew atmcp.CreateTeamResult
	pictures := make([]*picture, 4)
	for round := range 4 {
		hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: disk, LeaseTTL: atmcp.MinLeaseTTL, RetryBackoff: -1})
		require.NoError(t, err)
		s := &service{t: t, hub: hub, handler: httpapi.New(hub, httpapi.Options{}), crew: crew}
		if round == 0 {
			s = serveHub(t, hub)
			crew = s.crew
		}
		o := goOnline(t, s)
		if round == 0 {
			for i := range pictures {
				pictures[i] = o.load()
			}
		}
		var feeds []frames
		var gone []func()
		for i, p := range pictures {
			from := fmt.Sprintf("since=%d&epoch=%s", p.head, p.epoch)
			switch i {
			case 2:
				l := o.stream("?"+from, http.Header{"Authorization": {"Bearer " + crew.JoinToken}})
				feeds, gone = append(feeds, event{l}), append(gone, l.close)
			case 3:
				feeds = append(feeds, &pages{o, p.head, p.epoch})
			default:
				f := o.follow("?v=2&" + from)
				feeds, gone = append(feeds, f), append(gone, func() { _ = f.conn.CloseNow() })
			}
		}
		deeds := newDeeds(t, s)
		var writing sync.WaitGroup
		for w, name := range deeds.names {
			random := rand.New(rand.NewPCG(uint64(round), uint64(w)))
			writing.Go(func() {
				for range 150 {
					deeds.anything(name, random)
				}
			})
		}
		pictures[0].follow(feeds[0], pictures[0].head+100) // it goes along, the others are slow
		writing.Wait()
		for i, p := range pictures {
			o.compare(p, func(until uint64) { p.follow(feeds[i], until) })
		}
		blank := draw(t, []byte(`{"head":0,"epoch":"","agents":[],"tasks":[],"goals":[],"directives":[],"memory":[],"knowledge":[]}`))
		whole := o.follow("?v=2&since=0")
		o.compare(blank, func(until uint64) { blank.follow(whole, until) })
		for _, leave := range gone {
			leave()
		}
		if round == 3 {
			deeds.sawEverything()
			sleeper(o, blank)
		}
		require.NoError(t, o.handler.Close(t.Context()))
		require.NoError(t, hub.Close())
	}
}

// sleeper is a page that was away for so long that it is told to begin anew, and does
// so on the feed that told it.
func sleeper(o *online, p *picture) {
	o.t.Helper()
	a := o.agent("alice")
	for range feed.MaxBehind + 1 {
		_, err := a.SetMemory(o.t.Context(), atmcp.SetMemoryRequest{Key: "counter", Value: json.RawMessage("1")})
		require.NoError(o.t, err)
	}
	f := o.follow(fmt.Sprintf("?v=2&since=%d&epoch=%s", p.head, p.epoch))
	gap := f.until("gap")
	assert.Equal(o.t, "too_far_behind", gap.Reason)
	p = o.load()
	require.GreaterOrEqual(o.t, p.head, gap.Head)
	o.write(a, 1)
	o.compare(p, func(until uint64) { p.followFrom(f, until) })
}

// compare brings a picture and a new one to the same head, at which they must be the
// same: leases that were left behind go on to lapse meanwhile.
func (o *online) compare(p *picture, follow func(until uint64)) {
	o.t.Helper()
	for range 100 {
		later := o.load()
		if follow(later.head); p.head == later.head {
			p.agrees(later)
			return
		}
	}
	require.Fail(o.t, "the team never rests")
}

// followFrom is follow on a feed that may begin before the picture.
func (p *picture) followFrom(f frames, until uint64) {
	p.t.Helper()
	for p.head < until {
		x := f.next()
		if x.Type == "batch" && x.To > p.head {
			require.LessOrEqual(p.t, x.From, p.head+1)
			x.From = p.head + 1
			p.apply(x)
		}
	}
}

func TestASnapshotIsCompressedForWhoTakesThat(t *testing.T) {
	o := listen(t)
	o.agent("alice")
	plain := o.load()
	for accept, packed := range map[string]bool{"gzip": true, "br, gzip;q=0.5": true, "gzip;q=0": false, "": false} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, o.server.URL+"/api/teams/crew/snapshot?v=2", http.NoBody)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+o.crew.JoinToken)
		r.Header.Set("Accept-Encoding", accept)
		reply, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		var body io.Reader = reply.Body
		assert.Equal(t, "Accept-Encoding", reply.Header.Get("Vary"))
		assert.Equal(t, packed, reply.Header.Get("Content-Encoding") == "gzip", accept)
		if packed {
			body, err = gzip.NewReader(body)
			require.NoError(t, err)
		}
		text, err := io.ReadAll(body)
		require.NoError(t, err)
		_ = reply.Body.Close()
		assert.True(t, strings.HasPrefix(string(text), `{"ok":true,"head":1,`), string(text))
		draw(t, text).agrees(plain)
	}
}
