package boltstore

import (
	"encoding/binary"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/atmcp/atmcp/store"
)

// format is the version of the file's layout, kept in the bucket meta. It
// changes when an older program could no longer read the file.
const format = "1"

// fill is how full a page is left when it is split. Half of the rows are
// appended in order within their table (events, output, versions), the others
// fall anywhere. On such a mix 0.7 makes the file a ninth smaller than bbolt's
// 0.5 for the same number of writes a commit; above 0.8 the writes grow.
const fill = 0.7

var errNoFormat = errors.New("empty file")

// The names of the buckets: meta has the format, heads a head for each team,
// rows the keys of all teams.
func metaName() []byte  { return []byte("meta") }
func headsName() []byte { return []byte("heads") }
func rowsName() []byte  { return []byte("rows") }
func formatKey() []byte { return []byte("format") }

// checkFormat returns errNoFormat for a file without any bucket.
func checkFormat(tx *bolt.Tx) error {
	meta := tx.Bucket(metaName())
	if meta == nil {
		if first, _ := tx.Cursor().First(); first != nil {
			return fmt.Errorf("a bbolt file of another program (it has a bucket %q)", first)
		}
		return errNoFormat
	}
	switch got := string(meta.Get(formatKey())); {
	case got != format:
		return fmt.Errorf("file format %q, this program reads %q", got, format)
	case tx.Bucket(headsName()) == nil || tx.Bucket(rowsName()) == nil:
		return errors.New("a bucket is missing")
	default:
		return nil
	}
}

func makeFormat(tx *bolt.Tx) error {
	meta, err := tx.CreateBucket(metaName())
	if err != nil {
		return err
	}
	if err := meta.Put(formatKey(), []byte(format)); err != nil {
		return err
	}
	if _, err := tx.CreateBucket(headsName()); err != nil {
		return err
	}
	_, err = tx.CreateBucket(rowsName())
	return err
}

// rowsOf returns the bucket of all rows, to be written to.
func rowsOf(tx *bolt.Tx) *bolt.Bucket {
	rows := tx.Bucket(rowsName())
	rows.FillPercent = fill // bbolt does not keep it
	return rows
}

// prefix is what the keys of a team begin with. Its first byte is the length of
// the name, so that no prefix is the beginning of another one. A name that is
// too long has no rows, and the prefix says so.
func prefix(team string) (p []byte, ok bool) {
	if len(team) == 0 || len(team) > store.MaxTeam {
		return nil, false
	}
	return append([]byte{byte(len(team))}, team...), true //nolint:gosec // at most 255
}

// join returns prefix and key in one slice of its own.
func join(prefix, key []byte) []byte {
	out := make([]byte, 0, len(prefix)+len(key))
	return append(append(out, prefix...), key...)
}

// headOf returns the team's head, which is zero if there is none.
func headOf(tx *bolt.Tx, team string) (store.Head, error) {
	v := tx.Bucket(headsName()).Get([]byte(team))
	switch len(v) {
	case 0:
		return store.Head{}, nil
	case 24:
		return store.Head{
			Rev: binary.BigEndian.Uint64(v),
			Seq: binary.BigEndian.Uint64(v[8:]),
			Tag: binary.BigEndian.Uint64(v[16:]),
		}, nil
	default:
		return store.Head{}, fmt.Errorf("head of team %q has %d bytes", team, len(v))
	}
}

func putHead(tx *bolt.Tx, team string, h store.Head) error {
	v := make([]byte, 0, 24)
	v = binary.BigEndian.AppendUint64(v, h.Rev)
	v = binary.BigEndian.AppendUint64(v, h.Seq)
	v = binary.BigEndian.AppendUint64(v, h.Tag)
	return tx.Bucket(headsName()).Put([]byte(team), v)
}
