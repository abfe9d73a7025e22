package guard_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/transport/internal/guard"
)

func TestOnlyOnePlainJSONValueIsABody(t *testing.T) {
	for _, c := range []struct {
		name, kind, body string
		want             int // 0: taken
	}{
		{"an object", "application/json", `{"a": 1}`, 0},
		{"with a charset", "application/json; charset=utf-8", `{"a":1}`, 0},
		{"a form", "application/x-www-form-urlencoded", `a=1`, http.StatusUnsupportedMediaType},
		{"what a page may send unasked", "text/plain", `{"a":1}`, http.StatusUnsupportedMediaType},
		{"no type", "", `{"a":1}`, http.StatusUnsupportedMediaType},
		{"nothing", "application/json", ``, http.StatusUnprocessableEntity},
		{"broken", "application/json", `{"a":`, http.StatusUnprocessableEntity},
		{"a name twice", "application/json", `{"a":1,"a":2}`, http.StatusUnprocessableEntity},
		{"a name twice by an escape", "application/json", `{"a":1,"\u0061":2}`, http.StatusUnprocessableEntity},
		{"a second value", "application/json", `{"a":1}{"a":2}`, http.StatusUnprocessableEntity},
		{"a depth bomb", "application/json", strings.Repeat("[", 50_000) + strings.Repeat("]", 50_000), http.StatusUnprocessableEntity},
		{"not UTF-8", "application/json", "{\"a\":\"\xff\"}", http.StatusUnprocessableEntity},
		{"too much", "application/json", `"` + strings.Repeat("x", 128<<10) + `"`, http.StatusRequestEntityTooLarge},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.kind)
		text, err := guard.JSON(httptest.NewRecorder(), r, 128<<10)
		if c.want == 0 {
			require.NoError(t, err, c.name)
			assert.JSONEq(t, c.body, string(text), c.name)
			continue
		}
		var refused *guard.BodyError
		require.ErrorAs(t, err, &refused, c.name)
		assert.Equal(t, c.want, refused.Status, c.name)
	}
}

func TestBodyThatBreaksOffClosesTheConnection(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", iotest.ErrReader(errors.New("reset")))
	w := httptest.NewRecorder()
	_, err := guard.Body(w, r, 1<<10)
	var refused *guard.BodyError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, http.StatusRequestTimeout, refused.Status)
	assert.Equal(t, "close", w.Header().Get("Connection"))
}
