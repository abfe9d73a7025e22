package keyspace_test

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/internal/keyspace"
	"github.com/atmcp/atmcp/store"
)

// Strings that look like ends and escapes, in their order.
var nasty = []string{
	"", "\x00", "\x00\x00", "\x00\x01", "\x00\xff", "\x01", "\x01\x00", "a", "a\x00", "a\x00\x00", "a\x00\x01",
	"a\x00\xff", "a\x01", "aa", "b", "\xff", "\xff\x00", "\xff\xff",
}

func TestKeysSortAsTheirElements(t *testing.T) {
	t.Parallel()
	require.True(t, slices.IsSorted(nasty))
	uints := []uint64{0, 1, 255, 256, 1 << 53, math.MaxInt64, math.MaxUint64}
	descs := []int64{math.MaxInt64, 1 << 53, 1, 0, -1, math.MinInt64}
	var keys []keyspace.Key
	for _, table := range []byte{0, 'e', 't', 0xFF} {
		for _, s := range nasty {
			for _, u := range uints {
				for _, d := range descs {
					keys = append(keys, keyspace.Table(table).Str(s).Uint(u).Desc(d))
				}
			}
		}
	}
	for i, k := range keys[1:] {
		require.Negative(t, bytes.Compare(keys[i], k), "%x is not below %x", keys[i], k)
	}
}

func TestKeyReadsBackAsItWasBuilt(t *testing.T) {
	t.Parallel()
	for _, s := range nasty {
		k := keyspace.Table('r').Str(s).Desc(-5).Str(s + "x").Uint(math.MaxUint64).Str(s)
		r := keyspace.Parse(k)
		assert.Equal(t, s, r.Str())
		assert.Equal(t, int64(-5), r.Desc())
		assert.Equal(t, s+"x", r.Str())
		assert.False(t, r.Done())
		assert.Equal(t, uint64(math.MaxUint64), r.Uint())
		assert.Equal(t, s, r.Str())
		assert.True(t, r.Done(), "%q: %v", s, r.Err())
		assert.Equal(t, byte('r'), r.Table())
	}
}

func TestMalformedKeyIsAnErrorOnce(t *testing.T) {
	t.Parallel()
	for name, key := range map[string][]byte{
		"empty":           nil,
		"table only":      {'t'},
		"no end":          {'t', 'a'},
		"cut in an end":   {'t', 'a', 0},
		"unknown escape":  {'t', 'a', 0, 2},
		"escape, no end":  {'t', 'a', 0, 0xFF},
		"element missing": {'t', 'a', 0, 1, 0, 0, 0, 0, 0, 0, 0},
	} {
		r := keyspace.Parse(key)
		s, u := r.Str(), r.Uint()
		require.ErrorIs(t, r.Err(), keyspace.ErrMalformed, name)
		assert.Zero(t, u, name)
		assert.Zero(t, r.Desc(), name)
		assert.Empty(t, r.Str(), name)
		assert.False(t, r.Done(), name)
		assert.LessOrEqual(t, len(s), 1, name)
	}
}

func TestKeysGrownFromOnePrefixAreApart(t *testing.T) {
	t.Parallel()
	prefix := append(keyspace.Table('t').Str("x"), "spare room"...)[:4]
	a := prefix.Str("a")
	b := prefix.Str("b").Uint(1)
	c := prefix.Desc(7)
	assert.Equal(t, keyspace.Table('t').Str("x").Str("a"), a)
	assert.Equal(t, keyspace.Table('t').Str("x").Str("b").Uint(1), b)
	assert.Equal(t, keyspace.Table('t').Str("x").Desc(7), c)
	end := keyspace.After(prefix)
	assert.NotEqual(t, prefix, end)
	assert.Equal(t, keyspace.Table('t').Str("x"), prefix)
}

func TestRangeHoldsWhatExtendsItsKeyAndNothingElse(t *testing.T) {
	t.Parallel()
	in := func(r store.Range, k keyspace.Key) bool {
		return bytes.Compare(r.Start, k) <= 0 && bytes.Compare(k, r.End) < 0
	}
	for _, prefix := range nasty {
		r := keyspace.Range(keyspace.Table('m').Str(prefix), 7)
		assert.Equal(t, 7, r.Limit)
		assert.True(t, in(r, keyspace.Table('m').Str(prefix)))
		for _, s := range nasty {
			assert.True(t, in(r, keyspace.Table('m').Str(prefix).Str(s)))
			assert.Equal(t, s == prefix, in(r, keyspace.Table('m').Str(s).Uint(math.MaxUint64)), "%q in %q", s, prefix)
			assert.False(t, in(r, keyspace.Table('n').Str(s)))
		}
	}
}

func TestRangeOfTheHighestKeysIsBounded(t *testing.T) {
	t.Parallel()
	top := keyspace.Table(0xFF).Uint(math.MaxUint64)
	start, end := top.Prefix()
	assert.Equal(t, []byte(top), start)
	longest := keyspace.Key(bytes.Repeat([]byte{0xFF}, store.MaxKey))
	assert.Negative(t, bytes.Compare(longest, end))

	start, end = keyspace.Key(nil).Prefix()
	assert.Empty(t, start)
	assert.Negative(t, bytes.Compare(longest, end))
}

func TestPagesFollowEachOtherWithoutGapOrOverlap(t *testing.T) {
	t.Parallel()
	prefix := keyspace.Table('k')
	keys := make([]keyspace.Key, 0, len(nasty))
	for _, s := range nasty {
		keys = append(keys, prefix.Str(s))
	}
	var got []keyspace.Key
	for after := keyspace.Key(nil); ; after = got[len(got)-1] {
		r := keyspace.RangeFrom(prefix, after, 4)
		page := 0
		for _, k := range keys {
			if page < r.Limit && bytes.Compare(k, r.Start) >= 0 && bytes.Compare(k, r.End) < 0 {
				got = append(got, k)
				page++
			}
		}
		if page == 0 {
			break
		}
	}
	assert.Equal(t, keys, got)
}

func TestPageNeverLeavesItsPrefix(t *testing.T) {
	t.Parallel()
	prefix := keyspace.Table('k').Str("m")
	start, end := prefix.Prefix()
	before := keyspace.RangeFrom(prefix, keyspace.Table('a').Str("zzz"), 0)
	assert.Equal(t, start, before.Start)
	assert.Equal(t, end, before.End)
	behind := keyspace.RangeFrom(prefix, keyspace.Table('z'), 0)
	assert.Positive(t, bytes.Compare(behind.Start, behind.End), "selects nothing")

	skipped := keyspace.RangeFrom(keyspace.Table('k'), prefix, 0)
	assert.Negative(t, bytes.Compare(prefix.Str(strings.Repeat("\xff", 40)), skipped.Start))
	assert.GreaterOrEqual(t, bytes.Compare(keyspace.Table('k').Str("m\x00"), skipped.Start), 0)
}

func FuzzTuplesKeepTheirOrderAndForgeNoPrefix(f *testing.F) {
	for i, s := range nasty {
		f.Add(s, uint64(i), int64(-i), nasty[len(nasty)-1-i], uint64(1)<<i, int64(i))
	}
	f.Fuzz(func(t *testing.T, s1 string, u1 uint64, d1 int64, s2 string, u2 uint64, d2 int64) {
		k1 := keyspace.Table('t').Str(s1).Uint(u1).Desc(d1)
		k2 := keyspace.Table('t').Str(s2).Uint(u2).Desc(d2)
		want := cmp.Or(cmp.Compare(s1, s2), cmp.Compare(u1, u2), -cmp.Compare(d1, d2))
		assert.Equal(t, want, bytes.Compare(k1, k2))

		r := keyspace.Parse(k1)
		assert.Equal(t, s1, r.Str())
		assert.Equal(t, u1, r.Uint())
		assert.Equal(t, d1, r.Desc())
		assert.True(t, r.Done())

		p := keyspace.Table('t').Str(s1)
		assert.Equal(t, s1 == s2, bytes.HasPrefix(k2, p), "a prefix was forged")
	})
}

func FuzzParseOfAnyBytesIsAnErrorOrTheKey(f *testing.F) {
	f.Add([]byte(keyspace.Table('t').Str("a\x00b").Uint(7)))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, key []byte) {
		r := keyspace.Parse(key)
		s, u := r.Str(), r.Uint()
		if r.Done() {
			assert.Equal(t, keyspace.Key(key), keyspace.Table(r.Table()).Str(s).Uint(u))
		}
	})
}

func BenchmarkKey(b *testing.B) {
	b.ReportAllocs()
	table := keyspace.Table('h')
	for b.Loop() {
		_ = table.Str("01JD8Q3V7Z0000000000000000").Uint(42)
	}
}
