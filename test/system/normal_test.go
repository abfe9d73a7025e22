package system_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// normaliser gives the ids of one history names by the order of their first
// appearance, so that two histories of the same happenings are equal.
type normaliser struct {
	ids, times *regexp.Regexp
	names      map[string]string
}

func newNormaliser() *normaliser {
	return &normaliser{
		ids: regexp.MustCompile(`\b[0-9A-HJKMNP-TV-Z]{26}\b`),
		// A bubble's clock begins with the year 2000. A patch leaves out a time that did
		// not change.
		times: regexp.MustCompile(`,"\w+":94\d{10}|"\w+":94\d{10},?`),
		names: make(map[string]string),
	}
}

func (n *normaliser) text(s string) string {
	s = n.ids.ReplaceAllStringFunc(s, func(id string) string {
		if n.names[id] == "" {
			n.names[id] = fmt.Sprintf("<%d>", len(n.names)+1)
		}
		return n.names[id]
	})
	return n.times.ReplaceAllString(s, "")
}

// normalLog is a log without what differs from run to run: ids, times and hashes.
// Events that the hub itself writes at one moment, such as the lapse of several
// leases, have no order among each other.
func normalLog(t *testing.T, log []atmcp.Event) []string {
	t.Helper()
	n := newNormaliser()
	lines := make([]string, len(log))
	for i, e := range log {
		e.EventID, e.TS, e.Hash = 0, 0, ""
		raw, err := json.Marshal(e)
		require.NoError(t, err)
		lines[i] = n.text(string(raw))
	}
	for i := 0; i < len(log); {
		end := i + 1
		for end < len(log) && together(log[i], log[end]) {
			end++
		}
		slices.Sort(lines[i:end])
		i = end
	}
	return lines
}

func together(a, b atmcp.Event) bool {
	ends := []atmcp.EventKind{
		atmcp.EventTaskRequeued, atmcp.EventTaskFailed, atmcp.EventDirectiveRequeued, atmcp.EventDirectiveFailed,
	}
	return a.TS == b.TS && slices.Contains(ends, a.Kind) && slices.Contains(ends, b.Kind)
}

// requireSameLog reports the first event in which two histories differ.
func requireSameLog(t *testing.T, want, got []string, about string, args ...any) {
	t.Helper()
	for i := range min(len(want), len(got)) {
		require.Equal(t, want[i], got[i], "event %d %s", i+1, fmt.Sprintf(about, args...))
	}
	require.Equal(t, len(want), len(got), "events %s", fmt.Sprintf(about, args...))
}
