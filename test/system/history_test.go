package system_test

import (
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// history is what clients did and were told, as they saw it.
type history struct {
	start time.Time

	mu  sync.Mutex
	ops []porcupine.Operation
}

// now is the time of a call, or of its return.
func (h *history) now() int64 { return time.Since(h.start).Nanoseconds() }

// record takes an operation down; one without a return has just returned.
func (h *history) record(op porcupine.Operation) {
	if op.Return == 0 {
		op.Return = h.now()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, op)
}

// partition splits a history by what its operations are about.
func partition[K comparable](ops []porcupine.Operation, of func(porcupine.Operation) K) [][]porcupine.Operation {
	parts := make(map[K][]porcupine.Operation)
	for _, op := range ops {
		parts[of(op)] = append(parts[of(op)], op)
	}
	list := make([][]porcupine.Operation, 0, len(parts))
	for _, part := range parts {
		list = append(list, part)
	}
	return list
}
