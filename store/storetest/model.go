package storetest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atmcp/atmcp/store"
)

// model is what the store should hold.
type model map[string]*modelTeam

type modelTeam struct {
	head store.Head
	rows map[string]string
}

// testModel: through two handles, random operations answer as a map would.
func (b Backend) testModel(t *testing.T) {
	hs := b.two(t)
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		m := machine{t: t, rt: rt, hs: hs, model: model{}}
		for _, suffix := range []string{"", "a", "a\x00", "ab"} { // names that are prefixes of each other
			m.teams = append(m.teams, fmt.Sprintf("run-%06d-%s", run, suffix))
		}
		rt.Repeat(map[string]func(*rapid.T){
			"commit": m.commit,
			"stale":  m.stale,
			"read":   m.read,
			"trim":   m.trim,
			"":       m.heads,
		})
	})
}

type machine struct {
	t     *testing.T
	rt    *rapid.T
	hs    [2]store.Store
	teams []string
	model model
	tag   uint64
}

func (m *machine) draw(rt *rapid.T) (store.Store, string, *modelTeam) {
	s := m.hs[rapid.IntRange(0, 1).Draw(rt, "handle")]
	team := rapid.SampledFrom(m.teams).Draw(rt, "team")
	if have, ok := m.model[team]; ok {
		return s, team, have
	}
	return s, team, &modelTeam{rows: map[string]string{}}
}

// commit applies a batch on the present head.
func (m *machine) commit(rt *rapid.T) {
	s, team, have := m.draw(rt)
	b := m.batch(rt, have.head)
	require.NoError(rt, s.Commit(m.t.Context(), team, b))
	for _, k := range b.Dels {
		delete(have.rows, string(k))
	}
	for _, kv := range b.Puts {
		have.rows[string(kv.Key)] = string(kv.Value)
	}
	have.head = b.Head
	m.model[team] = have
}

// stale tries a batch on a head that is not the present one.
func (m *machine) stale(rt *rapid.T) {
	s, team, have := m.draw(rt)
	base := have.head
	switch rapid.IntRange(0, 2).Draw(rt, "how") {
	case 0:
		base.Tag++
	case 1:
		base.Rev++
	default:
		base.Seq++
	}
	require.ErrorIs(rt, s.Commit(m.t.Context(), team, m.batch(rt, base)), store.ErrConflict)
}

// read compares one random range.
func (m *machine) read(rt *rapid.T) {
	s, team, have := m.draw(rt)
	r := store.Range{
		Start:   keys().Draw(rt, "start"),
		Limit:   rapid.IntRange(-1, 4).Draw(rt, "limit"),
		Reverse: rapid.Bool().Draw(rt, "reverse"),
	}
	if rapid.IntRange(0, 3).Draw(rt, "single") > 0 {
		r.End = keys().Draw(rt, "end")
	}
	snap, err := s.Read(m.t.Context(), team, r)
	require.NoError(rt, err)
	require.Equal(rt, have.head, snap.Head)
	require.Equal(rt, have.selected(r), pairs(snap.Rows[0]), "range %q", r)
}

// trim deletes a random range, if the store can.
func (m *machine) trim(rt *rapid.T) {
	s, team, have := m.draw(rt)
	trimmer, ok := s.(store.Trimmer)
	if !ok {
		return
	}
	start, end := keys().Draw(rt, "start"), keys().Draw(rt, "end")
	require.NoError(rt, trimmer.Trim(m.t.Context(), team, start, end))
	maps.DeleteFunc(have.rows, func(k, _ string) bool { return k >= string(start) && k < string(end) })
}

// heads compares all teams after each step.
func (m *machine) heads(rt *rapid.T) {
	for _, team := range m.teams {
		have := m.model[team]
		if have == nil {
			have = &modelTeam{}
		}
		snap, err := m.hs[0].Read(m.t.Context(), team, everything())
		require.NoError(rt, err)
		require.Equal(rt, have.head, snap.Head, "head of %q", team)
		require.Equal(rt, have.selected(everything()), pairs(snap.Rows[0]), "rows of %q", team)
	}
}

func (m *machine) batch(rt *rapid.T, base store.Head) store.Batch {
	m.tag++
	b := batch(base, m.tag)
	b.Head.Seq += rapid.Uint64Range(0, 3).Draw(rt, "events")
	for range rapid.IntRange(0, 5).Draw(rt, "puts") {
		value := rapid.SliceOfN(rapid.Byte(), 0, 12).Draw(rt, "value")
		b.Puts = append(b.Puts, store.KV{Key: keys().Draw(rt, "put"), Value: value})
	}
	for range rapid.IntRange(0, 3).Draw(rt, "dels") {
		b.Dels = append(b.Dels, keys().Draw(rt, "del"))
	}
	return b
}

// keys draws from so few keys that they meet, and from the ugly bytes.
func keys() *rapid.Generator[[]byte] {
	return rapid.SliceOfN(rapid.SampledFrom([]byte{0x00, 0x01, 'a', 0xfe, 0xff}), 1, 3)
}

func (m *modelTeam) selected(r store.Range) []string {
	var rows []store.KV
	for _, k := range slices.Sorted(maps.Keys(m.rows)) {
		kv := store.KV{Key: []byte(k), Value: []byte(m.rows[k])}
		single := r.End == nil && bytes.Equal(kv.Key, r.Start)
		if single || r.End != nil && bytes.Compare(kv.Key, r.Start) >= 0 && bytes.Compare(kv.Key, r.End) < 0 {
			rows = append(rows, kv)
		}
	}
	if r.Reverse {
		slices.Reverse(rows)
	}
	if r.Limit > 0 && len(rows) > r.Limit {
		rows = rows[:r.Limit]
	}
	return pairs(rows)
}
