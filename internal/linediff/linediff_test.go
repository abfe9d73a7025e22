package linediff_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atmcp/atmcp/internal/linediff"
)

// shown is a hunk as diff -u prints it.
func shown(hunks []linediff.Hunk) string {
	var b strings.Builder
	for _, h := range hunks {
		fmt.Fprintf(&b, "@@ -%d,%d +%d,%d @@\n", h.FromLine, h.FromLines, h.ToLine, h.ToLines)
		for _, line := range h.Lines {
			b.WriteString(string(line.Op) + line.Text + "\n")
		}
	}
	return b.String()
}

func lines(text string) []string { return strings.Fields(text) }

func TestAHunkHasThreeLinesAroundAChange(t *testing.T) {
	t.Parallel()
	got := linediff.Diff(lines("1 2 3 4 5 6 7 8 9 10 11 12 13"), lines("1 2 3 4 five 6 7 8 9 10 11 12 13 14"))
	assert.Equal(t, "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -11,3 +11,4 @@\n 11\n 12\n 13\n+14\n", shown(got))
	near := linediff.Diff(lines("a 1 2 3 4 5 6 b"), lines("x 1 2 3 4 5 6 y"))
	assert.Len(t, near, 1, "what is so near is one hunk")
	far := linediff.Diff(lines("a 1 2 3 4 5 6 7 b"), lines("x 1 2 3 4 5 6 7 y"))
	assert.Len(t, far, 2)
}

func TestEqualTextsHaveNoHunk(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []linediff.Hunk{}, linediff.Diff(lines("a b"), lines("a b")))
	assert.Empty(t, linediff.Diff(nil, nil))
	assert.Equal(t, "@@ -1,0 +1,2 @@\n+a\n+b\n", shown(linediff.Diff(nil, lines("a b"))))
	assert.Equal(t, "@@ -1,1 +1,0 @@\n-a\n", shown(linediff.Diff(lines("a"), nil)))
}

func TestTextsThatHaveLittleInCommonAreReplacedWhole(t *testing.T) {
	t.Parallel()
	a, b := make([]string, 3000), make([]string, 3000)
	for i := range a {
		a[i], b[i] = fmt.Sprint("a", i), fmt.Sprint("b", i)
	}
	a[1500], b[1500] = "same", "same"
	got := linediff.Diff(a, b)
	require.Len(t, got, 1)
	assert.Len(t, got[0].Lines, 6000)
}

// Any two texts: the hunks turn one into the other, and change no more lines than the
// longest common part leaves.
func TestHunksTurnOneTextIntoTheOther(t *testing.T) {
	t.Parallel()
	text := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", ""}), 0, 30)
	rapid.Check(t, func(t *rapid.T) {
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		changes := 0
		at := 0 // lines of a that are taken
		var made []string
		for _, h := range linediff.Diff(a, b) {
			made = append(made, a[at:h.FromLine-1]...)
			at = h.FromLine - 1
			require.Equal(t, h.ToLine-1, len(made))
			for _, line := range h.Lines {
				if line.Op != linediff.Added {
					require.Equal(t, a[at], line.Text)
					at++
				}
				if line.Op != linediff.Removed {
					made = append(made, line.Text)
				}
				if line.Op != linediff.Same {
					changes++
				}
			}
			require.Equal(t, h.FromLine-1+h.FromLines, at)
			require.Equal(t, h.ToLine-1+h.ToLines, len(made))
		}
		made = append(made, a[at:]...)
		require.Equal(t, append([]string{}, b...), append([]string{}, made...))
		require.Equal(t, len(a)+len(b)-2*common(a, b), changes)
	})
}

// common is the length of the longest common subsequence, the plain way.
func common(a, b []string) int {
	best := make([][]int, len(a)+1)
	for i := range best {
		best[i] = make([]int, len(b)+1)
	}
	for i := range a {
		for j := range b {
			if best[i+1][j+1] = max(best[i][j+1], best[i+1][j]); a[i] == b[j] {
				best[i+1][j+1] = max(best[i+1][j+1], best[i][j]+1)
			}
		}
	}
	return best[len(a)][len(b)]
}
