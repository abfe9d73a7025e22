package system_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/assert"

	"github.com/atmcp/atmcp"
)

// client takes tasks and ends them at random, until there is nothing left to
// take. Some of its calls it gives up, and repeats or abandons.
type client struct {
	*race

	t       *testing.T
	id      int
	w       worker
	rng     *rand.Rand
	patient bool // gives nothing up
	calls   int
}

func (c *client) run() {
	for misses := 0; ; {
		s, ok := c.claim()
		if !ok {
			// Others may still give tasks back: stay as long as some are taken.
			if misses++; int(c.final.Load()) >= c.tasks || misses > 5 {
				return
			}
			continue
		}
		misses = 0
		c.finish(s)
	}
}

// claim returns a grant, and false where there was none or nobody knows.
func (c *client) claim() (step, bool) {
	s := step{verb: verbClaim}
	out, call, known := c.attempt(&s)
	if !known || out.code != "" {
		return s, false
	}
	c.record(porcupine.Operation{ClientId: c.id, Input: s, Call: call, Output: out})
	return s, true
}

// finish ends a grant, sometimes more than once.
func (c *client) finish(s step) {
	s.verb = []string{verbComplete, verbComplete, verbComplete, verbFail, verbRelease}[c.rng.IntN(5)]
	if c.patient {
		s.verb = verbComplete
	}
	for again := true; again; again = !c.patient && c.rng.IntN(10) == 0 {
		out, call, known := c.attempt(&s)
		if !known {
			return
		}
		c.record(porcupine.Operation{ClientId: c.id, Input: s, Call: call, Output: out})
		if out.code == "" && (s.verb == verbComplete || out.dead) {
			c.final.Add(1)
		}
	}
}

// attempt makes one call until its outcome is known. Half of the calls have a
// key; of those some are cut short, then repeated under the key or abandoned, and
// some are repeated after their answer, which must be the same.
func (c *client) attempt(s *step) (out answer, call int64, known bool) {
	c.calls++
	call = c.now()
	if c.patient || c.rng.IntN(2) == 0 {
		out, err := c.once(c.t.Context(), s, "")
		assert.True(c.t, err == nil || foreseen(err), "%s: %v", s.verb, err)
		return out, call, true
	}
	key := fmt.Sprintf("%d-%d", c.id, c.calls)
	asked := *s
	for {
		ctx, cancel := c.impatience()
		out, err := c.once(ctx, s, key)
		cancel()
		if err == nil || foreseen(err) {
			if out.code == "" && c.rng.IntN(4) == 0 {
				c.repeat(asked, *s, out, key)
			}
			return out, call, true
		}
		if c.rng.IntN(4) == 0 {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.abandoned = append(c.abandoned, abandoned{c.id, c.w, call, asked, key})
			return answer{}, call, false
		}
	}
}

// impatience is a context that in one call of four ends within a few milliseconds.
func (c *client) impatience() (context.Context, context.CancelFunc) {
	if c.rng.IntN(4) > 0 {
		return context.WithCancel(c.t.Context())
	}
	return context.WithTimeout(c.t.Context(), time.Duration(c.rng.IntN(10_000))*time.Microsecond)
}

// repeat makes a call that was answered once more.
func (c *client) repeat(asked, got step, out answer, key string) {
	again := asked
	replayed, err := c.once(c.t.Context(), &again, key)
	assert.NoError(c.t, err)
	assert.Equal(c.t, out, replayed)
	assert.Equal(c.t, got, again)
}

// once makes one call. A claim fills in what it was given.
func (c *client) once(ctx context.Context, s *step, key string) (out answer, err error) {
	if s.verb == verbClaim {
		s.task, s.token, err = c.w.claimNext(ctx, key)
	} else {
		out.dead, err = c.w.end(ctx, *s, key)
	}
	out.code = atmcp.CodeOf(err)
	return out, err
}
