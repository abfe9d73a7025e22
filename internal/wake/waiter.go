package wake

// Waiter waits for the topics it was registered with. It belongs to one goroutine.
type Waiter struct {
	board *Board
	c     chan struct{}

	// guarded by board.mu
	seats  []*seat
	served *seat // where WakeOne chose this waiter, until it resets
	closed bool
}

// C returns the channel that becomes readable when a topic is woken. It holds one
// wake-up: those that come before it is read add nothing to it. It is never closed.
func (w *Waiter) C() <-chan struct{} { return w.c }

// Reset makes the waiter ready for the next wake-up, also from [Board.WakeOne],
// for which it then counts as the youngest. Reset first and read then. A wake-up
// that came since C was read stays.
func (w *Waiter) Reset() {
	w.board.mu.Lock()
	defer w.board.mu.Unlock()
	if w.closed || len(w.c) > 0 || w.served == nil {
		return
	}
	w.served = nil
	for _, s := range w.seats {
		s.topic.served.Remove(s.at)
		s.at = s.topic.idle.PushBack(s)
	}
}

// Close takes the waiter off the board. A wake-up from [Board.WakeOne] that was
// not read from C goes to the next waiter. Closing twice does nothing.
func (w *Waiter) Close() {
	w.board.mu.Lock()
	defer w.board.mu.Unlock()
	if w.closed {
		return
	}
	w.closed = true
	w.board.stats.Waiters--
	for _, s := range w.seats {
		s.leaveLocked(w.board)
	}
	select {
	case <-w.c:
		if w.served != nil {
			w.board.wakeOneLocked(w.served.topic.name)
		}
	default:
	}
	w.seats = nil
}

// serveLocked notes that WakeOne chose the waiter at this seat.
func (w *Waiter) serveLocked(at *seat) {
	w.served = at
	for _, s := range w.seats {
		s.topic.idle.Remove(s.at)
		s.at = s.topic.served.PushBack(s)
	}
}

func (w *Waiter) seatAt(name string) *seat {
	for _, s := range w.seats {
		if s.topic.name == name {
			return s
		}
	}
	return nil
}

// leaveLocked gives the seat up, and the topic with its last one.
func (s *seat) leaveLocked(b *Board) {
	if s.waiter.served != nil {
		s.topic.served.Remove(s.at)
	} else {
		s.topic.idle.Remove(s.at)
	}
	if s.topic.idle.Len()+s.topic.served.Len() == 0 {
		delete(b.topics, s.topic.name)
	}
}
