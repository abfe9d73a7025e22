package feed

import "github.com/atmcp/atmcp"

// What a reader of batches wants beside events: it says so at any time, from another
// goroutine than that which reads.

// wants tells whether a reader of batches asked for what is no event.
func (r *Reader) wants(i *item) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i.agent == "" {
		return !r.quiet
	}
	return r.watched[i.agent]
}

// MaxWatched is of how many agents a reader may have the output.
const MaxWatched = 256

// Watch begins or ends giving the output of agents. Those beyond [MaxWatched] are
// not given.
func (r *Reader) Watch(on bool, agents ...atmcp.AgentID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.watched == nil {
		r.watched = make(map[atmcp.AgentID]bool)
	}
	for _, id := range agents {
		if on && len(r.watched) < MaxWatched {
			r.watched[id] = true
		} else if !on {
			delete(r.watched, id)
		}
	}
}

// Presence says whether the reader wants signs of life, as it does at first. Where it
// wants them again it returns the frame with all that is known.
func (r *Reader) Presence(on bool) (Frame, error) {
	r.mu.Lock()
	again := r.quiet && on
	r.quiet = !on
	r.mu.Unlock()
	if !again {
		return Frame{}, nil
	}
	return r.fan.people.everybody()
}
