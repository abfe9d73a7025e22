package valkeylive

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/valkey-io/valkey-go"
)

const (
	// flushInterval is how long beats are gathered.
	flushInterval = 50 * time.Millisecond
	// hintInterval is the least time between two sendings of hints; the first after
	// a silence goes at once.
	hintInterval = 2 * time.Millisecond
	// idleInterval is how often a silent connection is tried.
	idleInterval = time.Second
	// sweepInterval is how often what is over is dropped from memory.
	sweepInterval = 5 * time.Second
	// refusedPause is how long nothing is told to a server that refused it.
	refusedPause = time.Second
	// writeTime is what the goroutine that tells Valkey has for one sending.
	writeTime = 250 * time.Millisecond

	firstProbe = 250 * time.Millisecond
	lastProbe  = 800 * time.Millisecond

	// tripAfter is how many failures in a row open the breaker.
	tripAfter = 3
	// agentsAtOnce is how many agents are told of in one sending, and in one command.
	agentsAtOnce    = 2048
	agentsPerScript = 256
)

// link is the connection and its breaker. While it is open only the worker uses the
// client.
type link struct {
	mu       sync.Mutex
	client   valkey.Client // nil before the first connection
	open     bool
	failures int   // in a row
	err      error // why it is open, or why what was told was refused
}

// use returns the client, nil where nobody should ask.
func (k *link) use() valkey.Client {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.open {
		return nil
	}
	return k.client
}

func (k *link) any() valkey.Client {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.client
}

func (k *link) why() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.open && k.err == nil {
		return errNotAsked
	}
	return k.err
}

// count takes in how a call ended, and reports whether it opened the breaker.
func (k *link) count(err error) (opened bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil {
		k.failures = 0
		return false
	}
	k.failures++
	if k.open || k.failures < tripAfter {
		return false
	}
	k.open, k.err = true, err
	return true
}

func (k *link) close(c valkey.Client) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.client, k.open, k.failures = c, false, 0
}

// set notes whether Valkey takes what it is told, and reports whether that is news.
func (k *link) set(err error) (changed bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	changed = (k.err == nil) != (err == nil)
	k.err = err
	return changed
}

// noteCall counts a call. One that was cut off by Close tells nothing.
func (l *Live) noteCall(err error) {
	if l.life.Err() == nil && l.link.count(err) {
		l.log.WarnContext(l.life, "valkey does not answer: presence is what this process knows", "error", err)
		l.nudge()
	}
}

// noteServing says in the log when Valkey begins to take what it is told, or stops.
func (l *Live) noteServing(err error) {
	if !l.link.set(err) || l.life.Err() != nil {
		return
	}
	if err != nil {
		l.log.WarnContext(l.life, "valkey does not take presence: others do not see whom this process knows", "error", err)
		return
	}
	l.log.InfoContext(l.life, "valkey serves: presence is shared")
}

// schedule is when the worker does what next.
type schedule struct {
	probe, flush, hint, idle, sweep time.Time
	pause                           time.Duration // between probes
}

// run is the one goroutine that tells Valkey anything. It closes tried after its first
// attempt to connect.
func (l *Live) run(tried chan<- struct{}) {
	s := schedule{pause: firstProbe}
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		next.Reset(l.step(&s))
		if tried != nil {
			close(tried)
			tried = nil
		}
		select {
		case <-l.life.Done():
			if c := l.link.any(); c != nil {
				c.Close()
			}
			return
		case <-l.stir:
		case <-next.C:
		}
	}
}

// step does what is due and returns how long nothing else is.
func (l *Live) step(s *schedule) time.Duration {
	now := time.Now()
	if !now.Before(s.sweep) {
		l.table.sweep()
		s.sweep = now.Add(sweepInterval)
	}
	if l.link.use() == nil {
		if now.Before(s.probe) {
			return s.probe.Sub(now)
		}
		if err := l.connect(); err != nil {
			s.probe = time.Now().Add(s.pause)
			s.pause = min(2*s.pause, lastProbe)
			return time.Until(s.probe)
		}
		*s = schedule{sweep: s.sweep, pause: firstProbe, idle: now.Add(idleInterval)}
		l.table.again()
	}
	if l.hints.waiting() && !now.Before(s.hint) {
		l.sendHints()
		s.hint, s.idle = now.Add(hintInterval), now.Add(idleInterval)
	}
	if !now.Before(s.flush) && l.table.waiting() {
		s.flush, s.idle = now.Add(l.flush()), now.Add(idleInterval)
	}
	if !now.Before(s.idle) {
		l.noteCall(l.probe(l.link.any()))
		s.idle = now.Add(l.idlePause())
	}
	return max(0, l.untilNext(s))
}

// idlePause is when to try the connection again; after a failure soon, so that a frozen
// server is found out within a second.
func (l *Live) idlePause() time.Duration {
	l.link.mu.Lock()
	defer l.link.mu.Unlock()
	if l.link.failures > 0 {
		return flushInterval
	}
	return idleInterval
}

func (l *Live) untilNext(s *schedule) time.Duration {
	next := s.idle
	if l.table.waiting() && s.flush.Before(next) {
		next = s.flush
	}
	if l.hints.waiting() && s.hint.Before(next) {
		next = s.hint
	}
	return time.Until(next)
}

// connect makes the client where there is none, tries the connection, and closes the
// breaker if it works.
func (l *Live) connect() error {
	client := l.link.any()
	if client == nil {
		made, err := valkey.NewClient(l.options)
		if err != nil {
			if made != nil {
				made.Close()
			}
			l.noteServing(err)
			return err
		}
		client = made
	}
	err := l.probe(client)
	if err == nil {
		l.link.close(client)
		if !l.table.waiting() {
			l.noteServing(nil) // otherwise what is told next decides
		}
		return nil
	}
	l.link.mu.Lock()
	l.link.client = client
	l.link.mu.Unlock()
	l.noteServing(err)
	return err
}

// probe asks what a roster asks, of a key that there is not.
func (l *Live) probe(c valkey.Client) error {
	ctx, cancel := context.WithTimeout(l.life, budget)
	defer cancel()
	_, err := readRoster(ctx, c, l.prefix+"probe")
	return err
}

// flush tells Valkey of the agents that waited longest, and returns for how long to
// gather further ones.
func (l *Live) flush() time.Duration {
	orders := l.table.due(agentsAtOnce)
	if len(orders) == 0 {
		return flushInterval
	}
	client := l.link.any()
	groups := byTeam(orders)
	commands := make(valkey.Commands, len(groups))
	for i, group := range groups {
		commands[i] = l.writeTeam(client, group, randomName())
	}
	ctx, cancel := context.WithTimeout(l.life, writeTime)
	defer cancel()
	var failed error
	for i, res := range client.DoMulti(ctx, commands...) {
		epoch, err := res.ToString()
		if err != nil {
			failed = err
			continue
		}
		l.table.told(groups[i], epoch)
	}
	if _, refused := errors.AsType[*valkey.ValkeyError](failed); refused {
		l.noteServing(failed)
		return refusedPause
	}
	l.noteCall(failed)
	if failed == nil && l.link.use() != nil {
		l.noteServing(nil)
	}
	if len(orders) == agentsAtOnce {
		return 0
	}
	return flushInterval
}

// byTeam groups orders into what one command tells.
func byTeam(orders []own) [][]own {
	var groups [][]own
	last := make(map[string]int)
	for _, o := range orders {
		i, ok := last[o.team]
		if !ok || len(groups[i]) == agentsPerScript {
			i = len(groups)
			groups = append(groups, nil)
			last[o.team] = i
		}
		groups[i] = append(groups[i], o)
	}
	return groups
}
