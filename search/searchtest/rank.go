package searchtest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/atmcp/atmcp/search"
)

// noise fills the index with documents that have none of the words in question, so
// that rarity means something.
func (b bench) noise(t *testing.T) {
	t.Helper()
	var docs []search.Doc
	for i := range 20 {
		docs = append(docs, doc(fmt.Sprintf("noise%d", i), fmt.Sprintf("matter %d", i), "some other text of no interest"))
	}
	b.put(t, docs...)
}

// first checks that the winner comes before the others, whichever is newer.
func (b bench) first(t *testing.T, text string, winner search.Doc, others ...search.Doc) {
	t.Helper()
	for _, winnerSeq := range []uint64{1, 1000} {
		winner.Seq = winnerSeq
		for i := range others {
			others[i].Seq = uint64(100 + i)
		}
		b.put(t, winner)
		b.put(t, others...)
		found := b.find(t, text)
		if assert.NotEmpty(t, found, text) {
			assert.Equal(t, winner.ID, found[0], "%q, %q by %d", text, found, winnerSeq)
		}
		assert.Len(t, found, 1+len(others), text)
	}
}

func testTitle(t *testing.T, b bench) {
	b.noise(t)
	b.first(t, "lease",
		doc("title", "lease renewal rules", "how workers keep what they hold"),
		doc("body", "renewal rules apply", "how workers keep the lease held"))
}

func testExact(t *testing.T, b bench) {
	b.noise(t)
	b.first(t, "token",
		doc("exact", "", "a token here stands alone"),
		doc("part", "", "a fencing_token here stands alone"))
	b.first(t, "ReadFile",
		doc("whole", "", "use ReadFile with care today"),
		doc("apart", "", "read that file with care"))
}

func testWhole(t *testing.T, b bench) {
	b.noise(t)
	b.first(t, "claim",
		doc("word", "", "the claim was lost again"),
		doc("longer1", "", "the claims were lost again"),
		doc("longer2", "", "the claimant was lost again"))
}

func testRare(t *testing.T, b bench) {
	b.noise(t)
	b.put(t, doc("rare", "", "a zebra crosses the road"), doc("common", "", "an interest crosses the road"))
	r := b.ask(t, search.Query{Text: "zebra interest"})
	assert.True(t, r.Relaxed)
	assert.Equal(t, "rare", ids(r)[0])
}

func testMore(t *testing.T, b bench) {
	b.noise(t)
	b.first(t, "alpha beta gamma delta",
		doc("three", "", "alpha beta gamma and others"),
		doc("two", "", "alpha beta and many others"),
		doc("one", "", "alpha and so many others"))
}

func testDiluted(t *testing.T, b bench) {
	b.noise(t)
	b.first(t, "quota",
		doc("short", "", "the quota is full"),
		doc("long", "", "the quota is full "+strings.Repeat("and much more is said about it ", 40)))
}

func testTies(t *testing.T, b bench) {
	made := func(id string, seq uint64, contributors int) search.Doc {
		d := doc(id, "lease", "the same text")
		d.Seq, d.Contributors = seq, contributors
		return d
	}
	b.put(t, made("c", 5, 9), made("a", 7, 1), made("d", 5, 2), made("b", 6, 1), made("e", 1, 99))
	for _, text := range []string{"lease", "same text", ""} {
		assert.Equal(t, []string{"a", "b", "c", "d", "e"}, b.find(t, text), text)
	}
}

// What is outdated is found, and comes last however well it matches.
func testOutdated(t *testing.T, b bench) {
	now := time.UnixMilli(1_800_000_000_000)
	made := func(id, title string, change func(*search.Doc)) search.Doc {
		d := doc(id, title, "about the lease")
		change(&d)
		return d
	}
	b.put(t,
		made("superseded", "lease lease", func(d *search.Doc) { d.Superseded, d.Seq = true, 9 }),
		made("expired", "lease", func(d *search.Doc) { d.ValidUntil, d.Seq = now.Add(-time.Millisecond), 8 }),
		made("ends now", "", func(d *search.Doc) { d.ValidUntil, d.Seq = now, 3 }),
		made("holds", "", func(d *search.Doc) { d.ValidUntil, d.Seq = now.Add(time.Hour), 2 }),
		made("plain", "", func(d *search.Doc) { d.Seq = 1 }))
	for _, text := range []string{"lease", ""} {
		q := search.Query{Text: text, Now: now}
		whole := b.ask(t, q)
		assert.Equal(t, 5, whole.Total)
		assert.Equal(t, []string{"ends now", "holds", "plain", "superseded", "expired"}, ids(whole), text)
		q.Offset, q.Limit = 2, 2
		assert.Equal(t, []string{"plain", "superseded"}, ids(b.ask(t, q)), "before the limit")
		q = search.Query{Text: text, Now: now.Add(2 * time.Hour)}
		assert.Equal(t, "plain", ids(b.ask(t, q))[0], "time passes without an Apply")
	}
	b.put(t, doc("superseded", "lease lease", "about the lease"))
	assert.Equal(t, "superseded", ids(b.ask(t, search.Query{Text: "lease", Now: now}))[0], "it holds again")
}
