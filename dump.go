package atmcp

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"

	"github.com/atmcp/atmcp/internal/keyspace"
	"github.com/atmcp/atmcp/store"
)

// DumpRecord is one record as it is kept, for people who look for what went wrong.
// docs/format.md says what the tables hold.
type DumpRecord struct {
	Team  string `json:"team"`  // its name; "registry" for what the hub keeps of all teams
	Table string `json:"table"` // one character
	// Key is what follows the table, quoted as in Go: numbers are eight bytes, a
	// string ends with \x00\x01.
	Key string `json:"key"`
	// Value is the record; null where the key says all. What is not JSON stands
	// quoted as in Go.
	Value json.RawMessage `json:"value"`
}

// dumpRows is how many records are read at one moment.
const dumpRows = 256

// Dump calls fn with every record of a team, or with those of the registry and of all
// teams where the name is empty, and ends with fn's first error. Records come in the
// order of their keys, a page at a time: what is written meanwhile may be in it or
// not. Tokens are not kept and so not shown, nor is the secret that seals handles.
func (h *Hub) Dump(ctx context.Context, team string, fn func(DumpRecord) error) error {
	if team != "" {
		t, err := h.Team(ctx, team)
		if err != nil {
			return err
		}
		return t.state.dump(ctx, fn)
	}
	if err := h.registry().dump(ctx, fn); err != nil {
		return err
	}
	for after := ""; ; {
		list, err := h.Teams(ctx, after, 0)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, info := range list {
			if err := newTeamState(h, info.TeamID, info.Name).dump(ctx, fn); err != nil {
				return err
			}
			after = info.Name
		}
	}
}

func (s *teamState) dump(ctx context.Context, fn func(DumpRecord) error) error {
	start, end := keyspace.Key(nil).Prefix()
	for {
		rows, err := view(ctx, s, func(t *teamTx) ([]store.KV, error) {
			var rows []store.KV
			for k, v := range t.tx.Scan(store.Range{Start: start, End: end, Limit: dumpRows}) {
				rows = append(rows, store.KV{Key: k, Value: v})
			}
			return rows, nil
		})
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			if s.id == registryID && bytes.Equal(row.Key, keyMint) {
				continue
			}
			if err := fn(s.dumped(row)); err != nil {
				return err
			}
		}
		start = append(bytes.Clone(rows[len(rows)-1].Key), 0)
	}
}

func (s *teamState) dumped(row store.KV) DumpRecord {
	r := DumpRecord{
		Team: s.teamName(), Table: string(rune(row.Key[0])), Key: strconv.QuoteToASCII(string(row.Key[1:])),
		Value: json.RawMessage("null"),
	}
	value := row.Value
	if len(value) > 0 && value[0] == recordVersion {
		value = value[1:]
	}
	switch {
	case len(value) == 0:
	case json.Valid(value):
		r.Value = value
	default:
		r.Value, _ = json.Marshal(strconv.QuoteToASCII(string(value))) // ASCII always encodes
	}
	return r
}
