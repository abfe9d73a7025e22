package searchtest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/search"
)

func testUnknown(t *testing.T, b bench) {
	assert.Zero(t, b.position(t))
	r := b.ask(t, search.Query{Text: "anything"})
	assert.Empty(t, r.Hits)
	assert.Zero(t, r.Total)
	assert.False(t, r.Relaxed)
	assert.Empty(t, b.find(t, ""))
	b.drop(t, "nothing")
}

func testApplied(t *testing.T, b bench) {
	for i := range 50 {
		id := fmt.Sprintf("doc%d", i)
		b.put(t, doc(id, "finding "+id, "words"))
		assert.Equal(t, []string{id}, b.find(t, id))
	}
}

func testReplaced(t *testing.T, b bench) {
	b.put(t, doc("a", "lease", "old text", "red"))
	b.put(t, doc("a", "token", "new text", "blue"))
	assert.Empty(t, b.find(t, "lease"))
	assert.Empty(t, b.find(t, "red"))
	assert.Equal(t, []string{"a"}, b.find(t, "token"))
	assert.Equal(t, 1, b.ask(t, search.Query{Text: "text"}).Total)

	d := doc("a", "token", "new text", "blue")
	d.Author, d.Contributors, d.Seq = "bob", 3, 9
	b.put(t, d)
	assert.Len(t, b.ask(t, search.Query{Text: "token", Author: "bob", SinceSeq: 8}).Hits, 1)
	assert.Empty(t, b.ask(t, search.Query{Text: "token", SinceSeq: 9}).Hits)
}

func testDeleted(t *testing.T, b bench) {
	b.put(t, doc("a", "lease", "one"), doc("b", "lease", "two"))
	b.drop(t, "a", "unknown")
	assert.Equal(t, []string{"b"}, b.find(t, "lease"))
	assert.Equal(t, []string{"b"}, b.find(t, ""))
	b.drop(t, "a")
	b.put(t, doc("a", "lease", "one"))
	assert.ElementsMatch(t, []string{"a", "b"}, b.find(t, "lease"))

	in := search.Op{Doc: doc("c", "thrice", "")}
	out := search.Op{Delete: true, Doc: search.Doc{ID: "c"}}
	require.NoError(t, b.Apply(t.Context(), team, []search.Op{in, out, in}, search.Position{}))
	assert.Equal(t, []string{"c"}, b.find(t, "thrice"), "changes apply in their order")
	require.NoError(t, b.Apply(t.Context(), team, []search.Op{out, in, out}, search.Position{}))
	assert.Empty(t, b.find(t, "thrice"))
}

func (b bench) applyAt(t *testing.T, at search.Position, docs ...search.Doc) {
	t.Helper()
	ops := make([]search.Op, 0, len(docs))
	for _, d := range docs {
		ops = append(ops, search.Op{Doc: d})
	}
	require.NoError(t, b.Apply(t.Context(), team, ops, at))
}

func testPosition(t *testing.T, b bench) {
	for _, at := range []search.Position{{Epoch: "e", Seq: 3}, {Epoch: "e", Seq: 7}, {Epoch: "e", Seq: 1 << 52}} {
		b.applyAt(t, at, doc("a", "lease", ""))
		assert.Equal(t, at, b.position(t))
		assert.Equal(t, at, b.ask(t, search.Query{Text: "lease"}).Through)
	}
	b.applyAt(t, search.Position{Epoch: "e", Seq: 1<<52 + 1})
	assert.Equal(t, search.Position{Epoch: "e", Seq: 1<<52 + 1}, b.position(t), "moves without documents too")
}

func testReplay(t *testing.T, b bench) {
	b.applyAt(t, search.Position{Epoch: "e", Seq: 5}, doc("a", "newest", ""))
	b.applyAt(t, search.Position{Epoch: "e", Seq: 4}, doc("a", "stale", ""))
	assert.Equal(t, search.Position{Epoch: "e", Seq: 5}, b.position(t))
	assert.Equal(t, []string{"a"}, b.find(t, "newest"))
	assert.Empty(t, b.find(t, "stale"))
	// A rebuild applies many batches at one position.
	b.applyAt(t, search.Position{Epoch: "e", Seq: 5}, doc("b", "second", ""))
	assert.Equal(t, []string{"b"}, b.find(t, "second"))
}

func testEpoch(t *testing.T, b bench) {
	b.applyAt(t, search.Position{Epoch: "old", Seq: 50}, doc("a", "lease", ""), doc("b", "lease", ""))
	b.applyAt(t, search.Position{Epoch: "new", Seq: 2}, doc("c", "lease", ""))
	assert.Equal(t, search.Position{Epoch: "new", Seq: 2}, b.position(t))
	assert.Equal(t, []string{"c"}, b.find(t, "lease"))
}

func testReset(t *testing.T, b bench) {
	require.NoError(t, b.Reset(t.Context(), team), "an unknown team can be reset")
	b.applyAt(t, search.Position{Epoch: "e", Seq: 5}, doc("a", "lease", ""))
	b.putInto(t, "other", doc("a", "lease", ""))
	require.NoError(t, b.Reset(t.Context(), team))
	assert.Zero(t, b.position(t))
	assert.Empty(t, b.find(t, "lease"))
	b.applyAt(t, search.Position{Epoch: "e", Seq: 1}, doc("b", "lease", ""))
	assert.Equal(t, []string{"b"}, b.find(t, "lease"))
	r, err := b.Search(t.Context(), "other", search.Query{Text: "lease"})
	require.NoError(t, err)
	assert.Equal(t, []string{"a"}, ids(r))
}

func testTeams(t *testing.T, b bench) {
	names := []string{"t", "te", "team", "team2", "TEAM", "team/x", "..", "tëam"}
	for _, name := range names {
		b.putInto(t, name, doc("same", "lease of everybody", "only in "+name), doc("own "+name, "lease", ""))
	}
	for _, name := range names {
		r, err := b.Search(t.Context(), name, search.Query{Text: "lease"})
		require.NoError(t, err)
		assert.ElementsMatch(t, []string{"same", "own " + name}, ids(r), name)
		assert.Equal(t, 2, r.Total, name)
	}
}

func testTeamStatistics(t *testing.T, b bench) {
	b.put(t, doc("a", "lease", "text"), doc("b", "token", "more text"))
	before := b.ask(t, search.Query{Text: "lease text"})
	for i := range 50 {
		b.putInto(t, "other", doc(fmt.Sprint(i), "lease lease", "text of another length altogether"))
	}
	assert.Equal(t, before, b.ask(t, search.Query{Text: "lease text"}), "scores tell of another team")
}

// An index that was changed a lot answers as one that was built of what is left.
func testHistory(t *testing.T, b bench) {
	const n = uint64(60)
	made := func(i uint64, generation int) search.Doc {
		d := doc(fmt.Sprintf("d%02d", i), fmt.Sprintf("title%d lease", i%7), fmt.Sprintf("word%d body %d", i%5, generation))
		d.Seq = i + 1
		return d
	}
	final := []search.Doc{}
	for i := range n {
		b.put(t, made(i, 1))
	}
	for i := range n {
		switch i % 3 {
		case 0:
			b.drop(t, made(i, 0).ID)
		case 1:
			b.put(t, made(i, 2))
			final = append(final, made(i, 2))
		default:
			final = append(final, made(i, 1))
		}
	}
	b.putInto(t, "fresh", final...)
	for _, text := range []string{"", "lease", "title3 lease", "word2 body", "word2 title1 missing", "2", "word"} {
		q := search.Query{Text: text, Limit: int(n)}
		want, err := b.Search(t.Context(), "fresh", q)
		require.NoError(t, err)
		got := b.ask(t, q)
		assert.Equal(t, want.Total, got.Total, text)
		assert.Equal(t, ids(want), ids(got), text)
	}
}

func testContext(t *testing.T, b bench) {
	b.put(t, doc("a", "lease", ""))
	done, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, b.Apply(done, team, []search.Op{{Doc: doc("b", "lease", "")}}, search.Position{}), context.Canceled)
	require.ErrorIs(t, b.Reset(done, team), context.Canceled)
	_, err := b.Position(done, team)
	require.ErrorIs(t, err, context.Canceled)
	_, err = b.Search(done, team, search.Query{Text: "lease"})
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, []string{"a"}, b.find(t, "lease"))
}

// Each worker writes its own documents and always sees its own last write.
func testConcurrent(t *testing.T, b bench) {
	ctx := t.Context()
	var group sync.WaitGroup
	for w := range 6 {
		group.Go(func() {
			for i := range 20 {
				own := fmt.Sprintf("worker%d", w)
				text := fmt.Sprintf("%s shared step%d", own, i)
				d := search.Doc{ID: own, Title: text, Seq: uint64(i)}
				assert.NoError(t, b.Apply(ctx, team, []search.Op{{Doc: d}}, search.Position{}))
				r, err := b.Search(ctx, team, search.Query{Text: text})
				assert.NoError(t, err)
				assert.Equal(t, []string{own}, ids(r))
				_, err = b.Position(ctx, team)
				assert.NoError(t, err)
				assert.NoError(t, b.Reset(ctx, own))
			}
		})
	}
	group.Wait()
	assert.Equal(t, 6, b.ask(t, search.Query{Text: "shared"}).Total)
}

func testClose(t *testing.T, b bench) {
	ctx := t.Context()
	b.put(t, doc("a", "lease", ""))
	require.NoError(t, b.Close())
	require.NoError(t, b.Close())
	require.ErrorIs(t, b.Apply(ctx, team, nil, search.Position{}), search.ErrClosed)
	require.ErrorIs(t, b.Reset(ctx, team), search.ErrClosed)
	_, err := b.Position(ctx, team)
	require.ErrorIs(t, err, search.ErrClosed)
	r, err := b.Search(ctx, team, search.Query{})
	require.ErrorIs(t, err, search.ErrClosed)
	assert.Empty(t, r.Hits)
}
