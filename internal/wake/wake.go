// Package wake tells waiters that something they wait for may have happened.
//
// A [Board] knows topics, which are names, and the waiters of each. It holds no
// data and remembers nothing: a wake-up reaches those that are registered, and
// says only that it is time to look. So a waiter registers first and reads then:
//
//	w := board.Wait("inbox/alice")
//	defer w.Close()
//	for {
//		if found := read(); found {
//			return
//		}
//		select {
//		case <-w.C():
//			w.Reset()
//		case <-ctx.Done():
//			return
//		}
//	}
//
// What changes between reading and waiting is then never missed. A waiter may be
// woken once too often, never once too seldom.
package wake

import (
	"container/list"
	"sync"
)

// Board connects those who wait with those who wake. All methods may be called
// concurrently, and none blocks. A Board needs no closing.
type Board struct {
	mu     sync.Mutex
	topics map[string]*topic // only those with a waiter
	stats  Stats
}

// Stats counts what a [Board] holds and did.
type Stats struct {
	Topics  int    // topics with at least one waiter
	Waiters int    // registered waiters
	Woken   uint64 // wake-ups delivered since the start; one that meets an unread one is not counted
}

// topic is the waiters of one topic, as *seat, oldest first. A waiter that holds a
// wake-up from WakeOne sits in served, so that finding the next one is one step.
type topic struct {
	name         string
	idle, served list.List
}

// seat is a waiter's place in one topic.
type seat struct {
	waiter *Waiter
	topic  *topic
	at     *list.Element // in topic.idle or, if the waiter is served, in topic.served
}

// New returns an empty Board.
func New() *Board { return &Board{topics: make(map[string]*topic)} }

// Wait registers a waiter for the topics. Register before reading what the topics
// stand for, and close the waiter when done.
func (b *Board) Wait(topics ...string) *Waiter {
	w := &Waiter{board: b, c: make(chan struct{}, 1), seats: make([]*seat, 0, len(topics))}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.Waiters++
	for _, name := range topics {
		if w.seatAt(name) != nil {
			continue
		}
		t := b.topics[name]
		if t == nil {
			t = &topic{name: name}
			b.topics[name] = t
		}
		s := &seat{waiter: w, topic: t}
		s.at = t.idle.PushBack(s)
		w.seats = append(w.seats, s)
	}
	return w
}

// Wake wakes all waiters of the topics. It costs as much as these topics have
// waiters; what waits elsewhere costs nothing.
func (b *Board) Wake(topics ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range topics {
		t := b.topics[name]
		if t == nil {
			continue
		}
		for _, l := range []*list.List{&t.idle, &t.served} {
			for e := l.Front(); e != nil; e = e.Next() {
				b.fireLocked(e.Value.(*seat).waiter) //nolint:errcheck,forcetypeassert // only seats are listed
			}
		}
	}
}

// WakeOne wakes the oldest waiter of the topic that does not hold such a wake-up
// already, and reports whether there was one. It suits work that only one can do:
// n calls wake n waiters. A waiter holds its wake-up until it resets; if it closes
// without having read it, the next waiter gets it.
func (b *Board) WakeOne(topic string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.wakeOneLocked(topic)
}

func (b *Board) wakeOneLocked(name string) bool {
	t := b.topics[name]
	if t == nil || t.idle.Len() == 0 {
		return false
	}
	s := t.idle.Front().Value.(*seat) //nolint:errcheck,forcetypeassert // only seats are listed
	s.waiter.serveLocked(s)
	b.fireLocked(s.waiter)
	return true
}

// fireLocked leaves one wake-up in the waiter's channel, unless one lies there.
func (b *Board) fireLocked(w *Waiter) {
	select {
	case w.c <- struct{}{}:
		b.stats.Woken++
	default:
	}
}

// Stats returns the counts of this moment.
func (b *Board) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.stats
	s.Topics = len(b.topics)
	return s
}
