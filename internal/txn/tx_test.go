package txn_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atmcp/atmcp/internal/txn"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/memstore"
)

// model is what a team should be, and how to ask it.
type model map[string]string

func (m model) scan(r store.Range) []string {
	var rows []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if k >= string(r.Start) && k < string(r.End) {
			rows = append(rows, k+"="+m[k])
		}
	}
	if r.Reverse {
		slices.Reverse(rows)
	}
	if r.Limit > 0 && len(rows) > r.Limit {
		rows = rows[:r.Limit]
	}
	return rows
}

func scan(tx *txn.Tx, r store.Range) []string {
	var rows []string
	for k, v := range tx.Scan(r) {
		rows = append(rows, string(k)+"="+string(v))
	}
	return rows
}

// Keys have few letters, so that everything meets everything.
func keys() *rapid.Generator[string] { return rapid.StringMatching(`[a-c]{1,3}`) }

func values() *rapid.Generator[string] { return rapid.StringMatching(`[0-9]{0,2}`) }

func ranges() *rapid.Generator[store.Range] {
	return rapid.Custom(func(t *rapid.T) store.Range {
		return store.Range{
			Start:   []byte(rapid.StringMatching(`[a-c]{0,2}`).Draw(t, "start")),
			End:     []byte(rapid.StringMatching(`[a-d]{1,2}`).Draw(t, "end")),
			Limit:   rapid.IntRange(-1, 4).Draw(t, "limit"),
			Reverse: rapid.Bool().Draw(t, "reverse"),
		}
	})
}

var errRollBack = errors.New("roll back")

func TestTxIsTheTeamWithItsOwnWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := memstore.New()
		d := txn.Open(s, txn.Options{CacheBytes: rapid.SampledFrom([]int64{-1, 1000, 0}).Draw(t, "cache")})
		defer func() { require.NoError(t, d.Close()) }()
		committed := model{}
		for range rapid.IntRange(1, 8).Draw(t, "closures") {
			m := maps.Clone(committed)
			_, err := d.Update(t.Context(), team, func(tx *txn.Tx) error { return play(t, tx, m) })
			var panicked *txn.PanicError
			switch {
			case err == nil:
				committed = m
			case errors.As(err, &panicked):
				panic(panicked.Value) // rapid's way to end an attempt
			default:
				require.ErrorIs(t, err, errRollBack)
			}
			require.NoError(t, d.View(t.Context(), team, 0, func(tx *txn.Tx) error {
				r := ranges().Draw(t, "range")
				assert.Equal(t, committed.scan(r), scan(tx, r), "scan %+v in a View", r)
				return nil
			}))
		}
	})
}

// play does random things to a Tx and a model, and compares them.
func play(t *rapid.T, tx *txn.Tx, m model) error {
	type savepoint struct {
		mark txn.Mark
		was  model
		seq  uint64
	}
	var saved []savepoint
	for range rapid.IntRange(0, 25).Draw(t, "steps") {
		switch rapid.SampledFrom([]string{"put", "put", "delete", "get", "scan", "scan", "load", "walk", "seq", "mark", "undo"}).Draw(t, "step") {
		case "put":
			k, v := keys().Draw(t, "key"), values().Draw(t, "value")
			key := []byte(k)
			tx.Put(key, []byte(v))
			key[0] = '?' // the key was copied
			m[k] = v
		case "delete":
			k := keys().Draw(t, "key")
			tx.Delete([]byte(k))
			delete(m, k)
		case "get":
			k := keys().Draw(t, "key")
			v, ok := tx.Get([]byte(k))
			want, there := m[k]
			require.Equal(t, there, ok, "get %q", k)
			require.Equal(t, want, string(v), "get %q", k)
		case "scan":
			r := ranges().Draw(t, "range")
			require.Equal(t, m.scan(r), scan(tx, r), "scan %+v", r)
		case "load":
			tx.Load(ranges().Draw(t, "range"), store.Range{Start: []byte(keys().Draw(t, "key"))})
		case "walk":
			walk(t, tx, m)
		case "seq":
			last := tx.Seq()
			require.Equal(t, last+1, tx.NextSeq())
			require.Equal(t, last+1, tx.Seq())
		case "mark":
			saved = append(saved, savepoint{tx.Mark(), maps.Clone(m), tx.Seq()})
		case "undo":
			if len(saved) == 0 {
				continue
			}
			i := rapid.IntRange(0, len(saved)-1).Draw(t, "mark")
			tx.Undo(saved[i].mark)
			clear(m)
			maps.Copy(m, saved[i].was)
			require.Equal(t, saved[i].seq, tx.Seq())
			saved = saved[:i]
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "fails") == 0 {
		return errRollBack
	}
	return nil
}

// walk changes what it iterates over: it deletes or renames every row that it
// meets, and adds rows ahead of itself.
func walk(t *rapid.T, tx *txn.Tx, m model) {
	r := ranges().Draw(t, "range")
	r.Limit = 0
	met := ""
	for k, v := range tx.Scan(r) {
		key := string(k)
		if met != "" {
			require.Equal(t, r.Reverse, key < met, "after %q came %q", met, key)
		}
		met = key
		require.Equal(t, m[key], string(v))
		switch rapid.IntRange(0, 3).Draw(t, "change") {
		case 0:
			tx.Delete(k)
			delete(m, key)
		case 1:
			tx.Put(k, []byte("x"))
			m[key] = "x"
		case 2:
			other := keys().Draw(t, "other")
			tx.Put([]byte(other), []byte("y"))
			m[other] = "y"
		}
	}
}

func TestScanReadsLongRangesPageByPage(t *testing.T) {
	s := memstore.New()
	d := open(t, s, txn.Options{})
	want := model{}
	for c := range 10 {
		_, err := d.Update(t.Context(), team, func(tx *txn.Tx) error {
			for i := range 100 {
				k := string([]byte{'k', byte(c), byte(i)})
				tx.Put([]byte(k), []byte{byte(i)})
				want[k] = string([]byte{byte(i)})
			}
			return nil
		})
		require.NoError(t, err)
	}
	for _, reverse := range []bool{false, true} {
		r := store.Range{Start: []byte("k"), End: []byte("l"), Reverse: reverse}
		_, err := d.Update(t.Context(), team, func(tx *txn.Tx) error {
			require.Equal(t, want.scan(r), scan(tx, r))
			return nil
		})
		require.NoError(t, err)
	}
}

func TestSeqsAreDenseWhateverFails(t *testing.T) {
	d := open(t, memstore.New(), txn.Options{})
	for i := range 20 {
		head, err := d.Update(t.Context(), team, func(tx *txn.Tx) error {
			before := tx.Mark()
			tx.NextSeq()
			tx.Undo(before)
			tx.NextSeq()
			if i%2 == 1 {
				return errRollBack
			}
			return nil
		})
		if i%2 == 0 {
			require.NoError(t, err)
			require.Equal(t, uint64(i/2+1), head.Seq)
		}
	}
}

func TestWhatAClosureMayNotDoFailsItAlone(t *testing.T) {
	long := make([]byte, store.MaxKey+1)
	tests := map[string]struct {
		fn   func(*txn.Tx)
		want error
		text string
	}{
		"empty key":      {func(tx *txn.Tx) { tx.Put(nil, nil) }, store.ErrRejected, "key of 0 bytes"},
		"long key":       {func(tx *txn.Tx) { tx.Delete(long) }, store.ErrRejected, "key of 1281 bytes"},
		"large value":    {func(tx *txn.Tx) { tx.Put([]byte("a"), make([]byte, store.MaxValue+1)) }, store.ErrRejected, "value of"},
		"ring key":       {func(tx *txn.Tx) { tx.Put([]byte("z1"), nil) }, nil, "'z'"},
		"future mark":    {func(tx *txn.Tx) { m := tx.Mark(); tx.Put([]byte("a"), nil); n := tx.Mark(); tx.Undo(m); tx.Undo(n) }, nil, "another closure"},
		"too many keys":  {func(tx *txn.Tx) { putMany(tx, store.MaxBatchKeys) }, store.ErrRejected, "130 keys"},
		"too many bytes": {func(tx *txn.Tx) { putLarge(tx, 5) }, store.ErrRejected, "bytes"},
		"swallowed":      {func(tx *txn.Tx) { defer func() { _ = recover() }(); tx.Put(nil, nil) }, store.ErrRejected, "key of 0 bytes"},
	}
	d := open(t, memstore.New(), txn.Options{})
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := d.Update(t.Context(), team, func(tx *txn.Tx) error {
				tx.Put([]byte("trace"), nil)
				test.fn(tx)
				return nil
			})
			require.ErrorContains(t, err, test.text)
			if test.want != nil {
				require.ErrorIs(t, err, test.want)
			}
			assert.Equal(t, "-", get(t, d, "trace"))
		})
	}
}

func putMany(tx *txn.Tx, n int) {
	for i := range n {
		tx.Put([]byte{'m', byte(i >> 8), byte(i)}, nil)
	}
}

func putLarge(tx *txn.Tx, n int) {
	for i := range n {
		tx.Put([]byte{'l', byte(i)}, make([]byte, store.MaxValue))
	}
}

func TestWritingInAViewIsAnError(t *testing.T) {
	d := open(t, memstore.New(), txn.Options{})
	tests := map[string]func(*txn.Tx){
		"Put":     func(tx *txn.Tx) { tx.Put([]byte("a"), nil) },
		"Delete":  func(tx *txn.Tx) { tx.Delete([]byte("a")) },
		"NextSeq": func(tx *txn.Tx) { tx.NextSeq() },
		"Note":    func(tx *txn.Tx) { tx.Note(1) },
	}
	for name, fn := range tests {
		err := d.View(t.Context(), team, 0, func(tx *txn.Tx) error {
			fn(tx)
			return nil
		})
		assert.EqualError(t, err, "txn: "+name+" in a View")
	}
}

func TestTxOutlivesItsClosureForNothing(t *testing.T) {
	d := open(t, memstore.New(), txn.Options{})
	var kept *txn.Tx
	_, err := d.Update(t.Context(), team, func(tx *txn.Tx) error { kept = tx; return nil })
	require.NoError(t, err)
	assert.PanicsWithError(t, "txn: Tx used after its closure returned", func() { kept.Get([]byte("a")) })
}
