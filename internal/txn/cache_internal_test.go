package txn

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atmcp/atmcp/store"
)

// requireSound checks that the cache's books agree with its contents.
func requireSound(t require.TestingT, c *cache) {
	var sum int64
	n := 0
	for e := c.lru.next; e != &c.lru; e = e.next {
		require.Same(t, e, e.next.prev)
		sum += e.size()
		n++
	}
	held := 0
	for _, s := range c.teams {
		held += 1 + len(s.entries)
	}
	require.Equal(t, sum, c.bytes)
	require.Equal(t, held, n)
	require.LessOrEqual(t, c.bytes, c.limit)
}

func TestCacheIsBoundedAndNeverWrong(t *testing.T) {
	teams := []string{"a", "b", "c"}
	rapid.Check(t, func(t *rapid.T) {
		keep := func(key []byte) bool { return key[0] > 'b' }
		c := newCache(int64(rapid.IntRange(0, 3000).Draw(t, "limit")), keep)
		heads := make(map[string]store.Head)
		truth := make(map[string]map[string]point)
		for _, team := range teams {
			truth[team] = make(map[string]point)
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			team := rapid.SampledFrom(teams).Draw(t, "team")
			key := rapid.StringMatching(`[a-d]`).Draw(t, "key")
			old := heads[team]
			next := store.Head{Rev: old.Rev + 1, Tag: old.Tag + 7}
			value := point{value: bytes.Repeat([]byte{byte(next.Rev)}, rapid.IntRange(0, 900).Draw(t, "size")), ok: true}
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0: // an own commit
				c.advance(team, store.Batch{Base: old, Head: next, Puts: []store.KV{{Key: []byte(key), Value: value.value}}})
				truth[team][key], heads[team] = value, next
			case 1: // an own delete
				c.advance(team, store.Batch{Base: old, Head: next, Dels: [][]byte{[]byte(key)}})
				truth[team][key], heads[team] = point{}, next
			case 2: // somebody else's commit, noticed or not
				truth[team][key], heads[team] = value, next
				switch rapid.IntRange(0, 2).Draw(t, "noticed") {
				case 0:
					c.moved(team, next)
				case 1:
					c.drop(team)
				}
			case 3: // a read
				c.settle(team, old)
				c.put(team, old, key, truth[team][key])
			case 4: // a read of long ago
				c.put(team, store.Head{Rev: 1000}, key, point{value: []byte("wrong"), ok: true})
			}
			if p, ok := c.get(team, heads[team], []byte(key)); ok {
				require.Equal(t, truth[team][key], p)
			}
			requireSound(t, c)
		}
	})
}

func TestCacheEvictsWhatWasNotUsedForLongest(t *testing.T) {
	c := newCache(5*entryBytes+100, func([]byte) bool { return false })
	head := store.Head{Rev: 1}
	c.settle("t", head)
	for _, key := range []string{"a", "b", "c"} {
		c.put("t", head, key, point{ok: true})
	}
	c.get("t", head, []byte("a"))
	c.put("t", head, "d", point{ok: true})
	c.settle("t", head)
	c.put("t", head, "e", point{ok: true})
	_, a := c.get("t", head, []byte("a"))
	_, b := c.get("t", head, []byte("b"))
	assert.True(t, a)
	assert.False(t, b)
}

func TestCacheTakesInFromACommitWhatWasReadAndWhatIsToBeKept(t *testing.T) {
	c := newCache(1<<20, func(key []byte) bool { return string(key) == "kept" })
	c.settle("t", store.Head{})
	c.put("t", store.Head{}, "read", point{})
	next := store.Head{Rev: 1}
	c.advance("t", store.Batch{Head: next, Puts: []store.KV{
		{Key: []byte("kept"), Value: []byte("1")}, {Key: []byte("other"), Value: []byte("2")}, {Key: []byte("read"), Value: []byte("3")},
	}})
	for key, in := range map[string]bool{"kept": true, "read": true, "other": false} {
		_, ok := c.get("t", next, []byte(key))
		assert.Equal(t, in, ok, key)
	}
}
