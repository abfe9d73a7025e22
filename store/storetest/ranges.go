package storetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store"
)

// testAbsent: what does not exist is empty and not an error.
func (b Backend) testAbsent(t *testing.T) {
	s := b.one(t)
	for _, team := range []string{"nobody", "", strings.Repeat("x", store.MaxTeam+1), strings.Repeat("x", 1<<16)} {
		snap := mustRead(t, s, team, store.Range{Start: []byte("a")}, everything())
		assert.Zero(t, snap.Head, "head of the absent team %.10q", team)
		assert.Empty(t, snap.Rows[0])
		assert.Empty(t, snap.Rows[1])
	}
	names, err := s.Teams(t.Context(), "", 0)
	require.NoError(t, err)
	assert.Empty(t, names, "reading must not make a team")

	mustCommit(t, s, "team", batch(store.Head{}, 1, "a", "1"))
	snap := mustRead(t, s, "team", store.Range{Start: []byte("b")}, store.Range{Start: []byte{}})
	assert.Empty(t, snap.Rows[0], "absent key")
	assert.Empty(t, snap.Rows[1], "the empty key cannot exist")
}

// testRanges: Start, End, Limit and Reverse select what Range says.
func (b Backend) testRanges(t *testing.T) {
	s := b.one(t)
	mustCommit(t, s, "team", batch(store.Head{}, 1, "a", "1", "b", "2", "ba", "3", "c", "4", "d", "5"))
	key := func(k string) []byte { return []byte(k) }
	for _, c := range []struct {
		name string
		r    store.Range
		want string
	}{
		{"single key", store.Range{Start: key("b")}, "b2"},
		{"single key ignores limit and order", store.Range{Start: key("b"), Limit: 5, Reverse: true}, "b2"},
		{"end is excluded", store.Range{Start: key("a"), End: key("c")}, "a1 b2 ba3"},
		{"start between keys", store.Range{Start: key("aa"), End: key("bb")}, "b2 ba3"},
		{"start equals end", store.Range{Start: key("b"), End: key("b")}, ""},
		{"end below start", store.Range{Start: key("c"), End: key("a")}, ""},
		{"end empty but not nil", store.Range{Start: key("a"), End: key("")}, ""},
		{"nil start", store.Range{End: key("b")}, "a1"},
		{"beyond the last", store.Range{Start: key("e"), End: key("z")}, ""},
		{"limit", store.Range{Start: key("a"), End: key("z"), Limit: 2}, "a1 b2"},
		{"limit above the rows", store.Range{Start: key("a"), End: key("c"), Limit: 9}, "a1 b2 ba3"},
		{"negative limit", store.Range{Start: key("a"), End: key("c"), Limit: -1}, "a1 b2 ba3"},
		{"reverse", store.Range{Start: key("a"), End: key("c"), Reverse: true}, "ba3 b2 a1"},
		{"reverse to the end", store.Range{Start: key("c"), End: key("z"), Reverse: true}, "d5 c4"},
		{"reverse with limit keeps the last", store.Range{Start: key("a"), End: key("d"), Limit: 2, Reverse: true}, "c4 ba3"},
		{"reverse of nothing", store.Range{Start: key("e"), End: key("z"), Reverse: true}, ""},
		{"reverse, end below start", store.Range{Start: key("c"), End: key("a"), Reverse: true}, ""},
		{"everything", everything(), "a1 b2 ba3 c4 d5"},
	} {
		assert.Equal(t, c.want, shown(mustRead(t, s, "team", c.r).Rows[0]), c.name)
	}
	snap := mustRead(t, s, "team", store.Range{Start: key("d")}, everything(), store.Range{Start: key("x")})
	assert.Equal(t, "d5", shown(snap.Rows[0]), "several ranges keep their order")
	assert.Len(t, snap.Rows[1], 5)
	assert.Empty(t, snap.Rows[2])
}

func shown(rows []store.KV) string {
	var words []string
	for _, kv := range rows {
		words = append(words, string(kv.Key)+string(kv.Value))
	}
	return strings.Join(words, " ")
}

// testBinaryKeys: any bytes are a key, in the order of unsigned bytes.
func (b Backend) testBinaryKeys(t *testing.T) {
	s := b.one(t)
	keys := []string{
		"\x00", "\x00\x00", "\x00\x01", "\x00\xff", "\x01", "/", "a", "a\x00", "a\x00b", "aa", "\x7f", "\x80",
		"\xc3\x28", "\xfe\xff", "\xff", "\xff\x00", "\xff\xff", strings.Repeat("\xff", store.MaxKey),
	}
	b1 := store.Batch{Head: store.Head{Rev: 1, Tag: 1}}
	for i := range keys {
		k := keys[(i*7)%len(keys)] // in another order than theirs
		b1.Puts = append(b1.Puts, store.KV{Key: []byte(k), Value: []byte("v" + k)})
	}
	mustCommit(t, s, "team", b1)

	sorted := slices.Sorted(slices.Values(keys))
	require.Equal(t, len(slices.Compact(slices.Clone(sorted))), len(keys))
	rows := mustRead(t, s, "team", everything()).Rows[0]
	require.Len(t, rows, len(keys))
	for i, kv := range rows {
		assert.Equal(t, sorted[i], string(kv.Key))
		assert.Equal(t, "v"+sorted[i], string(kv.Value))
		one := mustRead(t, s, "team", store.Range{Start: kv.Key}).Rows[0]
		require.Len(t, one, 1, "key %q", kv.Key)
	}
	back := mustRead(t, s, "team", store.Range{Start: []byte("\x00\x01"), End: []byte("\xff"), Reverse: true}).Rows[0]
	assert.Equal(t, "\xfe\xff", string(back[0].Key), "reverse below an end of 0xff")
	assert.Equal(t, "\x00\x01", string(back[len(back)-1].Key))
}

// testValues: an empty value is a value, and any bytes are.
func (b Backend) testValues(t *testing.T) {
	s := b.one(t)
	first := batch(store.Head{}, 1)
	first.Puts = []store.KV{
		{Key: []byte("nil")},
		{Key: []byte("empty"), Value: []byte{}},
		{Key: []byte("zero"), Value: []byte{0}},
		{Key: []byte("bytes"), Value: []byte("\x00\xff\xfe\n")},
	}
	head := mustCommit(t, s, "team", first)
	_, got := all(t, s, "team")
	assert.Equal(t, []string{"bytes", "\x00\xff\xfe\n", "empty", "", "nil", "", "zero", "\x00"}, got)

	head = mustCommit(t, s, "team", batch(head, 2, "bytes", "", "empty", "full"))
	assert.Equal(t, "full", string(mustRead(t, s, "team", store.Range{Start: []byte("empty")}).Rows[0][0].Value))
	rows := mustRead(t, s, "team", store.Range{Start: []byte("bytes")}).Rows[0]
	require.Len(t, rows, 1, "a value that became empty is still there")
	assert.Empty(t, rows[0].Value)
	assert.Equal(t, uint64(2), head.Rev)
}

// testBuffers: the caller may reuse what it passed in and keep what it got.
func (b Backend) testBuffers(t *testing.T) {
	s := b.one(t)
	key, value := []byte("key-1"), []byte("value-1")
	first := store.Batch{Head: store.Head{Rev: 1, Tag: 1}, Puts: []store.KV{{Key: key, Value: value}}}
	mustCommit(t, s, "team", first)
	copy(key, "XXXXX")
	copy(value, "XXXXXXX")
	head, got := all(t, s, "team")
	require.Equal(t, []string{"key-1", "value-1"}, got)

	start, end := []byte("a"), []byte("z")
	kept := mustRead(t, s, "team", store.Range{Start: start, End: end}).Rows[0]
	copy(start, "z")
	copy(end, "a")
	for i := range uint64(50) {
		head = mustCommit(t, s, "team", batch(head, i, "key-1", strings.Repeat("y", 100)))
	}
	del := batch(head, 99)
	del.Dels = [][]byte{[]byte("key-1")}
	mustCommit(t, s, "team", del)
	require.NoError(t, s.Close())
	assert.Equal(t, []string{"key-1", "value-1"}, pairs(kept), "what was read stays as it was read")
}
