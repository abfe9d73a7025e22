package relevance_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/atmcp/atmcp/search"
	"github.com/atmcp/atmcp/search/blevesearch"
)

const team = "crew"

// engine finds the ids of findings, the best first.
type engine struct {
	name string
	db   *sql.DB // FTS5's
	find func(ctx context.Context, text string, limit int) ([]string, error)
}

func engines(tb testing.TB, corpus []finding) []engine {
	tb.Helper()
	return []engine{ours(tb, corpus), fts5(tb, corpus)}
}

func ours(tb testing.TB, corpus []finding) engine {
	tb.Helper()
	x, err := blevesearch.Open(tb.TempDir(), blevesearch.Options{})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, x.Close()) })
	const step = 500
	for at := 0; at < len(corpus); at += step {
		var ops []search.Op
		for i, f := range corpus[at:min(at+step, len(corpus))] {
			ops = append(ops, search.Op{Doc: search.Doc{ID: f.ID, Title: f.Title, Body: f.Body, Seq: uint64(at + i + 1)}})
		}
		require.NoError(tb, x.Apply(tb.Context(), team, ops, search.Position{Epoch: "e", Seq: uint64(at + len(ops))}))
	}
	return engine{name: "atmcp", find: func(ctx context.Context, text string, limit int) ([]string, error) {
		r, err := x.Search(ctx, team, search.Query{Text: text, Limit: limit})
		ids := make([]string, len(r.Hits))
		for i, hit := range r.Hits {
			ids[i] = hit.ID
		}
		return ids, err
	}}
}

// fts5 is SQLite's full-text index as it is used when it is used well: the porter
// tokenizer, a title that counts twice, BM25, and the same manners as ours: all words
// if some finding has them, else any. Of equal ones it names the lower row first, so
// that the rows are in the order in which ours names equal ones: the newest first.
func fts5(tb testing.TB, corpus []finding) engine {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(tb.TempDir(), "fts.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)")
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	db.SetMaxOpenConns(1)
	exec := func(statement string, args ...any) {
		_, err := db.ExecContext(tb.Context(), statement, args...)
		require.NoError(tb, err)
	}
	exec(`CREATE VIRTUAL TABLE found USING fts5(id UNINDEXED, title, body, tokenize = 'porter unicode61')`)
	exec(`BEGIN`)
	for _, f := range slices.Backward(corpus) {
		exec(`INSERT INTO found VALUES (?, ?, ?)`, f.ID, f.Title, f.Body)
	}
	exec(`COMMIT`)
	exec(`INSERT INTO found(found) VALUES ('optimize')`)
	return asking(tb, db, "FTS5", "id")
}

// asking asks FTS5 for columns of its hits, the id first.
func asking(tb testing.TB, db *sql.DB, name, columns string) engine {
	tb.Helper()
	ask, err := db.PrepareContext(tb.Context(), `SELECT `+columns+` FROM found WHERE found MATCH ? ORDER BY bm25(found, 0, 2, 1) LIMIT ?`)
	require.NoError(tb, err)
	return engine{name: name, db: db, find: func(ctx context.Context, text string, limit int) ([]string, error) {
		words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
		for i, w := range words {
			words[i] = `"` + w + `"`
		}
		for _, operator := range []string{" AND ", " OR "} {
			if ids, err := read(ctx, ask, strings.Join(words, operator), limit); err != nil || len(ids) > 0 {
				return ids, err
			}
		}
		return nil, nil
	}}
}

// withPlaces is FTS5 that also says where in a hit the words were found, as ours does.
func (e engine) withPlaces(tb testing.TB) engine {
	tb.Helper()
	return asking(tb, e.db, "FTS5 with snippets", "id, snippet(found, 2, '[', ']', '…', 24)")
}

func read(ctx context.Context, ask *sql.Stmt, match string, limit int) (ids []string, err error) {
	rows, err := ask.QueryContext(ctx, match, limit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", match, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		row := make([]any, len(columns))
		values := make([]string, len(columns))
		for i := range row {
			row[i] = &values[i]
		}
		if err := rows.Scan(row...); err != nil {
			return nil, err
		}
		ids = append(ids, values[0])
	}
	return ids, rows.Err()
}
