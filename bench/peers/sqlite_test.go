package peers_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"
)

const schema = `
CREATE TABLE ready (seq INTEGER PRIMARY KEY, task TEXT NOT NULL, state BLOB NOT NULL);
CREATE TABLE state (task TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE lease (task TEXT PRIMARY KEY, lease BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE counters (id INTEGER PRIMARY KEY, counters BLOB NOT NULL);
CREATE TABLE event (seq INTEGER PRIMARY KEY, event BLOB NOT NULL);`

// claimSQL holds the statements of a claim, prepared.
type claimSQL struct {
	db                                                               *sql.DB
	first, state, counters, unready, ready, set, lease, count, event *sql.Stmt
}

// overSQLite claims in an SQLite file in WAL mode. It has one connection, which is
// its best case: with several, writers wait for each other by polling.
func overSQLite(b *testing.B, synchronous string) claimer {
	b.Helper()
	dsn := fmt.Sprintf("file:%s?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(%s)",
		filepath.Join(b.TempDir(), "peer.db"), synchronous)
	db, err := sql.Open("sqlite", dsn)
	require.NoError(b, err)
	db.SetMaxOpenConns(1)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	_, err = db.ExecContext(b.Context(), schema)
	require.NoError(b, err)
	plant(b, db)

	prepare := func(query string) *sql.Stmt {
		s, err := db.PrepareContext(b.Context(), query)
		require.NoError(b, err)
		return s
	}
	c := &claimSQL{
		db:       db,
		first:    prepare(`SELECT seq, task FROM ready ORDER BY seq LIMIT 1`),
		state:    prepare(`SELECT state FROM state WHERE task = ?`),
		counters: prepare(`SELECT counters FROM counters WHERE id = 1`),
		unready:  prepare(`DELETE FROM ready WHERE seq = ?`),
		event:    prepare(`INSERT INTO event (event) VALUES (?)`),
		ready:    prepare(`INSERT INTO ready (seq, task, state) VALUES (?, ?, ?)`),
		set:      prepare(`UPDATE state SET state = ? WHERE task = ?`),
		lease:    prepare(`INSERT OR REPLACE INTO lease (task, lease) VALUES (?, ?)`),
		count:    prepare(`UPDATE counters SET counters = ? WHERE id = 1`),
	}
	return func() error { return c.claim(b.Context()) }
}

func plant(b *testing.B, db *sql.DB) {
	b.Helper()
	tx, err := db.BeginTx(b.Context(), nil)
	require.NoError(b, err)
	exec := func(query string, args ...any) {
		_, err := tx.ExecContext(b.Context(), query, args...)
		require.NoError(b, err)
	}
	for i := range tasks {
		task := fmt.Sprintf("task-%04d", i)
		exec(`INSERT INTO event (event) VALUES (?)`, make([]byte, eventBytes))
		exec(`INSERT INTO ready VALUES (last_insert_rowid(), ?, ?)`, task, make([]byte, stateBytes))
		exec(`INSERT INTO state VALUES (?, ?)`, task, make([]byte, stateBytes))
	}
	exec(`INSERT INTO counters VALUES (1, ?)`, make([]byte, countsBytes))
	require.NoError(b, tx.Commit())
}

func (c *claimSQL) claim(ctx context.Context) error {
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit

	var (
		seq             int64
		task            string
		state, counters []byte
	)
	if err := tx.StmtContext(ctx, c.first).QueryRowContext(ctx).Scan(&seq, &task); err != nil {
		return err
	}
	if err := tx.StmtContext(ctx, c.state).QueryRowContext(ctx, task).Scan(&state); err != nil {
		return err
	}
	if err := tx.StmtContext(ctx, c.counters).QueryRowContext(ctx).Scan(&counters); err != nil {
		return err
	}
	event, err := tx.StmtContext(ctx, c.event).ExecContext(ctx, make([]byte, eventBytes))
	if err != nil {
		return err
	}
	next, err := event.LastInsertId()
	if err != nil {
		return err
	}
	for _, step := range []struct {
		stmt *sql.Stmt
		args []any
	}{
		{c.unready, []any{seq}},
		{c.ready, []any{next, task, state}},
		{c.set, []any{state, task}},
		{c.lease, []any{task, make([]byte, leaseBytes)}},
		{c.count, []any{counters}},
	} {
		if _, err := tx.StmtContext(ctx, step.stmt).ExecContext(ctx, step.args...); err != nil {
			return err
		}
	}
	return tx.Commit()
}
