package system_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/atmcptest"
)

// registerCall is a read or a write of one register; expected is nil for a read
// and for a write that overwrites whatever there is.
type registerCall struct {
	key      string
	write    bool
	value    string
	expected *uint64
}

// registerSeen is what the call was told. A conflict tells what is there.
type registerSeen struct {
	conflict bool
	version  uint64
	value    string
}

// registersModel is a register as the promise draws it: a version that each write
// raises by one, and the last value.
func registersModel() porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			return partition(history, func(op porcupine.Operation) string {
				call, _ := op.Input.(registerCall)
				return call.key
			})
		},
		Init: func() any { return registerSeen{} },
		Step: func(state, input, output any) (bool, any) {
			now, _ := state.(registerSeen)
			call, _ := input.(registerCall)
			seen, _ := output.(registerSeen)
			switch {
			case !call.write:
				return seen == now, now
			case seen.conflict:
				return call.expected != nil && *call.expected != now.version && seen.version == now.version && seen.value == now.value, now
			case call.expected != nil && *call.expected != now.version:
				return false, now
			}
			next := registerSeen{version: now.version + 1, value: call.value}
			return seen.version == next.version, next
		},
	}
}

// TestRegistersAreLinearizable lets agents read and write the same registers, half
// of the time by compare and set, through two hubs over one store.
func TestRegistersAreLinearizable(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			s := b.open(t)
			hubs := []*atmcp.Hub{
				atmcptest.NewHub(t, func(c *atmcp.Config) { c.Store = s }),
				atmcptest.NewHub(t, func(c *atmcp.Config) { c.Store = s }),
			}
			h := history{start: time.Now()}
			var wg sync.WaitGroup
			for i := range 16 {
				agent := atmcptest.Join(t, hubs[i%2], fmt.Sprint("agent-", i))
				rng := rand.New(rand.NewPCG(uint64(i), 4))
				wg.Go(func() {
					for n := range sized(200, 40) {
						call := registerCall{key: fmt.Sprint("key-", rng.IntN(8)), write: rng.IntN(2) == 0, value: fmt.Sprintf("%d%05d", i+1, n)}
						useRegister(t, &h, agent, call, rng.IntN(2) == 0)
					}
				})
			}
			wg.Wait()
			require.Equal(t, porcupine.Ok, porcupine.CheckOperationsTimeout(registersModel(), h.ops, time.Minute))
		})
	}
}

// useRegister makes one call, or a read and the write that depends on it.
func useRegister(t *testing.T, h *history, agent *atmcp.Agent, call registerCall, compare bool) {
	t.Helper()
	if !call.write || compare {
		began := h.now()
		got, err := agent.GetMemory(t.Context(), atmcp.GetMemoryRequest{Key: call.key})
		assert.NoError(t, err)
		h.record(porcupine.Operation{Call: began, Input: registerCall{key: call.key}, Output: registerSeen{version: got.Version, value: string(got.Value)}})
		call.expected = &got.Version
	}
	if !call.write {
		return
	}
	began := h.now()
	res, err := agent.SetMemory(t.Context(), atmcp.SetMemoryRequest{
		Key: call.key, Value: json.RawMessage(call.value), ExpectedVersion: call.expected,
	})
	seen := registerSeen{version: res.Version}
	if conflict, ok := errors.AsType[*atmcp.ConflictError](err); ok {
		seen = registerSeen{conflict: true, version: conflict.Version, value: string(conflict.Current)}
	} else {
		assert.NoError(t, err)
	}
	h.record(porcupine.Operation{Call: began, Input: call, Output: seen})
}
