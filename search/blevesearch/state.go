package blevesearch

import (
	"encoding/json"
	"fmt"
	"hash/crc32"

	"github.com/atmcp/atmcp/search"
)

// format is the version of what is in the files: of the analysis, of the fields and
// of the state. Files of another format are built anew. Raise it with every change
// to any of these.
const format = 2

// state is what is known of a team's documents as a whole. It is written with them
// in one step.
type state struct {
	Format  int             `json:"format"`
	Team    string          `json:"team"`
	Through search.Position `json:"through"`
	Docs    int             `json:"docs"` // so that lost documents are noticed
}

func stateKey() []byte { return []byte("state") }

// encode returns the state behind its checksum.
func (s state) encode() ([]byte, error) {
	data, err := json.Marshal(s)
	return fmt.Appendf(nil, "%08x%s", crc32.ChecksumIEEE(data), data), err
}

func decodeState(raw []byte) (s state, err error) {
	const sum = 8
	if len(raw) < sum || fmt.Sprintf("%08x", crc32.ChecksumIEEE(raw[sum:])) != string(raw[:sum]) {
		return s, damaged("the position is not as it was written")
	}
	if err := json.Unmarshal(raw[sum:], &s); err != nil {
		return s, damageError{err}
	}
	return s, nil
}
