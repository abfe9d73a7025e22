package guard

import (
	"net/http"
	"time"
)

// How long a client may take to send its body, and to take a piece of the answer.
const (
	bodyTime   = 15 * time.Second
	writeTime  = 10 * time.Second
	writePiece = 64 << 10
)

// expect bounds the body of a request, whoever reads it, and if nobody does: before
// net/http answers it reads what is left of one, for as long as that takes to come.
// Until [Body] has it all, the connection is good for no other request, so that
// nothing is waited for.
func expect(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength == 0 {
		return
	}
	w.Header().Set("Connection", "close")
	// A writer that knows no deadlines is a test's.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime))
}

// received says that the whole body is there.
func received(w http.ResponseWriter) {
	w.Header().Del("Connection")
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
}

// patient is a response whose reader may be slow, and not for ever: each piece of it
// has its time. net/http lifts the deadline with the next request.
type patient struct {
	http.ResponseWriter

	control *http.ResponseController
}

// Write implements [http.ResponseWriter].
func (p *patient) Write(body []byte) (n int, err error) {
	for {
		piece := body[n:min(len(body), n+writePiece)]
		_ = p.control.SetWriteDeadline(time.Now().Add(writeTime))
		wrote, err := p.ResponseWriter.Write(piece)
		if n += wrote; err != nil || n == len(body) {
			return n, err
		}
	}
}

// FlushError implements what [http.ResponseController] looks for.
func (p *patient) FlushError() error {
	_ = p.control.SetWriteDeadline(time.Now().Add(writeTime))
	return p.control.Flush()
}

// Unwrap returns the response below, for [http.ResponseController].
func (p *patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }
