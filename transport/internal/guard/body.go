package guard

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/atmcp/atmcp/internal/canon"
)

// bodyTime is how long a client may take to send a body.
const bodyTime = 15 * time.Second

// BodyError says why a body is not taken, and with which status.
type BodyError struct {
	Status int
	Detail string
}

func (e *BodyError) Error() string { return e.Detail }

// Body reads a whole body of at most limit bytes, in at most 15 seconds. Every
// error is a [*BodyError]; after 413 and 408 the connection is closed.
func Body(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	control := http.NewResponseController(w)
	// A writer that knows no deadlines is a test's.
	if err := control.SetReadDeadline(time.Now().Add(bodyTime)); err == nil {
		defer func() { _ = control.SetReadDeadline(time.Time{}) }()
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &BodyError{http.StatusRequestEntityTooLarge, "body too large"}
	case err != nil:
		w.Header().Set("Connection", "close")
		return nil, &BodyError{http.StatusRequestTimeout, "body not received"}
	}
	return body, nil
}

// JSON reads a body that must say that it is JSON (415) and be exactly one JSON
// value (400): no second one behind it, no name twice in an object, no nesting
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
		return nil, &BodyError{http.StatusBadRequest, "body is not JSON as it must be: " + err.Error()}
	}
	return text, nil
}
