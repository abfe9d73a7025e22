package atmcp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"strings"

	"github.com/atmcp/atmcp/internal/linediff"
)

// MemoryDiffRequest names two versions of a register.
type MemoryDiffRequest struct {
	Key string `json:"key"`
	// From is the older one; nil is the one before To, and 0 that there was none.
	From *uint64 `json:"from,omitempty"`
	To   uint64  `json:"to,omitempty"` // 0 is the newest
}

// DiffHunk is a place where two versions differ: FromLines of the older one from FromLine
// on, counted from 1, became ToLines of the newer one from ToLine on. Lines has them in
// order, with up to three on either side that did not change: the Text of each, and its
// Op, " ", "-" or "+".
type DiffHunk = linediff.Hunk

// VersionInfo is who wrote a version, and when.
type VersionInfo struct {
	Version   uint64  `json:"version"`
	Writer    AgentID `json:"writer,omitempty"`
	UpdatedAt int64   `json:"updated_at,omitempty"`
}

// MemoryDiff is how one version of a register became another, by lines. A value that is a
// string is its text; any other is JSON with a member on each line, by name.
type MemoryDiff struct {
	Key     string      `json:"key"`
	From    VersionInfo `json:"from"`
	To      VersionInfo `json:"to"`
	Equal   bool        `json:"equal"`
	Added   int         `json:"added"` // lines
	Removed int         `json:"removed"`
	Hunks   []DiffHunk  `json:"hunks"`
}

// MemoryDiff compares two versions of a register. Refusals: [CodeUnknownKey], and
// [CodeInvalid] for a version that is not kept.
func (t *Team) MemoryDiff(ctx context.Context, req MemoryDiffRequest) (MemoryDiff, error) {
	if err := checkMemoryKey(req.Key); err != nil {
		return MemoryDiff{}, err
	}
	type versions struct{ from, to registerRecord }
	v, err := view(ctx, t.state, func(tx *teamTx) (v versions, err error) {
		newest, ok := load[registerRecord](tx, keyRegister(req.Key))
		if !ok {
			return v, refuse(CodeUnknownKey, "get_memory without a key lists the keys there are")
		}
		to := cmp.Or(req.To, newest.Version)
		from := to - 1
		if req.From != nil {
			from = *req.From
		}
		if v.to, ok = load[registerRecord](tx, keyHistory(req.Key).Uint(to)); !ok {
			return v, invalid("to", "is version %d, which is not kept", to)
		}
		if from == 0 {
			return v, nil
		}
		if v.from, ok = load[registerRecord](tx, keyHistory(req.Key).Uint(from)); !ok {
			return v, invalid("from", "is version %d, which is not kept", from)
		}
		return v, nil
	})
	if err != nil {
		return MemoryDiff{}, err
	}
	d := MemoryDiff{Key: req.Key, From: v.from.info(), To: v.to.info(), Hunks: linediff.Diff(linesOf(v.from.Value), linesOf(v.to.Value))}
	for _, h := range d.Hunks {
		for _, line := range h.Lines {
			d.Added += oneIf(line.Op == linediff.Added)
			d.Removed += oneIf(line.Op == linediff.Removed)
		}
	}
	d.Equal = len(d.Hunks) == 0
	return d, nil
}

func (r registerRecord) info() VersionInfo { return VersionInfo{r.Version, r.Writer, r.UpdatedAt} }

// linesOf lays a value out for people. Values are stored with their names sorted.
func linesOf(value json.RawMessage) []string {
	if len(value) == 0 {
		return nil
	}
	var text string
	if json.Unmarshal(value, &text) == nil && value[0] == '"' {
		return strings.Split(text, "\n")
	}
	var b bytes.Buffer
	if err := json.Indent(&b, value, "", "  "); err != nil {
		return []string{string(value)}
	}
	return strings.Split(b.String(), "\n")
}
