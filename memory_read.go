package atmcp

import (
	"context"
	"strconv"
	"strings"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// GetMemoryRequest names a register.
type GetMemoryRequest struct {
	Key string `json:"key"`
}

// GetMemoryResult is a register; where there is none only Found and Key are set.
type GetMemoryResult struct {
	Found bool   `json:"found"`
	Key   string `json:"key"`
	Register
}

// GetMemory reads one register. That there is none is not a refusal.
func (t *Team) GetMemory(ctx context.Context, req GetMemoryRequest) (GetMemoryResult, error) {
	if err := checkMemoryKey(req.Key); err != nil {
		return GetMemoryResult{}, err
	}
	return view(ctx, t.state, func(tx *teamTx) (GetMemoryResult, error) {
		r, ok := load[registerRecord](tx, keyRegister(req.Key))
		return GetMemoryResult{Found: ok, Key: req.Key, Register: r.public()}, nil
	})
}

// GetMemory is [Team.GetMemory].
func (a *Agent) GetMemory(ctx context.Context, req GetMemoryRequest) (GetMemoryResult, error) {
	a.alive(ctx)
	return a.Team.GetMemory(ctx, req)
}

// ListMemoryRequest pages through the registers.
type ListMemoryRequest struct {
	Listing
	Prefix string `json:"prefix,omitempty"` // only keys that begin so
	// Limit is 0 for all that fit into a page, as in the original.
	Limit int `json:"limit,omitempty"`
}

// ListMemoryResult has registers by key; their JSON is sorted by key.
type ListMemoryResult struct {
	Keys       map[string]Register `json:"keys"`
	Count      int                 `json:"count"`
	NextCursor string              `json:"next_cursor,omitempty"`
}

// ListMemory reads the registers in the order of their keys.
func (t *Team) ListMemory(ctx context.Context, req ListMemoryRequest) (ListMemoryResult, error) {
	if len(req.Prefix) > maxMemoryKey {
		return ListMemoryResult{}, invalid("prefix", "has %d bytes, at most %d are allowed", len(req.Prefix), maxMemoryKey)
	}
	if len(req.Cursor) > maxMemoryKey {
		return ListMemoryResult{}, invalid("cursor", badCursor)
	}
	r := keyspace.Range(keyspace.Table(tableMemory), 0)
	r.Start = keyRegister(req.Prefix) // a prefix sorts before what begins with it
	if req.Cursor >= req.Prefix && req.Cursor != "" {
		r.Start = keyspace.After(keyRegister(req.Cursor))
	}
	return view(ctx, t.state, func(tx *teamTx) (ListMemoryResult, error) {
		res := ListMemoryResult{Keys: map[string]Register{}}
		page := newPage(req.Listing, clampLimit(req.Limit, tx.counts().Registers, tx.counts().Registers))
		last := ""
		for k, rec := range scan[registerRecord](tx, r) {
			key := keyspace.Parse(k).Str()
			if !strings.HasPrefix(key, req.Prefix) {
				break
			}
			row := rec.public()
			if !page.take(row, row.Brief()) {
				res.NextCursor = last
				break
			}
			res.Keys[key], last = row, key
		}
		res.Count = len(res.Keys)
		return res, nil
	})
}

// ListMemory is [Team.ListMemory].
func (a *Agent) ListMemory(ctx context.Context, req ListMemoryRequest) (ListMemoryResult, error) {
	a.alive(ctx)
	return a.Team.ListMemory(ctx, req)
}

// MemoryHistoryRequest pages through the versions of a register.
type MemoryHistoryRequest struct {
	Listing
	Key   string `json:"key"`
	Limit int    `json:"limit,omitempty"` // 20 by default, 100 at most
}

// MemoryHistoryResult has versions, the newest first; the last 100 are kept.
type MemoryHistoryResult struct {
	Key        string     `json:"key"`
	Count      int        `json:"count"`
	Versions   []Register `json:"versions"`
	NextCursor string     `json:"next_cursor,omitempty"`
}

// MemoryHistory reads who wrote what into a register. A register that was never
// written is the refusal [CodeUnknownKey].
func (t *Team) MemoryHistory(ctx context.Context, req MemoryHistoryRequest) (MemoryHistoryResult, error) {
	if err := checkMemoryKey(req.Key); err != nil {
		return MemoryHistoryResult{}, err
	}
	before, err := numberCursor(req.Cursor)
	if err != nil {
		return MemoryHistoryResult{}, err
	}
	r := keyspace.Range(keyHistory(req.Key), 0)
	r.Reverse = true
	if before > 0 {
		r.End = keyHistory(req.Key).Uint(before)
	}
	return view(ctx, t.state, func(tx *teamTx) (MemoryHistoryResult, error) {
		if !tx.has(keyRegister(req.Key)) {
			return MemoryHistoryResult{}, refuse(CodeUnknownKey, "get_memory without a key lists the keys there are")
		}
		res := MemoryHistoryResult{Key: req.Key, Versions: []Register{}}
		page := newPage(req.Listing, clampLimit(req.Limit, 20, maxHistory))
		for _, rec := range scan[registerRecord](tx, r) {
			row := rec.public()
			if !page.take(row, row.Brief()) {
				res.NextCursor = strconv.FormatUint(res.Versions[len(res.Versions)-1].Version, 10)
				break
			}
			res.Versions = append(res.Versions, row)
		}
		res.Count = len(res.Versions)
		return res, nil
	})
}

// MemoryHistory is [Team.MemoryHistory].
func (a *Agent) MemoryHistory(ctx context.Context, req MemoryHistoryRequest) (MemoryHistoryResult, error) {
	a.alive(ctx)
	return a.Team.MemoryHistory(ctx, req)
}
