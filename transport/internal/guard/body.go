package guard

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/atmcp/atmcp/internal/canon"
)

// BodyError says why a body is not taken, and with which status.
type BodyError struct {
	Status int
	Detail string
}

func (e *BodyError) Error() string { return e.Detail }

// Body reads a whole body of at most limit bytes, which has 15 seconds from when the
// request began. Every error is a [*BodyError], after which the connection is closed.
func Body(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &BodyError{http.StatusRequestEntityTooLarge, "body too large"}
	case err != nil:
		w.Header().Set("Connection", "close")
		return nil, &BodyError{http.StatusRequestTimeout, "body not received"}
	}
	received(w)
	return body, nil
}

// JSON reads a body that must say that it is JSON (415) and be exactly one JSON
// value (422): no second one behind it, no name twice in an object, no nesting
// beyond [canon.MaxDepth]. Parsers disagree about such texts, and what two of
// them read differently is a way around the first. It returns the canonical form.
func JSON(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, &BodyError{http.StatusUnsupportedMediaType, "Content-Type must be application/json"}
	}
	body, err := Body(w, r, limit)
	if err != nil {
		return nil, err
	}
	text, err := canon.Compact(body)
	if err != nil {
		return nil, &BodyError{http.StatusUnprocessableEntity, "body is not JSON as it must be: " + strings.TrimPrefix(err.Error(), "canon: ")}
	}
	return text, nil
}
