package atmcp_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

func setMemory(t *testing.T, a *atmcp.Agent, key, value string) atmcp.SetMemoryResult {
	t.Helper()
	res, err := a.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: key, Value: json.RawMessage(value)})
	require.NoError(t, err)
	return res
}

func TestLastWriterOfARegisterWins(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	alice, bob := join(t, team, "alice"), join(t, team, "bob")
	first := setMemory(t, alice, "branch", `"main"`)
	assert.Equal(t, atmcp.SetMemoryResult{Key: "branch", Version: 1, LClock: 1}, first)
	setMemory(t, alice, "other", `1`)
	second := setMemory(t, bob, "branch", `"dev"`)
	assert.Equal(t, atmcp.SetMemoryResult{Key: "branch", Version: 2, LClock: 3}, second)

	got, err := alice.GetMemory(t.Context(), atmcp.GetMemoryRequest{Key: "branch"})
	require.NoError(t, err)
	assert.True(t, got.Found)
	assert.JSONEq(t, `"dev"`, string(got.Value))
	assert.Equal(t, bob.AgentID(), got.Writer)
	assert.Equal(t, uint64(2), got.Version)
	assert.Equal(t, uint64(3), got.LClock)
	assert.Positive(t, got.UpdatedAt)
}

func TestRegisterThatIsNotThereIsNotFound(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	got, err := team.GetMemory(t.Context(), atmcp.GetMemoryRequest{Key: "nothing"})
	require.NoError(t, err)
	raw, err := json.Marshal(got)
	require.NoError(t, err)
	assert.JSONEq(t, `{"found":false,"key":"nothing"}`, string(raw))
}

func TestWriteWithAnOldVersionIsAConflictAndChangesNothing(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	setMemory(t, a, "k", `{"n":1}`)
	setMemory(t, a, "k", `{"n":2}`)
	head, err := team.Head(t.Context())
	require.NoError(t, err)

	_, err = a.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: "k", Value: json.RawMessage(`3`), ExpectedVersion: new(uint64(1))})
	var conflict *atmcp.ConflictError
	require.ErrorAs(t, err, &conflict)
	raw, err := json.Marshal(conflict)
	require.NoError(t, err)
	assert.JSONEq(t, fmt.Sprintf(`{"error":"conflict","conflict":true,"key":"k","current_value":{"n":2},
		"current_version":2,"current_writer":%q,"hint":%q}`, a.AgentID(), conflict.Hint), string(raw))

	after, err := team.Head(t.Context())
	require.NoError(t, err)
	assert.Equal(t, head, after)
	assert.Equal(t, uint64(3), setMemory(t, a, "k2", `0`).LClock, "a conflict does not move the clock")
}

func TestExpectedVersionZeroOnlyCreates(t *testing.T) {
	t.Parallel()
	a := join(t, newTeam(t, newHub(t)), "alice")
	create := atmcp.SetMemoryRequest{Key: "k", Value: json.RawMessage(`1`), ExpectedVersion: new(uint64)}
	_, err := a.SetMemory(t.Context(), create)
	require.NoError(t, err)
	_, err = a.SetMemory(t.Context(), create)
	refused(t, atmcp.CodeConflict, err)

	_, err = a.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: "new", Value: json.RawMessage(`1`), ExpectedVersion: new(uint64(1))})
	var conflict *atmcp.ConflictError
	require.ErrorAs(t, err, &conflict)
	raw, err := json.Marshal(conflict)
	require.NoError(t, err)
	assert.Contains(t, string(raw), `"current_value":null,"current_version":0,"current_writer":null`)
}

func TestRacingCompareAndSetLosesNoUpdate(t *testing.T) {
	t.Parallel()
	const agents, rounds = 32, 4
	team := newTeam(t, newHub(t))
	var all sync.WaitGroup
	for i := range agents {
		a := join(t, team, "agent-"+strconv.Itoa(i))
		all.Go(func() {
			for range rounds {
				assert.NoError(t, increment(t, a, "counter"))
			}
		})
	}
	all.Wait()
	got, err := team.GetMemory(t.Context(), atmcp.GetMemoryRequest{Key: "counter"})
	require.NoError(t, err)
	assert.Equal(t, strconv.Itoa(agents*rounds), string(got.Value))
	assert.Equal(t, uint64(agents*rounds), got.Version)
}

// increment adds one to a register, again after each conflict.
func increment(t *testing.T, a *atmcp.Agent, key string) error {
	t.Helper()
	current, version := json.RawMessage("0"), uint64(0)
	for {
		n, err := strconv.Atoi(string(current))
		if err != nil {
			return err
		}
		next := json.RawMessage(strconv.Itoa(n + 1))
		_, err = a.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: key, Value: next, ExpectedVersion: &version})
		var conflict *atmcp.ConflictError
		if !errors.As(err, &conflict) {
			return err
		}
		current, version = conflict.Current, conflict.Version
	}
}

func TestSetMemoryUnderAKeyHappensOnce(t *testing.T) {
	t.Parallel()
	a := join(t, newTeam(t, newHub(t)), "alice")
	req := atmcp.SetMemoryRequest{Key: "k", Value: json.RawMessage(`{"a":1,"b":2}`), IdemKey: "once"}
	first, err := a.SetMemory(t.Context(), req)
	require.NoError(t, err)

	req.Value = json.RawMessage(`{"b": 2, "a": 1}`)
	again, err := a.SetMemory(t.Context(), req)
	require.NoError(t, err)
	assert.True(t, again.Replayed)
	assert.Equal(t, first.Version, again.Version)

	req.Value = json.RawMessage(`{"a":1,"b":3}`)
	_, err = a.SetMemory(t.Context(), req)
	refused(t, atmcp.CodeIdemMismatch, err)
}

func TestConflictIsNotRememberedUnderItsKey(t *testing.T) {
	t.Parallel()
	a := join(t, newTeam(t, newHub(t)), "alice")
	req := atmcp.SetMemoryRequest{Key: "k", Value: json.RawMessage(`1`), ExpectedVersion: new(uint64(1)), IdemKey: "later"}
	_, err := a.SetMemory(t.Context(), req)
	refused(t, atmcp.CodeConflict, err)
	setMemory(t, a, "k", `0`)
	res, err := a.SetMemory(t.Context(), req)
	require.NoError(t, err)
	assert.Equal(t, uint64(2), res.Version)
	assert.False(t, res.Replayed)
}

func TestValueOfARegisterIsKeptToTheDigit(t *testing.T) {
	t.Parallel()
	a := join(t, newTeam(t, newHub(t)), "alice")
	for given, want := range map[string]string{
		`12345678901234567890123`:               `12345678901234567890123`,
		`[1.0, -0, 1e308, 0.10]`:                `[1.0,-0,1e308,0.10]`,
		`{"z":9007199254740993,"a":" <&> é"}`:   `{"a":" <&> é","z":9007199254740993}`,
		`null`:                                  `null`,
		`"null"`:                                `"null"`,
		`"[1]"`:                                 `"[1]"`,
		`"\u00e9\u003c\u0001\/"`:                `"é<\u0001/"`,
		`"` + strings.Repeat("<", 60_000) + `"`: `"` + strings.Repeat("<", 60_000) + `"`,
	} {
		setMemory(t, a, "k", given)
		got, err := a.GetMemory(t.Context(), atmcp.GetMemoryRequest{Key: "k"})
		require.NoError(t, err)
		assert.Equal(t, want, string(got.Value))
	}
}

func TestMemoryRefusesWhatIsNotARegister(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	long := strings.Repeat("k", 513)
	for what, req := range map[string]atmcp.SetMemoryRequest{
		"empty key":     {Value: json.RawMessage(`1`)},
		"long key":      {Key: long, Value: json.RawMessage(`1`)},
		"broken key":    {Key: "a\xff", Value: json.RawMessage(`1`)},
		"no value":      {Key: "k"},
		"half a value":  {Key: "k", Value: json.RawMessage(`{"a":`)},
		"two values":    {Key: "k", Value: json.RawMessage(`1 2`)},
		"a name twice":  {Key: "k", Value: json.RawMessage(`{"a":1,"a":2}`)},
		"large value":   {Key: "k", Value: json.RawMessage(`"` + strings.Repeat("v", 64<<10) + `"`)},
		"deep value":    {Key: "k", Value: json.RawMessage(strings.Repeat("[", 100) + strings.Repeat("]", 100))},
		"broken string": {Key: "k", Value: json.RawMessage("\"\xff\"")},
		"huge number":   {Key: "k", Value: json.RawMessage(`{"a":[1e400]}`)},
	} {
		_, err := a.SetMemory(t.Context(), req)
		assert.Equal(t, atmcp.CodeInvalid, atmcp.CodeOf(err), "%s: %v", what, err)
	}
	_, err := team.GetMemory(t.Context(), atmcp.GetMemoryRequest{Key: long})
	refused(t, atmcp.CodeInvalid, err)
	_, err = team.ListMemory(t.Context(), atmcp.ListMemoryRequest{Prefix: long})
	refused(t, atmcp.CodeInvalid, err)
	_, err = team.ListMemory(t.Context(), atmcp.ListMemoryRequest{Listing: atmcp.Listing{Cursor: long}})
	refused(t, atmcp.CodeInvalid, err)
	_, err = team.MemoryHistory(t.Context(), atmcp.MemoryHistoryRequest{})
	refused(t, atmcp.CodeInvalid, err)
	_, err = team.MemoryHistory(t.Context(), atmcp.MemoryHistoryRequest{Key: "k", Listing: atmcp.Listing{Cursor: "x"}})
	refused(t, atmcp.CodeInvalid, err)

	setMemory(t, a, strings.Repeat("\x00", 512), `"`+strings.Repeat("v", 64<<10-2)+`"`) // the largest there are
}

func TestMemoryHasRoomForSoManyRegisters(t *testing.T) {
	t.Parallel()
	a := join(t, newTeam(t, newHub(t, func(c *atmcp.Config) { c.MaxRegisters = 2 })), "alice")
	setMemory(t, a, "a", `1`)
	setMemory(t, a, "b", `1`)
	_, err := a.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: "c", Value: json.RawMessage(`1`)})
	var limit *atmcp.LimitError
	require.ErrorAs(t, err, &limit)
	assert.Equal(t, 2, limit.Max)
	setMemory(t, a, "b", `2`) // what is there can still change
}

func TestListedRegistersAreSortedAndPaged(t *testing.T) {
	t.Parallel()
	a := join(t, newTeam(t, newHub(t)), "alice")
	for _, key := range []string{"b/2", "a", "b/1", "b", "b/", "c", "b\x00"} {
		setMemory(t, a, key, `"value"`)
	}
	list := func(req atmcp.ListMemoryRequest) atmcp.ListMemoryResult {
		res, err := a.ListMemory(t.Context(), req)
		require.NoError(t, err)
		assert.Len(t, res.Keys, res.Count)
		return res
	}
	assert.Equal(t, 7, list(atmcp.ListMemoryRequest{}).Count)
	raw, err := json.Marshal(list(atmcp.ListMemoryRequest{Prefix: "zz"}))
	require.NoError(t, err)
	assert.JSONEq(t, `{"keys":{},"count":0}`, string(raw))

	page := list(atmcp.ListMemoryRequest{Prefix: "b/", Limit: 2})
	assert.Contains(t, page.Keys, "b/")
	assert.Contains(t, page.Keys, "b/1")
	page = list(atmcp.ListMemoryRequest{Prefix: "b/", Limit: 2, Listing: atmcp.Listing{Cursor: page.NextCursor}})
	assert.Equal(t, 1, page.Count)
	assert.Contains(t, page.Keys, "b/2")
	assert.Empty(t, page.NextCursor)

	var seen []string
	for cursor := ""; ; {
		page := list(atmcp.ListMemoryRequest{Listing: atmcp.Listing{Cursor: cursor, MaxBytes: 1}})
		require.Equal(t, 1, page.Count, "one row is always returned")
		for key := range page.Keys {
			seen = append(seen, key)
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	assert.Equal(t, []string{"a", "b", "b\x00", "b/", "b/1", "b/2", "c"}, seen)
}

func TestHistoryOfARegisterHasItsLastVersions(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	for i := range 105 {
		setMemory(t, a, "k", strconv.Itoa(i))
	}
	setMemory(t, a, "k2", `"another"`)
	var versions []uint64
	req := atmcp.MemoryHistoryRequest{Key: "k", Limit: 30}
	for {
		page, err := a.MemoryHistory(t.Context(), req)
		require.NoError(t, err)
		assert.Len(t, page.Versions, page.Count)
		for _, v := range page.Versions {
			assert.Equal(t, strconv.FormatUint(v.Version-1, 10), string(v.Value))
			versions = append(versions, v.Version)
		}
		if req.Cursor = page.NextCursor; req.Cursor == "" {
			break
		}
	}
	require.Len(t, versions, 100)
	assert.Equal(t, uint64(105), versions[0])
	assert.Equal(t, uint64(6), versions[99])
	assert.Equal(t, atmcp.BriefRegister{Version: 1, Writer: "x", Bytes: 3}, atmcp.Register{Version: 1, Writer: "x", Value: json.RawMessage(`"a"`)}.Brief())

	_, err := team.MemoryHistory(t.Context(), atmcp.MemoryHistoryRequest{Key: "never"})
	refused(t, atmcp.CodeUnknownKey, err)
}

func TestMemoryEventCarriesTheNewVersion(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	head, err := team.Head(t.Context())
	require.NoError(t, err)
	setMemory(t, a, "k", `{"a":1}`)
	setMemory(t, a, "k", `"`+strings.Repeat("v", 2000)+`"`)
	log, err := team.Sync(t.Context(), atmcp.SyncRequest{SinceEventID: head})
	require.NoError(t, err)
	require.Len(t, log.Events, 2)
	first, second := log.Events[0], log.Events[1]
	assert.Equal(t, atmcp.EventMemorySet, first.Kind)
	assert.Equal(t, atmcp.EntityMemory, first.EntityType)
	assert.Equal(t, "k", first.EntityID)
	assert.JSONEq(t, `{"version":1,"lclock":1}`, string(first.Payload))
	var patch struct {
		Value   json.RawMessage `json:"value"`
		Version int             `json:"version"`
		LClock  int             `json:"lclock"`
		Writer  atmcp.AgentID   `json:"writer"`
	}
	require.NoError(t, json.Unmarshal(first.Patch, &patch))
	assert.JSONEq(t, `{"a":1}`, string(patch.Value))
	assert.Equal(t, 1, patch.Version)
	assert.Equal(t, a.AgentID(), patch.Writer)
	require.NoError(t, json.Unmarshal(second.Patch, &patch))
	assert.Contains(t, string(patch.Value), `"len":2002`)
	assert.Equal(t, 2, patch.LClock)
}
