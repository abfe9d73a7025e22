// Package hooks is what runs inside an agent's client when something happens there:
// the layer that works when the model forgets its team. A session that starts gets a
// brief of the team, a tool that was used is a sign of life, and an agent that stops
// is given the directive that waits for it.
//
// A hook never harms the session it runs in. Whatever fails, its client is told to
// go on, in time.
package hooks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
)

// Config is what hooks need to know.
type Config struct {
	Hub      *client.Client // required
	Name     string         // the agent; required
	StateDir string         // required
	// MaxOrders is how many stops in a row are prevented at most. Zero means 5, which is
	// below what clients allow.
	MaxOrders int
	// Silent keeps what the agent says and does from its team, its signs of life apart.
	Silent bool
}

// Budget is how long the hook of an event may take in all.
func Budget(e Event) time.Duration {
	switch e {
	case SessionStart, Stop:
		return 1800 * time.Millisecond
	case SessionEnd, Response:
		return time.Second
	default:
		return 500 * time.Millisecond
	}
}

// Occasion is what happened where.
type Occasion struct {
	Client Client
	Event  Event
	// Input is what [Read] read. Where it is not understood, what an event asks for
	// without knowing more is done all the same.
	Input []byte
}

// maxInput bounds what is read of an input. What a tool answered is in it too.
const maxInput = 16 << 20

// hook is one event under way.
type hook struct {
	Config
	Occasion

	in      Input
	session session
}

// Run does what an event asks for and returns the reply to its client, which is good
// whatever the error is. It ends with ctx.
func Run(ctx context.Context, c Config, o Occasion) (Reply, error) {
	if c.MaxOrders == 0 {
		c.MaxOrders = 5
	}
	in, badInput := ParseInput(o.Input)
	h := &hook{Config: c, Occasion: o, in: in}
	var err error
	if h.session, err = openSession(c.StateDir, c.Hub.URL(), c.Name, string(o.Client), in.Session); err != nil {
		return Reply{}, errors.Join(badInput, err)
	}
	var reply Reply
	switch o.Event {
	case SessionStart:
		forgetOld(c.StateDir, time.Now())
		reply, err = h.start(ctx)
	case Prompt:
		reply, err = h.prompt(ctx)
	case AfterTool:
		err = h.afterTool(ctx)
	case Response:
		err = h.post(ctx)
	case Stop:
		reply, err = h.stop(ctx, badInput == nil)
	case SessionEnd:
		err = errors.Join(h.post(ctx), h.beat(ctx, "its session ended"))
	}
	return reply, errors.Join(badInput, err)
}

// Read takes all that a client says, as one that cannot write it all may fail. It
// ends with ctx, whatever the client does.
func Read(ctx context.Context, input io.Reader) ([]byte, error) {
	type result struct {
		raw []byte
		err error
	}
	got := make(chan result, 1)
	// A client that neither writes nor closes is left: the process ends soon.
	go func() {
		raw, err := io.ReadAll(io.LimitReader(input, maxInput+1))
		if err == nil && len(raw) > maxInput {
			_, err = io.Copy(io.Discard, input)
			raw, err = nil, errors.Join(err, fmt.Errorf("the client says more than %d bytes", maxInput))
		}
		got <- result{raw, err}
	}()
	select {
	case <-ctx.Done():
		return nil, errors.New("the client did not say in time what happened")
	case r := <-got:
		return r.raw, r.err
	}
}

// beatEvery is the least time between the beats of tools.
const beatEvery = 10 * time.Second

// beat shows that the agent lives, which renews the leases of what it holds. An
// empty status leaves the one before.
func (h *hook) beat(ctx context.Context, status string) error {
	_, err := h.beatAs(ctx, status)
	return err
}

// beaten is a beat's answer.
type beaten struct {
	AgentID atmcp.AgentID `json:"agent_id"`
}

func (h *hook) beatAs(ctx context.Context, status string) (beaten, error) {
	body := client.Body{"display_name": h.Name}
	if status != "" {
		body["status_summary"] = status
	}
	reply, err := client.AskTeam[beaten](ctx, h.Hub, client.Request{Body: body, Repeatable: true}, "heartbeat")
	return reply.Value, err
}

// write adds to the agent's output.
func (h *hook) write(ctx context.Context, text string) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	_, err := client.AskTeam[atmcp.AppendOutputResult](ctx, h.Hub, client.Request{Body: client.Body{"text": text}, Keyed: true},
		"agents", h.Name, "output")
	return err
}

// afterTool notes what was used, and beats if none did for a while. What was noted
// since goes with it.
func (h *hook) afterTool(ctx context.Context) error {
	line := clean(strings.TrimSpace(h.in.Tool+" "+h.in.Subject), 160)
	due, lines := false, ""
	err := h.session.change(ctx, func(m *memory) {
		if line != "" && !h.Silent {
			m.add("· " + line + "\n")
		}
		// A clock that was put back is no reason to be silent.
		since := time.Since(time.UnixMilli(m.BeatAt))
		if due = since < 0 || since >= beatEvery; due {
			m.BeatAt, lines = time.Now().UnixMilli(), m.take()
		}
	})
	if err != nil || !due {
		return err
	}
	beatErr, wrote := h.both(ctx, line, lines)
	if wrote != nil {
		wrote = errors.Join(wrote, h.session.change(ctx, func(m *memory) {
			newer := m.take()
			m.add(lines)
			m.add(newer)
		}))
	}
	return errors.Join(beatErr, wrote)
}

// both beats and writes at once: there is little time.
func (h *hook) both(ctx context.Context, status, text string) (beat, write error) {
	var wg sync.WaitGroup
	wg.Go(func() { beat = h.beat(ctx, clean(status, 100)) })
	wg.Go(func() { write = h.write(ctx, text) })
	wg.Wait()
	return beat, write
}

// post writes what the agent said, and what it did and was not written yet. What
// was posted once is not again: two events may bring the same words.
func (h *hook) post(ctx context.Context) error {
	words := h.in.Words
	if words == "" && h.in.Transcript != "" && h.Event == Stop {
		words = lastWords(h.in.Transcript)
	}
	if h.Silent {
		words = ""
	}
	text := ""
	err := h.session.change(ctx, func(m *memory) {
		text = m.take()
		sum := sha256.Sum256([]byte(words))
		hash := hex.EncodeToString(sum[:8])
		if words != "" && m.Posted != hash {
			m.Posted = hash
			text += cut(words, 7900-utf8.RuneCountInString(text)) + "\n"
		}
	})
	return errors.Join(err, h.write(ctx, text))
}

// cut shortens a text to n characters.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(0, n-1)]) + "…"
}

// clean makes one short line of a text: what others wrote stays within its place.
func clean(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return cut(strings.Join(strings.Fields(s), " "), n)
}

// place names where the agent works, for people.
func (h *hook) place() string {
	if h.in.Dir == "" {
		return string(h.Client)
	}
	return string(h.Client) + " in " + filepath.Base(h.in.Dir)
}
