package wire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/wire"
)

func TestResultsSayOKFirst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		v    any
		want string
	}{
		{struct{}{}, `{"ok":true}`},
		{map[string]any{"a": 1}, `{"ok":true,"a":1}`},
		{map[string]string{"html": "<b>&</b> \u2028 日本"}, `{"ok":true,"html":"<b>&</b> \u2028 日本"}`},
		{struct {
			OK bool `json:"ok"`
		}{false}, `{"ok":false}`},
		{json.RawMessage(`{"n":9007199254740993}`), `{"ok":true,"n":9007199254740993}`},
	} {
		got, err := wire.Result(c.v)
		require.NoError(t, err)
		assert.Equal(t, c.want, string(got))
	}
}

func TestOnlyObjectsAreResults(t *testing.T) {
	t.Parallel()
	for _, v := range []any{nil, 1, "x", []int{1}, func() {}} {
		_, err := wire.Result(v)
		assert.Error(t, err, "%T", v)
	}
}

func TestRefusalsSayNotOKFirst(t *testing.T) {
	t.Parallel()
	r := &atmcp.RefusedError{Reason: atmcp.CodeNotJoined, Hint: "call <join_team>"}
	assert.Equal(t, `{"ok":false,"error":"not_joined","hint":"call <join_team>"}`, string(wire.Refusal(r)))
}

func TestMembersAreSplicedInWithoutTouchingTheRest(t *testing.T) {
	t.Parallel()
	assert.Equal(t, `{"a":1}`, string(wire.Splice([]byte(`{}`), "a", []byte(`1`))))
	assert.Equal(t, `{ "x" : 1.0,"a":[]}`, string(wire.Splice([]byte(`{ "x" : 1.0}`), "a", []byte(`[]`))))
	got, err := wire.Extra([]byte(`{"ok":true}`), "ignored", []string{"<x>"})
	require.NoError(t, err)
	assert.Equal(t, `{"ok":true,"ignored":["<x>"]}`, string(got))
	_, err = wire.Extra([]byte(`{}`), "bad", func() {})
	assert.Error(t, err)
}

func TestOnlyWrongArgumentsAreInvalid(t *testing.T) {
	t.Parallel()
	text, ok := wire.Invalid(fmt.Errorf("wrapped: %w", &atmcp.InvalidError{Field: "title", Problem: "is empty"}))
	assert.True(t, ok)
	assert.Equal(t, "title is empty", text)
	for _, err := range []error{nil, errors.New("x"), &atmcp.RefusedError{Reason: atmcp.CodeConflict}} {
		_, ok := wire.Invalid(err)
		assert.False(t, ok, "%v", err)
	}
}
