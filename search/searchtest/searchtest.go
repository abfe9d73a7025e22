// Package searchtest holds the promises of package search as tests.
//
// A backend passes them with one call:
//
//	searchtest.Run(t, func(t *testing.T) search.Index { return scansearch.New() })
package searchtest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/search"
)

// Factory makes a fresh, empty index. The suite closes it.
type Factory func(t *testing.T) search.Index

// Feature is what an index may know beyond the contract. One that says it does is
// held to it.
type Feature string

// The features.
const (
	Inflections Feature = "inflections" // of English words
	Typos       Feature = "typos"       // of a letter or two
	Spellings   Feature = "spellings"   // of identifiers: max_open, MaxOpen
	Fillers     Feature = "fillers"     // words that say little, and need not be there
)

// promise is a test by name.
type promise struct {
	name string
	test func(*testing.T, bench)
}

// Run holds the index to all promises, each in a subtest of its own, and to those
// of the features that it has.
func Run(t *testing.T, factory Factory, has ...Feature) {
	t.Helper()
	promises := common()
	for _, feature := range has {
		promises = append(promises, promise{"Knows/" + string(feature), knows()[feature]})
	}
	for _, p := range promises {
		t.Run(p.name, func(t *testing.T) {
			x := factory(t)
			defer func() { require.NoError(t, x.Close()) }()
			p.test(t, bench{x})
		})
	}
}

func knows() map[Feature]func(*testing.T, bench) {
	return map[Feature]func(*testing.T, bench){
		Inflections: testInflections,
		Typos:       testTypos,
		Spellings:   testSpellings,
		Fillers:     testFillers,
	}
}

func common() []promise {
	return []promise{
		// apply.go
		{"UnknownTeamIsEmpty", testUnknown},
		{"AppliedDocIsFoundAtOnce", testApplied},
		{"LaterDocReplacesItsID", testReplaced},
		{"DeletedDocIsGoneAndCanComeBack", testDeleted},
		{"PositionMovesWithTheDocs", testPosition},
		{"OlderPositionIsAReplay", testReplay},
		{"OtherEpochBeginsAnew", testEpoch},
		{"ResetForgetsTheTeam", testReset},
		{"TeamsAreApart", testTeams},
		{"ScoresDoNotDependOnOtherTeams", testTeamStatistics},
		{"HistoryOfChangesDoesNotShow", testHistory},
		{"DoneContextChangesNothing", testContext},
		{"ConcurrentUseIsSafe", testConcurrent},
		{"ClosedIndexRefuses", testClose},
		// match.go
		{"AllWordsBeforeAny", testRelaxed},
		{"BlankTextIsTheNewestFirst", testBlank},
		{"TextWithoutWordsMatchesNothing", testWordless},
		{"ConditionsHoldBeforeTheLimit", testFilters},
		{"PagesFollowEachOther", testPages},
		{"WordsMatchWhateverTheirCase", testCase},
		{"IdentifiersAreFoundWholeAndInPart", testIdentifiers},
		{"ScriptsWithoutSpacesAreFoundInPart", testDense},
		{"LastWordMayBeABeginning", testPrefix},
		{"TagsAreSearchedToo", testTagText},
		{"SpansShowWhereTheTextWasFound", testSpans},
		// rank.go
		{"TitleBeatsBody", testTitle},
		{"ExactBeatsPart", testExact},
		{"WordBeatsBeginning", testWhole},
		{"RareWordBeatsCommonOne", testRare},
		{"MoreOfTheWordsBeatFewer", testMore},
		{"DenseTextBeatsDilutedText", testDiluted},
		{"TiesGoToTheNewerThenTheMoreConfirmed", testTies},
		{"WhatIsOutdatedComesLast", testOutdated},
		// hostile.go
		{"NoTextIsAnErrorOrSlow", testHostile},
		{"NoTextIsAQueryLanguage", testNoLanguage},
		{"LongTextIsCut", testCut},
		{"AnyDocCanBeApplied", testHostileDocs},
	}
}

const team = "team"

// bench is the index under test, with the calls that tests make most.
type bench struct{ search.Index }

// doc makes a document with nothing but text.
func doc(id, title, body string, tags ...string) search.Doc {
	return search.Doc{ID: id, Title: title, Body: body, Tags: tags}
}

// put applies documents to the team, numbered from one if they have no numbers.
func (b bench) put(t *testing.T, docs ...search.Doc) {
	t.Helper()
	b.putInto(t, team, docs...)
}

func (b bench) putInto(t *testing.T, team string, docs ...search.Doc) {
	t.Helper()
	ops := make([]search.Op, 0, len(docs))
	for i, d := range docs {
		if d.Seq == 0 {
			d.Seq = uint64(i + 1)
		}
		ops = append(ops, search.Op{Doc: d})
	}
	require.NoError(t, b.Apply(t.Context(), team, ops, search.Position{}))
}

func (b bench) drop(t *testing.T, ids ...string) {
	t.Helper()
	var ops []search.Op
	for _, id := range ids {
		ops = append(ops, search.Op{Delete: true, Doc: search.Doc{ID: id}})
	}
	require.NoError(t, b.Apply(t.Context(), team, ops, search.Position{}))
}

func (b bench) ask(t *testing.T, q search.Query) search.Result {
	t.Helper()
	r, err := b.Search(t.Context(), team, q)
	require.NoError(t, err)
	return r
}

// find returns the ids of the hits, the best first.
func (b bench) find(t *testing.T, text string) []string {
	t.Helper()
	return ids(b.ask(t, search.Query{Text: text}))
}

func (b bench) position(t *testing.T) search.Position {
	t.Helper()
	p, err := b.Position(t.Context(), team)
	require.NoError(t, err)
	return p
}

func ids(r search.Result) []string {
	out := []string{}
	for _, h := range r.Hits {
		out = append(out, h.ID)
	}
	return out
}
