package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/feed"
)

// The codes with which a socket is closed, beside those of RFC 6455. They are the
// original's.
const (
	closeBadToken    websocket.StatusCode = 4401
	closeUnknownTeam websocket.StatusCode = 4404
)

// What a socket's client may send, and how often it must show that it is there.
const (
	socketMessage = 4 << 10
	socketRate    = 5 // messages a second
	socketPing    = 20 * time.Second
	socketSilence = 3 * socketPing // after which nobody is there
)

// socket is one WebSocket. The goroutine of its request writes, another one reads.
type socket struct {
	*watched

	server *server
	call   *call
	conn   *websocket.Conn // for the handshake, for reading and for control frames
	line   *line
	v2     bool

	gone   chan struct{} // closed when nothing more is read
	abused bool          // why, where it was too much; read after gone
	heard  atomic.Int64  // when a pong last came, in seconds
}

// socket serves a feed as a WebSocket: in the original's form or, with v=2, in
// batches.
func (s *server) socket(c *call) error {
	if !wantsSocket(c.r) {
		c.w.Header().Set("Upgrade", "websocket")
		return &failure{http.StatusUpgradeRequired, "this is a WebSocket"}
	}
	form := feed.Original
	if c.r.URL.Query().Get("v") == "2" {
		form = feed.Batches
	}
	w, err := s.openFeed(c, form)
	if err != nil {
		return err
	}
	defer w.close()
	k := &socket{watched: w, server: s, call: c, v2: form == feed.Batches, gone: make(chan struct{})}
	if k.conn, k.line, err = accept(c, k.pong); err != nil {
		return nil // the library has answered
	}
	defer context.AfterFunc(w.life, k.line.hurry)()
	k.heard.Store(time.Now().Unix())
	go k.listen()
	k.bye(k.run())
	<-k.gone
	return nil
}

func wantsSocket(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// accept does the handshake. An error has been answered.
func accept(c *call, pong func(context.Context, []byte)) (*websocket.Conn, *line, error) {
	l := new(line)
	conn, err := websocket.Accept(&hijacking{c.w, l}, c.r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the guard has looked at the Origin, as for every route
		OnPongReceived:     pong,
	})
	if err != nil {
		return nil, nil, err
	}
	conn.SetReadLimit(socketMessage)
	return conn, l, nil
}

// refuseSocket tells a browser by a code why its socket is refused, which it can see
// only after the handshake.
func (s *server) refuseSocket(c *call, err error) bool {
	var known *failure
	code, reason := websocket.StatusCode(0), ""
	switch {
	case atmcp.CodeOf(err) == atmcp.CodeUnknownTeam:
		code, reason = closeUnknownTeam, "unknown team"
	case errors.As(err, &known) && known.status == http.StatusUnauthorized:
		code, reason = closeBadToken, "dashboard token required"
	case atmcp.CodeOf(err) == atmcp.CodeRateLimited:
		code, reason = websocket.StatusTryAgainLater, "too many for now"
	}
	if code == 0 || !wantsSocket(c.r) {
		return false
	}
	conn, l, failed := accept(c, nil)
	if failed != nil {
		return true // and the library has answered
	}
	l.hurry()
	defer time.AfterFunc(2*feedHurry, func() { _ = l.Close() }).Stop()
	_ = conn.Close(code, reason) // the client may be gone
	return true
}

func (k *socket) pong(context.Context, []byte) { k.heard.Store(time.Now().Unix()) }

func (k *socket) silent() bool {
	return time.Since(time.Unix(k.heard.Load(), 0)) > socketSilence
}

// closing is with which words a socket ends; the zero value is without any.
type closing struct {
	code websocket.StatusCode
	goodbye
}

// run writes the feed until it ends.
func (k *socket) run() closing {
	ping := time.NewTicker(socketPing)
	defer ping.Stop()
	for {
		select {
		case <-k.life.Done():
			return k.ended(context.Cause(k.life))
		case <-k.gone:
			return k.left()
		default:
		}
		p, more, err := k.Next(k.life)
		if err != nil {
			return k.ended(err)
		}
		if more == nil {
			if err := k.line.send(p.Frames); err != nil {
				return k.notWritten(err)
			}
			continue
		}
		select {
		case <-more:
		case <-k.life.Done():
		case <-k.gone:
		case <-ping.C:
			if k.silent() {
				return closing{}
			}
			if err := k.line.send(pingFrame()); err != nil {
				return k.notWritten(err)
			}
		}
	}
}

// pingFrame is a ping without a text.
func pingFrame() []byte { return []byte{0x89, 0} }

// left closes after the client has stopped to talk, or was made to.
func (k *socket) left() closing {
	if k.abused {
		return closing{code: websocket.StatusPolicyViolation, goodbye: goodbye{Reason: "too many messages"}}
	}
	return closing{}
}

func (k *socket) notWritten(err error) closing {
	if !errors.Is(err, errSlow) {
		return closing{}
	}
	if cause := context.Cause(k.life); cause != nil {
		return k.ended(cause)
	}
	bye := goodbye{"bye", byeSlow, k.server.feeds.RetryIn().Milliseconds()}
	return closing{websocket.StatusTryAgainLater, bye}
}

func (k *socket) ended(err error) closing {
	end := closing{websocket.StatusInternalError, k.server.endOf(err)}
	switch end.Reason {
	case byeShutdown:
		end.code = websocket.StatusGoingAway
	case byeRevoked:
		end.code = closeBadToken
	case byeSignOut:
		end.code = websocket.StatusNormalClosure
	default:
		k.server.log.WarnContext(k.call.ctx(), "feed ended", "team", k.call.team.Name(), "error", err)
	}
	return end
}

// bye says the last words, for which there is a second, and closes: whoever does not
// answer in another one is not waited for.
func (k *socket) bye(end closing) {
	k.line.hurry()
	defer time.AfterFunc(2*feedHurry, func() { _ = k.line.Close() }).Stop()
	if end.code == 0 {
		_ = k.conn.CloseNow() // there is nobody to tell
		return
	}
	if k.v2 && end.Type != "" {
		if f, err := feed.Of(end.goodbye); err == nil {
			_ = k.line.send(f.WebSocket()) // as above
		}
	}
	_ = k.conn.Close(end.code, end.Reason)
}

// listen reads what the client says until it has said too much, or is gone.
func (k *socket) listen() {
	defer close(k.gone)
	ctx := context.WithoutCancel(k.life) // bye ends it, and lets it hear the answer
	limit := rate.NewLimiter(socketRate, 2*socketRate)
	for {
		_, r, err := k.conn.Reader(ctx)
		if err != nil {
			return
		}
		text, err := io.ReadAll(r)
		if err != nil {
			return
		}
		if !limit.Allow() {
			k.abused = true
			return
		}
		if k.v2 {
			k.obey(text)
		}
	}
}

// order is what a client of batches may say.
type order struct {
	Op       string          `json:"op"`
	Output   []string        `json:"output"` // agents, by name or id
	Presence *bool           `json:"presence"`
	T        json.RawMessage `json:"t"`
}

// obey does what the client says. What it does not know it answers with an error.
func (k *socket) obey(text []byte) {
	var o order
	if err := json.Unmarshal(text, &o); err != nil {
		k.reply(map[string]any{"type": "error", "detail": "not a JSON object with the member op"})
		return
	}
	switch o.Op {
	case "sub", "unsub":
		k.subscribe(o)
	case "ping":
		k.reply(map[string]any{"type": "pong", "t": o.T})
	default:
		k.reply(map[string]any{"type": "error", "detail": "op is sub, unsub or ping"})
	}
}

func (k *socket) subscribe(o order) {
	on := o.Op == "sub"
	if o.Presence != nil {
		if all, err := k.Presence(on && *o.Presence); err == nil && len(all.WebSocket()) > 0 {
			_ = k.line.send(all.WebSocket()) // as in reply
		}
	}
	for _, ref := range o.Output {
		agent, err := k.call.team.AgentRef(k.life, ref)
		if err != nil {
			k.reply(map[string]any{"type": "error", "detail": "unknown agent", "agent": ref})
			continue
		}
		k.Watch(on, agent.AgentID)
	}
}

// reply writes beside the feed. Whoever does not take it is found out by run.
func (k *socket) reply(v any) {
	if f, err := feed.Of(v); err == nil {
		_ = k.line.send(f.WebSocket())
	}
}
