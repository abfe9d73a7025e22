package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/filelock"
)

// atWork is the directive that a worker is at, so that after its death it knows
// what it left behind.
type atWork struct {
	DirectiveID  atmcp.DirectiveID `json:"directive_id"`
	FencingToken atmcp.Token       `json:"fencing_token"`
}

// remembered is what a worker knows from one life to the next.
type remembered struct {
	// Sessions are those of the program it drives, by the thread of directives.
	Sessions map[string]string `json:"sessions,omitempty"`
	AtWork   *atWork           `json:"at_work,omitempty"`
}

// maxSessions bounds how many threads are remembered.
const maxSessions = 200

// state is remembered on disk. One process at a time has it.
type state struct {
	path string
	lock *filelock.Lock

	mu sync.Mutex
	remembered
}

// openState takes the directory for this process.
func openState(dir string) (*state, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := filelock.Try(filepath.Join(dir, "lock"))
	if errors.Is(err, filelock.ErrHeld) {
		return nil, errors.New("another worker of this agent runs on this machine: stop it, or give this one another --name")
	}
	if err != nil {
		return nil, err
	}
	s := &state{path: filepath.Join(dir, "state.json"), lock: lock}
	text, err := os.ReadFile(s.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, lock.Close())
	}
	if json.Unmarshal(text, &s.remembered) != nil {
		s.remembered = remembered{} // damaged, and of no more use than none
	}
	if s.Sessions == nil {
		s.Sessions = make(map[string]string)
	}
	return s, nil
}

func (s *state) close() error { return s.lock.Close() }

// change edits what is remembered and writes it. A file that is half written never
// takes the place of a whole one.
func (s *state) change(edit func(*remembered)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	edit(&s.remembered)
	for thread := range s.Sessions {
		if len(s.Sessions) <= maxSessions {
			break
		}
		if thread != "" {
			delete(s.Sessions, thread)
		}
	}
	text, err := json.Marshal(s.remembered)
	if err != nil {
		return err
	}
	next := s.path + ".new"
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return fmt.Errorf("remember what the worker is at: %w", err)
	}
	return os.Rename(next, s.path)
}

func (s *state) session(thread string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Sessions[thread]
}

func (s *state) leftBehind() *atWork {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.AtWork
}
