package store

import (
	"context"
	"sync"
)

// Hints implements [Store.Watch] for a store that sees every commit itself. It
// starts no goroutine: fn runs on the goroutine that called Watch. A watcher
// that falls behind is owed one hint a team, with the newest head, so what it
// costs is bounded by the number of teams. The zero value is ready for use.
type Hints struct {
	running sync.WaitGroup

	mu       sync.Mutex
	watchers map[*watcher]struct{}
	ended    error
}

// watcher is one call of Watch.
type watcher struct {
	ready chan struct{} // holds a token while moved is not empty
	end   chan struct{} // closed by End

	moved map[string]Head // guarded by Hints.mu
}

// Moved tells every watcher that the team's head is now h. It is called after
// the head can be read, and never blocks.
func (s *Hints) Moved(team string, h Head) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.watchers {
		w.moved[team] = h
		select {
		case w.ready <- struct{}{}:
		default:
		}
	}
}

// Watch is [Store.Watch].
func (s *Hints) Watch(ctx context.Context, fn func(team string, h Head)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w, err := s.join()
	if err != nil {
		return err
	}
	defer s.leave(w)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.end:
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.ended
		case <-w.ready:
			for team, h := range s.take(w) {
				if ctx.Err() != nil {
					break
				}
				fn(team, h)
			}
		}
	}
}

// End ends every Watch, and each later one at once, with err. It does not wait
// for a running fn. Only the first call counts.
func (s *Hints) End(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return
	}
	s.ended = err
	for w := range s.watchers {
		close(w.end)
	}
}

// Wait returns when every Watch has returned. It is called after End.
func (s *Hints) Wait() { s.running.Wait() }

func (s *Hints) join() (*watcher, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return nil, s.ended
	}
	w := &watcher{
		ready: make(chan struct{}, 1),
		end:   make(chan struct{}),
		moved: make(map[string]Head),
	}
	if s.watchers == nil {
		s.watchers = make(map[*watcher]struct{})
	}
	s.watchers[w] = struct{}{}
	s.running.Add(1)
	return w, nil
}

func (s *Hints) leave(w *watcher) {
	s.mu.Lock()
	delete(s.watchers, w)
	s.mu.Unlock()
	s.running.Done()
}

func (s *Hints) take(w *watcher) map[string]Head {
	s.mu.Lock()
	defer s.mu.Unlock()
	moved := w.moved
	w.moved = make(map[string]Head)
	return moved
}
