package blevesearch_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/search"
	"github.com/atmcp/atmcp/search/blevesearch"
)

const team = "crew"

func put(t *testing.T, x search.Index, team string, from, to int) {
	t.Helper()
	for i := from; i <= to; i++ {
		d := search.Doc{ID: fmt.Sprint("doc", i), Title: fmt.Sprint("lease ", i), Body: "the same body", Seq: uint64(i)}
		ops := []search.Op{{Doc: d}}
		if i%3 == 0 { // and an older one goes
			ops = append(ops, search.Op{Delete: true, Doc: search.Doc{ID: fmt.Sprint("doc", i-2)}})
		}
		require.NoError(t, x.Apply(t.Context(), team, ops, search.Position{Epoch: "e", Seq: uint64(i)}))
	}
}

// left returns the ids there are after put to n, the newest first.
func left(n int) []string {
	ids := []string{}
	for i := n; i > 0; i-- {
		if i%3 != 1 || i+2 > n {
			ids = append(ids, fmt.Sprint("doc", i))
		}
	}
	return ids
}

func all(t *testing.T, x search.Index, team string) (ids []string, through search.Position) {
	t.Helper()
	r, err := x.Search(t.Context(), team, search.Query{Limit: 10_000})
	require.NoError(t, err)
	ids = []string{}
	for _, h := range r.Hits {
		ids = append(ids, h.ID)
	}
	return ids, r.Through
}

func TestReopenedIndexKnowsWhatItKnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for n := 40; n <= 120; n += 40 {
		x := open(t, dir)
		at, err := x.Position(t.Context(), team)
		require.NoError(t, err)
		assert.Equal(t, uint64(n-40), at.Seq)
		put(t, x, team, n-39, n)
		require.NoError(t, x.Close())
	}
	x := open(t, dir)
	ids, through := all(t, x, team)
	assert.Equal(t, left(120), ids)
	assert.Equal(t, search.Position{Epoch: "e", Seq: 120}, through)
	require.NoError(t, x.Close())
}

// The files of a team that was closed are checked whole: no bit of those that are in
// use may differ. A segment that was replaced may still lie there.
func TestAnyDamageDropsTheIndexOfThatTeamAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x := open(t, dir)
	put(t, x, team, 1, 60)
	put(t, x, "other", 1, 9)
	require.NoError(t, x.Close())
	made := readAll(t, dir)
	segments := 0
	for name, data := range made {
		if filepath.Dir(name) != "t-"+team {
			continue
		}
		writeAll(t, dir, made)
		require.NoError(t, os.Remove(filepath.Join(dir, name)))
		if !isDropped(t, dir, name+" removed") {
			require.Equal(t, ".zap", filepath.Ext(name))
			continue
		}
		if filepath.Ext(name) == ".zap" {
			segments++
		}
		for what, changed := range map[string][]byte{
			"empty":      {},
			"cut off":    data[:len(data)*2/3],
			"garbage":    bytes.Repeat([]byte("garbage "), len(data)/8+1),
			"first bit":  flipped(data, 0),
			"middle bit": flipped(data, len(data)/2),
			"last bit":   flipped(data, len(data)-1),
		} {
			writeAll(t, dir, made)
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), changed, 0o600))
			assert.True(t, isDropped(t, dir, name+" "+what), "%s: %s", name, what)
		}
	}
	assert.Positive(t, segments)
}

// isDropped opens the directory, and reports whether the team's index was dropped and
// can be built again. The other team's is as it was.
func isDropped(t *testing.T, dir, what string) bool {
	t.Helper()
	var log bytes.Buffer
	x, err := blevesearch.Open(dir, blevesearch.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	defer func() { require.NoError(t, x.Close()) }()
	ids, _ := all(t, x, "other")
	assert.Equal(t, left(9), ids, what)
	ids, through := all(t, x, team)
	if through != (search.Position{}) {
		assert.Equal(t, left(60), ids, what)
		assert.Empty(t, log.String(), what)
		return false
	}
	assert.Empty(t, ids, what)
	assert.Contains(t, log.String(), "built again", what)
	put(t, x, team, 1, 9)
	ids, _ = all(t, x, team)
	assert.Equal(t, left(9), ids, what)
	return true
}

func flipped(data []byte, at int) []byte {
	out := bytes.Clone(data)
	out[at] ^= 1 << (at % 8)
	return out
}

func readAll(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := make(map[string][]byte)
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		require.NoError(t, err)
		files[name], err = os.ReadFile(path)
		return err
	}))
	return files
}

func writeAll(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	require.NoError(t, os.RemoveAll(dir))
	for name, data := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, data, 0o600))
	}
}
