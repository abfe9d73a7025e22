package relevance_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// finding is a paragraph of the corpus.
type finding struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Body  string `json:"body"`
}

func eachLine(tb testing.TB, name string, fn func(line string)) {
	tb.Helper()
	file, err := os.Open(filepath.Join("testdata", name))
	require.NoError(tb, err)
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if line := lines.Text(); line != "" && line[0] != '#' {
			fn(line)
		}
	}
	require.NoError(tb, lines.Err())
}

func readCorpus(tb testing.TB) []finding {
	tb.Helper()
	var corpus []finding
	eachLine(tb, "corpus.jsonl", func(line string) {
		var f finding
		require.NoError(tb, json.Unmarshal([]byte(line), &f))
		corpus = append(corpus, f)
	})
	return corpus
}

// query is what somebody asks for, and the findings that answer it: with a grade
// from 0 to 3 where they were judged, one with the grade 1 where it is known.
type query struct {
	id, kind, text string
	grades         map[string]int
}

// readJudged reads the judged queries.
func readJudged(tb testing.TB) []query {
	tb.Helper()
	var queries []query
	at := make(map[string]int)
	eachLine(tb, "queries.tsv", func(line string) {
		field := strings.Split(line, "\t")
		require.Len(tb, field, 3, line)
		at[field[0]] = len(queries)
		queries = append(queries, query{id: field[0], kind: field[1], text: field[2], grades: make(map[string]int)})
	})
	if _, err := os.Stat(filepath.Join("testdata", "qrels.txt")); err != nil {
		return queries
	}
	eachLine(tb, "qrels.txt", func(line string) {
		field := strings.Fields(line) // query, 0, finding, grade: the format of TREC
		require.Len(tb, field, 4, line)
		grade, err := strconv.Atoi(field[3])
		require.NoError(tb, err, line)
		queries[at[field[0]]].grades[field[2]] = grade
	})
	return queries
}
