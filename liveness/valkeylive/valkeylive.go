// Package valkeylive shares who is alive between hubs, over a Valkey or Redis
// server (7.0 or newer), a cluster of them, or a set that sentinels watch.
//
// # What it promises
//
// Nobody waits for Valkey who writes. A beat is remembered in this process at
// once, exactly, and told to Valkey a moment later: the newest of each agent, in
// the order in which they came, up to 65,536 agents in doubt, the oldest dropped.
// A roster asks Valkey in one round trip and has 50 ms for it; without an answer it
// is what this process knows by itself, with what Valkey said last until that is
// over. After three failures in a row nobody asks any more (the breaker is open)
// but one goroutine that tries again, at most 800 ms later each time, and that
// tells Valkey of everybody again when it answers, or when it has lost its data.
//
// So Valkey may be gone, frozen, slow, flushed, or full of nonsense. It costs how
// fresh the presence of other hubs' agents is. What cannot be read as a beat is
// ignored, and what stands at a key of ours with another type is replaced.
//
// # What is in Valkey
//
// One hash for each team, <prefix><team>:live, with a field for each agent; it
// expires with the longest of its beats. Hints go over the channel
// <prefix><team>:wake. All times in it are of Valkey's own clock, so that the clocks
// of hubs do not matter. A user of its own needs, for the default prefix:
//
//	ACL SETUSER atmcp on >secret resetkeys ~atmcp:* resetchannels &atmcp:* -@all
//	  +eval +time +type +hlen +hset +hsetnx +hget +hgetall +hdel +pttl +pexpire +del
//	  +publish +psubscribe +punsubscribe +ping +select
package valkeylive

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/valkey-io/valkey-go"

	"github.com/atmcp/atmcp/liveness"
)

const (
	// budget is what a call has for Valkey.
	budget = 50 * time.Millisecond
	// openTime is how long Open waits for a first answer.
	openTime = time.Second
)

// Options of [Open]. Only URL is required.
type Options struct {
	// URL says where Valkey is; see the examples at [Open].
	URL string
	// Prefix begins every key and channel. Empty means "atmcp:"; the URL may name
	// one too. Hubs with the same prefix share what they know.
	Prefix string
	// TLS is used for rediss:// and valkeys:// in place of the system's roots. It is
	// for a private authority or a client certificate.
	TLS *tls.Config
	// Dial connects to an address instead of the network, as through a tunnel.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// Logger is told when Valkey stops and begins to serve. Nil is silence.
	Logger *slog.Logger
}

// Live is a [liveness.Liveness] and a [liveness.Notifier]. Create it with [Open].
type Live struct {
	id      string // tells this process's beats from others'
	prefix  string
	options valkey.ClientOption
	log     *slog.Logger
	table   *table
	hints   *hints
	link    link
	stir    chan struct{}   // holds a token when there is something to tell Valkey
	life    context.Context //nolint:containedctx // its own, not a call's
	end     context.CancelFunc

	mu       sync.Mutex
	closed   bool
	attempts sync.WaitGroup // goroutines, and calls that are under way
}

var (
	_ liveness.Liveness = (*Live)(nil)
	_ liveness.Notifier = (*Live)(nil)
)

// Open connects to Valkey. One that does not answer is no error: the Live works by
// itself and connects as soon as it can, as it does whenever the connection is
// lost. What the URL may be:
//
//	redis://user:password@host:6379/0                 one server; valkey:// is the same
//	rediss://host                                     over TLS; &ca=FILE for a private authority
//	redis://host:7001?addr=host2:7001&addr=host3:7001 a cluster; one address with cluster=true
//	redis://host:26379?master_set=NAME                what sentinels watch; addr for further ones,
//	                                                  sentinel_user and sentinel_password if they want them
//	unix:///run/valkey.sock?db=0                      a socket
//
// Each also takes prefix=, in place of [Options.Prefix].
func Open(ctx context.Context, o Options) (*Live, error) {
	address, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	if o.TLS != nil && address.options.TLSConfig != nil {
		server := address.options.TLSConfig.ServerName
		address.options.TLSConfig = o.TLS.Clone()
		address.options.TLSConfig.ServerName = cmp.Or(o.TLS.ServerName, server)
	}
	if o.Dial != nil {
		address.options.DialCtxFn = dialWith(o.Dial)
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	l := &Live{
		id:      randomName(),
		prefix:  cmp.Or(o.Prefix, address.prefix, "atmcp:"),
		options: address.options,
		log:     cmp.Or(o.Logger, slog.New(slog.DiscardHandler)),
		table:   newTable(),
		hints:   newHints(),
		stir:    make(chan struct{}, 1),
		life:    life,
		end:     end,
	}
	l.link.open = true
	tried := make(chan struct{})
	l.attempts.Go(func() { l.run(tried) }) //nolint:contextcheck // it outlives the call
	timeout := time.NewTimer(openTime)
	defer timeout.Stop()
	select {
	case <-tried:
	case <-timeout.C:
	case <-ctx.Done():
	}
	return l, nil
}

// dialWith makes a dialer of the client's form of one of ours.
func dialWith(dial func(context.Context, string) (net.Conn, error)) func(context.Context, string, *net.Dialer, *tls.Config) (net.Conn, error) {
	return func(ctx context.Context, addr string, _ *net.Dialer, secure *tls.Config) (net.Conn, error) {
		conn, err := dial(ctx, addr)
		if err != nil || secure == nil {
			return conn, err
		}
		return tls.Client(conn, secure), nil
	}
}

// Beat implements [liveness.Liveness]. It waits for nothing.
func (l *Live) Beat(ctx context.Context, team, agent string, b liveness.Beat, ttl time.Duration) error {
	if err := l.enter(ctx); err != nil {
		return err
	}
	defer l.attempts.Done()
	if ttl <= 0 && l.table.forget(team, agent, time.Now()) || ttl > 0 && l.table.beat(team, agent, b, ttl) {
		l.nudge()
	}
	return nil
}

// Forget implements [liveness.Liveness]. It waits for nothing.
func (l *Live) Forget(ctx context.Context, team, agent string) error {
	return l.Beat(ctx, team, agent, liveness.Beat{}, 0)
}

// Roster implements [liveness.Liveness].
func (l *Live) Roster(ctx context.Context, team string) (map[string]liveness.Entry, error) {
	if err := l.enter(ctx); err != nil {
		return map[string]liveness.Entry{}, err
	}
	defer l.attempts.Done()
	before := l.table.snapshot(team) // what is published after it, the answer need not have
	answer := l.ask(ctx, team)
	if err := ctx.Err(); err != nil && answer == nil {
		return map[string]liveness.Entry{}, err
	}
	return l.table.merge(team, before, answer, l.id), nil
}

// ask returns what Valkey knows of a team, and nil where it does not answer in time.
// It asks from a goroutine: while the connection is made again, the client would
// make its callers wait for that, whatever their context says. An answer that comes
// too late for its caller still counts.
func (l *Live) ask(ctx context.Context, team string) *answer { //nolint:contextcheck // see the last sentence
	client := l.link.use()
	if client == nil {
		return nil
	}
	bound, cancel := context.WithTimeout(l.life, budget)
	replied := make(chan *answer, 1)
	l.attempts.Go(func() {
		defer cancel()
		a, err := readRoster(bound, client, l.key(team))
		l.noteCall(err)
		if a != nil && l.table.take(team, a) {
			l.nudge()
		}
		replied <- a
	})
	select {
	case a := <-replied:
		return a
	case <-bound.Done():
	case <-ctx.Done():
	}
	select {
	case a := <-replied: // bound ends with the answer too
		return a
	default:
		return nil
	}
}

var errNotAsked = errors.New("valkey does not serve")

// Err returns why Valkey does not serve, and nil while it does. It asks nobody: the
// Live looks after its connection itself, at least once a second.
func (l *Live) Err() error { return l.link.why() }

// Close implements [liveness.Liveness]. Agents of this process stay on other hubs'
// rosters for the rest of their TTL.
func (l *Live) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.end()
	l.attempts.Wait()
	return nil
}

// enter admits a call; the caller calls attempts.Done when it is over.
func (l *Live) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return liveness.ErrClosed
	}
	l.attempts.Add(1)
	return nil
}

// nudge tells the goroutine that talks to Valkey that there is something to tell.
func (l *Live) nudge() {
	select {
	case l.stir <- struct{}{}:
	default:
	}
}

func (l *Live) key(team string) string { return l.prefix + team + ":live" }

func randomName() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails: it ends the program instead
	return hex.EncodeToString(b)
}
