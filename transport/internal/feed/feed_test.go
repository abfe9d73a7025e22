package feed_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/internal/feed"
)

// crew is a team with one agent.
type crew struct {
	tb    testing.TB
	hub   *atmcp.Hub
	team  *atmcp.Team
	alice *atmcp.Agent
	n     int
}

func newCrew(tb testing.TB, change ...func(*atmcp.Config)) *crew {
	tb.Helper()
	cfg := atmcp.Config{Store: memstore.New()}
	for _, fn := range change {
		fn(&cfg)
	}
	hub, err := atmcp.Open(tb.Context(), cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, hub.Close()) })
	_, err = hub.CreateTeam(tb.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(tb, err)
	c := &crew{tb: tb, hub: hub}
	c.team, err = hub.Team(tb.Context(), "crew")
	require.NoError(tb, err)
	c.alice, _, err = c.team.Join(tb.Context(), atmcp.JoinRequest{DisplayName: "alice"})
	require.NoError(tb, err)
	return c
}

// write makes events.
func (c *crew) write(events int) {
	c.tb.Helper()
	for range events {
		c.n++
		req := atmcp.SetMemoryRequest{Key: fmt.Sprint("key ", c.n%100), Value: json.RawMessage(fmt.Sprint(c.n))}
		_, err := c.alice.SetMemory(c.tb.Context(), req)
		require.NoError(c.tb, err)
	}
}

func newFeeds(tb testing.TB) *feed.Feeds {
	tb.Helper()
	f := feed.New("test", "3fa9")
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), 5*time.Second)
		defer cancel()
		require.NoError(tb, f.Close(ctx))
	})
	return f
}

func (c *crew) open(f *feed.Feeds, form feed.Form, since atmcp.Seq) *feed.Reader {
	c.tb.Helper()
	r, err := f.Open(c.tb.Context(), c.team, feed.Request{Form: form, Since: &since})
	require.NoError(c.tb, err)
	c.tb.Cleanup(r.Close)
	p, more, err := r.Next(c.tb.Context())
	require.NoError(c.tb, err)
	require.Nil(c.tb, more)
	require.Contains(c.tb, string(p.Frames), `"type":"hello"`)
	return r
}

// next waits for the next piece that is no sign of life.
func next(tb testing.TB, r *feed.Reader) feed.Piece {
	tb.Helper()
	for {
		p, more, err := r.Next(tb.Context())
		require.NoError(tb, err)
		if more != nil {
			select {
			case <-more:
			case <-time.After(10 * time.Second):
				require.FailNow(tb, "nothing comes")
			}
			continue
		}
		if !bytes.Contains(p.Frames, []byte(`"type":"presence"`)) {
			return p
		}
	}
}

// A reader that does not read costs the others nothing, and is not forgotten: in the
// original form it finds all that it missed, in batches it is told that it missed.
func TestWhoFallsOffTheRingIsNeverWrong(t *testing.T) {
	c, f := newCrew(t), newFeeds(t)
	asleep, dozing := c.open(f, feed.Original, 1), c.open(f, feed.Batches, 1)
	c.write(1)
	awake := c.open(f, feed.Batches, 2)
	next(t, asleep)
	next(t, dozing)
	c.write(feed.MaxBehind + 1)
	for last := atmcp.Seq(2); last < feed.MaxBehind+3; {
		p := next(t, awake)
		require.Contains(t, string(p.JSON), fmt.Sprintf(`"from":%d,`, last+1))
		last = p.Last
	}

	p := next(t, dozing)
	assert.JSONEq(t, fmt.Sprintf(`{"type":"gap","head":%d,"reason":"too_far_behind"}`, feed.MaxBehind+3), string(p.JSON))
	c.write(1)
	p = next(t, dozing)
	assert.Contains(t, string(p.JSON), fmt.Sprintf(`"from":%d,`, feed.MaxBehind+4))

	at := atmcp.Seq(2)
	for at < feed.MaxBehind+4 {
		for _, id := range ids(t, next(t, asleep).Frames) {
			require.Equal(t, at+1, id)
			at = id
		}
	}
}

// ids are the events in WebSocket frames, which are short here.
func ids(t *testing.T, frames []byte) (list []atmcp.Seq) {
	t.Helper()
	for len(frames) > 0 {
		require.Equal(t, byte(0x81), frames[0], "a final text frame")
		head, n := 2, int(frames[1])
		if n == 126 {
			head, n = 4, int(frames[2])<<8|int(frames[3])
		}
		var x struct {
			EventID atmcp.Seq `json:"event_id"`
		}
		require.NoError(t, json.Unmarshal(frames[head:head+n], &x))
		list = append(list, x.EventID)
		frames = frames[head+n:]
	}
	return list
}

func TestAFanGoesWithItsLastReader(t *testing.T) {
	c, f := newCrew(t), feed.New("test", "3fa9")
	one := int64(0)
	for range 3 {
		since := atmcp.Seq(one)
		a, err := f.Open(t.Context(), c.team, feed.Request{Since: &since})
		require.NoError(t, err)
		b, err := f.Open(t.Context(), c.team, feed.Request{Since: &since})
		require.NoError(t, err)
		assert.Equal(t, 2, f.Readers())
		a.Close()
		b.Close()
	}
	assert.Zero(t, f.Readers())
	require.NoError(t, f.Close(t.Context()))
	_, err := f.Open(t.Context(), c.team, feed.Request{})
	require.ErrorIs(t, err, feed.ErrEnding)
}

func TestReadersAreToldWhenTheHubIsGone(t *testing.T) {
	c, f := newCrew(t), newFeeds(t)
	r := c.open(f, feed.Original, 1)
	require.NoError(t, c.hub.Close())
	for {
		_, more, err := r.Next(t.Context())
		if err != nil {
			return
		}
		if more != nil {
			<-more
		}
	}
}

func TestAFrameSaysItsLengthAsTheProtocolHasIt(t *testing.T) {
	for size, header := range map[int]string{
		100: "\x81\x64", 125: "\x81\x7d", 126: "\x81\x7e\x00\x7e", 65535: "\x81\x7e\xff\xff",
		65536: "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00",
	} {
		text := make([]byte, size-2)
		for i := range text {
			text[i] = 'x'
		}
		f, err := feed.Of(string(text)) // quoted
		require.NoError(t, err)
		assert.Len(t, f.JSON(), size)
		assert.Equal(t, header, string(f.WebSocket()[:len(header)]))
		assert.Equal(t, f.JSON(), f.WebSocket()[len(header):])
	}
}
