package valkeylive

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/valkey-io/valkey-go"

	"github.com/atmcp/atmcp/liveness"
)

const (
	// maxHints is how many hints may wait to be sent; a hub looks by itself now and
	// then, so that one that is lost costs time.
	maxHints = 1024
	// maxHint bounds what is read of a hint.
	maxHint = 4 << 10
)

// hint is what one hub tells the others.
type hint struct{ team, topic string }

// hints are those that wait to be sent: each once, the oldest first.
type hints struct {
	mu    sync.Mutex
	list  []hint
	known map[hint]bool
}

func newHints() *hints { return &hints{known: make(map[hint]bool)} }

// add reports whether none waited before: the worker knows of the others.
func (h *hints) add(x hint) (first bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.known[x] {
		return false
	}
	first = len(h.list) == 0
	if len(h.list) == maxHints {
		delete(h.known, h.list[0])
		h.list = h.list[1:]
	}
	h.list = append(h.list, x)
	h.known[x] = true
	return first
}

func (h *hints) waiting() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.list) > 0
}

func (h *hints) take() []hint {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := h.list
	h.list = nil
	clear(h.known)
	return list
}

// Notify implements [liveness.Notifier]. It waits for nothing; while Valkey does not
// serve, hints are dropped, the oldest first.
func (l *Live) Notify(ctx context.Context, team, topic string) error {
	if err := l.enter(ctx); err != nil {
		return err
	}
	defer l.attempts.Done()
	if l.hints.add(hint{team, topic}) {
		l.nudge()
	}
	return nil
}

const wakeSuffix = ":wake"

func (l *Live) sendHints() {
	list := l.hints.take()
	client := l.link.any()
	commands := make(valkey.Commands, len(list))
	for i, x := range list {
		commands[i] = client.B().Publish().Channel(l.prefix + x.team + wakeSuffix).Message(x.topic).Build()
	}
	ctx, cancel := context.WithTimeout(l.life, writeTime)
	defer cancel()
	var failed error
	for _, res := range client.DoMulti(ctx, commands...) {
		failed = errors.Join(failed, res.NonValkeyError())
	}
	l.noteCall(failed)
}

// Watch implements [liveness.Notifier]. It has a connection of its own, which it makes
// again when it is lost; hints of meanwhile are lost too.
func (l *Live) Watch(ctx context.Context, fn func(team, topic string)) error {
	if err := l.enter(ctx); err != nil {
		return err
	}
	defer l.attempts.Done()
	bound, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.life, cancel)() //nolint:contextcheck // the Live's own

	var one sync.Mutex // a connection that was given up may not have noticed yet
	receive := func(m valkey.PubSubMessage) {
		name, ours := strings.CutPrefix(m.Channel, l.prefix)
		team, ours2 := strings.CutSuffix(name, wakeSuffix)
		if !ours || !ours2 || len(team)+len(m.Message) > maxHint {
			return
		}
		one.Lock()
		defer one.Unlock()
		if bound.Err() == nil {
			fn(team, m.Message)
		}
	}
	for pause := firstProbe; ; pause = min(2*pause, lastProbe) {
		began := time.Now()
		l.subscribe(bound, receive)
		if time.Since(began) > lastProbe {
			pause = firstProbe
		}
		if !sleep(bound, pause) {
			break
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return liveness.ErrClosed
}

// subscribe receives until the connection is lost or ctx ends. The client is one that
// nobody else waits on: calls would wait for its connecting.
func (l *Live) subscribe(ctx context.Context, fn func(valkey.PubSubMessage)) {
	client, err := valkey.NewClient(l.options)
	if client != nil {
		defer client.Close()
	}
	if err != nil {
		return // the worker meets the same and says so
	}
	// The pattern is the prefix and a star, as an ACL has it: a subscription to any
	// other pattern would have to be allowed by its letters.
	pattern := escapePattern(l.prefix) + "*"
	err = client.Receive(ctx, client.B().Psubscribe().Pattern(pattern).Build(), fn)
	if err != nil && ctx.Err() == nil {
		l.log.InfoContext(ctx, "hints of other hubs are not heard for a moment", "error", err)
	}
}

// escapePattern makes a text match itself alone.
func escapePattern(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(text)
}

// sleep reports whether the time passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
