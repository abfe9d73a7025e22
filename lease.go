package atmcp

import (
	"context"
	"sync"
	"time"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// leaseKind says what a lease is on.
type leaseKind string

const (
	leaseTask      leaseKind = "t"
	leaseDirective leaseKind = "d"
)

// leaseRecord is a live lease on disk. It holds no wall time that counts: a
// hub lets a lease lapse when it has watched the record unchanged, and its
// holder silent, for the whole term.
type leaseRecord struct {
	Kind     leaseKind  `json:"kind"`
	ID       string     `json:"id"`
	Holder   AgentID    `json:"holder"`
	Token    Token      `json:"token"`
	TTL      int64      `json:"ttl"` // milliseconds
	Renewals uint64     `json:"renewals"`
	Since    int64      `json:"since"` // wall time of the grant, for people
	Client   ClientInfo `json:"client,omitzero"`
}

type leaseKey struct {
	kind leaseKind
	id   string
}

func (r leaseRecord) key() leaseKey      { return leaseKey{r.Kind, r.ID} }
func (r leaseRecord) ttl() time.Duration { return time.Duration(r.TTL) * time.Millisecond }

func (r leaseRecord) same(o leaseRecord) bool {
	return r.Holder == o.Holder && r.Token == o.Token && r.Renewals == o.Renewals
}

func keyLease(k leaseKind, id string) keyspace.Key {
	return keyspace.Table(tableLease).Str(string(k)).Str(id)
}

// grant begins a lease; its time runs from the commit.
func (t *teamTx) grant(rec leaseRecord) {
	rec.Since = t.now()
	save(t, keyLease(rec.Kind, rec.ID), rec)
	t.tx.Note(leaseNote{rec: rec, began: true})
}

// renew gives a lease a fresh term. The caller has checked the token.
func (t *teamTx) renew(kind leaseKind, id string) {
	if rec, ok := load[leaseRecord](t, keyLease(kind, id)); ok {
		t.countRenewal(rec, leaseNote{})
	}
}

// countRenewal tells other hubs that the holder lives.
func (t *teamTx) countRenewal(rec leaseRecord, n leaseNote) {
	rec.Renewals++
	save(t, keyLease(rec.Kind, rec.ID), rec)
	n.rec = rec
	t.tx.Note(n)
}

// endLease ends a lease, if there is one.
func (t *teamTx) endLease(kind leaseKind, id string) {
	if rec, ok := load[leaseRecord](t, keyLease(kind, id)); ok {
		t.del(keyLease(kind, id))
		t.tx.Note(leaseNote{rec: rec, ended: true})
	}
}

// observed is a lease as this hub watches it.
type observed struct {
	leaseRecord
	age      time.Duration // without a sign of life, as the reaper's ticks count
	unsaved  time.Duration // since the renewal counter was committed
	fresh    bool          // there was a sign of life since the last tick
	lapsing  bool          // the reaper is about to end it: no touch saves it now
	signOfIt bool          // there was one since the counter was committed
}

// expires is when the lease would lapse, as wall time in milliseconds.
func (o *observed) expires() int64 { return now() + (o.ttl() - o.age).Milliseconds() }

// leaseTable is the leases of one team as this hub watches them. Losing it
// gives every lease a fresh full term, and nothing else.
type leaseTable struct {
	mu      sync.Mutex
	leases  map[leaseKey]*observed
	holders map[AgentID]map[leaseKey]*observed
	loaded  bool   // false at first, and after another hub moved the team
	changed uint64 // counts what was applied or doubted
}

func (l *leaseTable) init() {
	l.leases = make(map[leaseKey]*observed)
	l.holders = make(map[AgentID]map[leaseKey]*observed)
}

// apply follows a commit.
func (l *leaseTable) apply(n leaseNote) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changed++
	if o := l.leases[n.rec.key()]; o != nil && n.earlier && o.Token == n.rec.Token {
		o.leaseRecord, o.unsaved, o.signOfIt = n.rec, 0, false
		return
	}
	l.dropLocked(n.rec.key())
	if !n.ended {
		l.addLocked(n.rec)
	}
}

func (l *leaseTable) addLocked(rec leaseRecord) {
	o := &observed{leaseRecord: rec, fresh: true}
	l.leases[rec.key()] = o
	if l.holders[rec.Holder] == nil {
		l.holders[rec.Holder] = make(map[leaseKey]*observed)
	}
	l.holders[rec.Holder][rec.key()] = o
}

func (l *leaseTable) dropLocked(k leaseKey) {
	o, ok := l.leases[k]
	if !ok {
		return
	}
	delete(l.leases, k)
	delete(l.holders[o.Holder], k)
	if len(l.holders[o.Holder]) == 0 {
		delete(l.holders, o.Holder)
	}
}

// distrust has the next tick compare the table with the disk.
func (l *leaseTable) distrust() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.loaded = false
	l.changed++
}

// touch is a sign of life of a holder: all its leases start again.
func (l *leaseTable) touch(holder AgentID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range l.holders[holder] {
		if !o.lapsing {
			o.age, o.fresh, o.signOfIt = 0, true, true
		}
	}
}

// held returns the terms of a holder's leases.
func (l *leaseTable) held(holder AgentID) (terms []LeaseTerm) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range l.holders[holder] {
		terms = append(terms, o.term())
	}
	return terms
}

func (l *leaseTable) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.leases)
}

// expires returns when a lease would lapse, as wall time in milliseconds, and
// false where there is none.
func (l *leaseTable) expires(kind leaseKind, id string) (int64, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o, ok := l.leases[leaseKey{kind, id}]
	if !ok {
		return 0, false
	}
	return o.expires(), true
}

// tick ages all leases by step and returns those that have lapsed, and those
// whose renewal should be committed: there was a sign of life, and a third of
// the term has passed since the last commit.
func (l *leaseTable) tick(step time.Duration) (lapsed, renew []leaseRecord) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range l.leases {
		o.unsaved += step
		if o.fresh {
			o.fresh = false // part of this step lies before the sign of life
		} else {
			o.age += step
		}
		switch {
		case o.age >= o.ttl():
			o.lapsing = true
			lapsed = append(lapsed, o.leaseRecord)
		case o.signOfIt && o.unsaved >= o.ttl()/3:
			renew = append(renew, o.leaseRecord)
		}
	}
	return lapsed, renew
}

// observeLeases makes the table equal to the disk where that is needed. What it
// did not know, or what changed, gets a fresh full term. It reads once: where
// another hub is busy the table would never be still.
func (s *teamState) observeLeases(ctx context.Context) error {
	l := &s.leases
	if !l.needsReading() {
		return nil
	}
	before := l.changes()
	disk, err := view(ctx, s, func(t *teamTx) (map[leaseKey]leaseRecord, error) {
		found := make(map[leaseKey]leaseRecord)
		for _, rec := range scan[leaseRecord](t, keyspace.Range(keyspace.Table(tableLease), 0)) {
			found[rec.key()] = rec
		}
		return found, nil
	})
	if err != nil {
		return err
	}
	for _, rec := range l.adopt(disk, before) {
		s.people.follow(leaseNote{rec: rec, ended: true})
	}
	return nil
}

func (l *leaseTable) needsReading() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.loaded
}

func (l *leaseTable) changes() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// adopt takes over what was read from the disk. Where the table changed while it
// was read, only what is not known yet is taken, and the next tick reads again:
// a lease that is watched too long is found ended when its term is over. It returns those
// that are over.
func (l *leaseTable) adopt(disk map[leaseKey]leaseRecord, before uint64) (over []leaseRecord) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.loaded = l.changed == before; l.loaded {
		for k, o := range l.leases {
			rec, ok := disk[k]
			if !ok || !rec.same(o.leaseRecord) {
				l.dropLocked(k)
			}
			if rec.Token != o.Token {
				over = append(over, o.leaseRecord)
			}
		}
	}
	for k, rec := range disk {
		if _, ok := l.leases[k]; !ok {
			l.addLocked(rec)
		}
	}
	return over
}
