package relevance_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

var poolTo = flag.String("pool", "", "write what is to be judged to this file: the first 20 hits of either engine")

// poolDepth is how many hits of an engine are judged.
const poolDepth = 20

// TestPool writes the pools. A judge sees neither which engine found what nor where:
// findings are in the order of the corpus.
func TestPool(t *testing.T) {
	if *poolTo == "" {
		return
	}
	corpus := readCorpus(t)
	text := make(map[string]finding)
	for _, f := range corpus {
		text[f.ID] = f
	}
	file, err := os.Create(*poolTo)
	require.NoError(t, err)
	out := bufio.NewWriter(file)
	both := engines(t, corpus)
	for _, q := range readJudged(t) {
		pool := make(map[string]bool)
		for _, e := range both {
			ids, err := e.find(context.WithoutCancel(t.Context()), q.text, poolDepth)
			require.NoError(t, err)
			for _, id := range ids {
				if _, judged := q.grades[id]; !judged {
					pool[id] = true
				}
			}
		}
		fmt.Fprintf(out, "\n## %s %s: %s\n", q.id, q.kind, q.text)
		for _, id := range slices.Sorted(maps.Keys(pool)) {
			fmt.Fprintf(out, "%s %s | %s\n", id, text[id].Title, text[id].Body)
		}
	}
	require.NoError(t, out.Flush())
	require.NoError(t, file.Close())
}
