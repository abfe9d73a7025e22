package httpapi

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

func TestASnapshotThatMovesTakesNoOtherTeamsPlace(t *testing.T) {
	t.Parallel()
	var p packs
	of := func(team int, head atmcp.Seq) *byte {
		t.Helper()
		zipped, err := p.of(atmcp.TeamID(strconv.Itoa(team)), atmcp.Snapshot{Head: head, JSON: json.RawMessage(`{}`)})
		require.NoError(t, err)
		return &zipped[0]
	}
	first := of(0, 1)
	for team := 1; team < maxPacks; team++ {
		of(team, 1)
	}
	for head := atmcp.Seq(2); head < 5; head++ {
		of(1, head)
	}
	assert.Same(t, first, of(0, 1), "it is kept")
	of(maxPacks, 1)
	assert.LessOrEqual(t, len(p.m), maxPacks)
}
