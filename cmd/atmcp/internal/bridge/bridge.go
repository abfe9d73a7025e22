// Package bridge carries MCP between a client that only starts programs and speaks
// to them over their standard input and output, and a server that is reached over
// HTTP. It adds to each request who the agent is, which such clients cannot.
//
// Messages pass as they are. The server may be restarted at any time: what it had
// not taken is sent again, and what it may have done once is not done twice.
package bridge

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Config says where the server is, and as whom to speak.
type Config struct {
	Endpoint string      // the URL of MCP; required
	Header   http.Header // of every request: the token, and the agent's name
	// Transport is what carries requests; nil is one of the bridge's own.
	Transport http.RoundTripper
	// Patience is how long a server that cannot be reached is tried again for one
	// request. Zero means 45 s, which is before clients give a call up.
	Patience time.Duration
	Log      *slog.Logger // required
}

// maxMessage bounds one message, in bytes. It is above what servers take.
const maxMessage = 4 << 20

// atEnd is how long what is under way may take once the client has closed its end.
const atEnd = 5 * time.Second

// bridge is one client's.
type bridge struct {
	Config

	http *http.Client
	wg   sync.WaitGroup // of requests under way

	mu          sync.Mutex
	session     string // of protocols that have one
	version     string // that initialize agreed on
	begun       chan struct{}
	cancels     map[string]context.CancelFunc // by the id of a request
	tools       map[string]toolInfo           // nil until they are known
	writeFailed error

	out   sync.Mutex
	write io.Writer
	fail  context.CancelFunc
}

// Run carries messages until the client closes its end, or ctx ends.
func Run(ctx context.Context, c Config, in io.Reader, out io.Writer) error {
	c.Patience = cmp.Or(c.Patience, 45*time.Second)
	if c.Transport == nil {
		c.Transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 8, IdleConnTimeout: 90 * time.Second,
			DialContext: (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	b := &bridge{
		Config: c, write: out, fail: cancel, cancels: make(map[string]context.CancelFunc), begun: make(chan struct{}),
		// A token goes to the address that was named and nowhere else.
		http: &http.Client{
			Transport:     c.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	close(b.begun)
	err := b.read(ctx, in)
	b.finish(cancel)
	b.mu.Lock()
	defer b.mu.Unlock()
	return errors.Join(err, b.writeFailed)
}

// finish lets what is under way end.
func (b *bridge) finish(cancel context.CancelFunc) {
	timer := time.AfterFunc(atEnd, cancel)
	defer timer.Stop()
	b.wg.Wait()
}

// read takes a message a line, until there are no more.
func (b *bridge) read(ctx context.Context, in io.Reader) error {
	lines := make(chan []byte)
	failed := make(chan error, 1)
	// A read cannot be ended; what still reads when ctx ends goes with the process.
	go func() {
		defer close(lines)
		scan := bufio.NewScanner(in)
		scan.Buffer(make([]byte, 0, 64<<10), maxMessage)
		for scan.Scan() {
			if line := bytes.TrimSpace(scan.Bytes()); len(line) > 0 {
				select {
				case lines <- bytes.Clone(line):
				case <-ctx.Done():
					return
				}
			}
		}
		failed <- scan.Err()
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case line, ok := <-lines:
			if !ok {
				select {
				case err := <-failed:
					return err
				default:
					return nil
				}
			}
			b.take(ctx, line)
		}
	}
}

// take begins with a message of the client.
func (b *bridge) take(ctx context.Context, line []byte) {
	m, err := parse(line)
	if err != nil {
		b.send(errorMessage(nil, codeParse, "the message is not JSON: "+err.Error()))
		return
	}
	if m.Method == "notifications/cancelled" {
		// The server learns it from the request that ends.
		b.cancel(string(m.Params.RequestID))
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	b.mu.Lock()
	before := b.begun
	if m.Method == "initialize" {
		b.begun = make(chan struct{})
		m.begins = b.begun
	}
	if m.isRequest() {
		b.cancels[string(m.ID)] = cancel
	}
	b.mu.Unlock()
	b.wg.Go(func() {
		defer cancel()
		select {
		case <-before: // initialize says how all others are sent
			b.carry(ctx, m)
		case <-ctx.Done():
		}
		if m.begins != nil {
			close(m.begins)
		}
		b.mu.Lock()
		delete(b.cancels, string(m.ID))
		b.mu.Unlock()
	})
}

func (b *bridge) cancel(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if end, ok := b.cancels[id]; ok {
		end()
	}
}

// send gives the client a message. A client that takes none any more ends the bridge.
func (b *bridge) send(raw []byte) {
	var line bytes.Buffer
	if json.Compact(&line, raw) != nil {
		b.Log.Warn("the server sent what is not JSON")
		return
	}
	line.WriteByte('\n')
	b.out.Lock()
	_, err := b.write.Write(line.Bytes())
	b.out.Unlock()
	if err != nil {
		b.mu.Lock()
		b.writeFailed = errors.Join(b.writeFailed, err)
		b.mu.Unlock()
		b.fail()
	}
}
