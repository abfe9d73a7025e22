package memstore

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func keysOf(n *node[int]) []string {
	var keys []string
	n.ascend(nil, nil, func(n *node[int]) bool {
		keys = append(keys, string(n.key))
		return true
	})
	return keys
}

// depth fails unless n is ordered by key and a heap by rank.
func depth(t require.TestingT, n *node[int]) int {
	if n == nil {
		return 0
	}
	for _, c := range []*node[int]{n.left, n.right} {
		require.True(t, c == nil || c.rank <= n.rank, "a child outranks its parent")
	}
	require.True(t, n.left == nil || bytes.Compare(n.left.key, n.key) < 0)
	require.True(t, n.right == nil || bytes.Compare(n.right.key, n.key) > 0)
	return 1 + max(depth(t, n.left), depth(t, n.right))
}

func TestOlderTreesNeverChange(t *testing.T) {
	seed := maphash.MakeSeed()
	rapid.Check(t, func(rt *rapid.T) {
		type version struct {
			root *node[int]
			want map[string]int
		}
		versions := []version{{want: map[string]int{}}}
		key := rapid.SliceOfN(rapid.SampledFrom([]byte("abc")), 1, 3)
		for range rapid.IntRange(1, 12).Draw(rt, "edits") {
			last := versions[len(versions)-1]
			e := &edit[int]{seed: seed}
			root, want := last.root, maps.Clone(last.want)
			for i := range rapid.IntRange(1, 8).Draw(rt, "changes") {
				k := key.Draw(rt, "key")
				switch rapid.IntRange(0, 4).Draw(rt, "what") {
				case 0:
					root = e.del(root, k)
					delete(want, string(k))
				case 1:
					end := key.Draw(rt, "end")
					root = e.cut(root, k, end)
					maps.DeleteFunc(want, func(have string, _ int) bool { return have >= string(k) && have < string(end) })
				default:
					root = e.put(root, k, i)
					want[string(k)] = i
				}
			}
			versions = append(versions, version{root, want})
		}
		for _, v := range versions {
			depth(rt, v.root)
			require.Equal(rt, slices.Sorted(maps.Keys(v.want)), keysOf(v.root))
			for k, value := range v.want {
				require.Equal(rt, value, v.root.get([]byte(k)).value)
			}
		}
	})
}

func TestTreeStaysShallowForAscendingKeys(t *testing.T) {
	const n = 1 << 16
	e := &edit[int]{seed: maphash.MakeSeed()}
	var root *node[int]
	for i := range n {
		root = e.put(root, binary.BigEndian.AppendUint32(nil, uint32(i)), i)
	}
	require.Less(t, depth(t, root), 64, "a random tree of 65,536 keys is about 40 deep")
}
