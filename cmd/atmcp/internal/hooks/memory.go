package hooks

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/filelock"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/statedir"
)

// memory is what the hooks of one session know of each other: each of them is a
// process of its own, and several may run at once.
type memory struct {
	BeatAt    int64          `json:"beat_at,omitempty"`   // in milliseconds
	Lines     string         `json:"lines,omitempty"`     // of output that wait for the next beat
	Delivered map[string]int `json:"delivered,omitempty"` // how often a directive was, by its id
	Reminded  []string       `json:"reminded,omitempty"`  // of directives that were not reported
	InARow    int            `json:"in_a_row,omitempty"`  // stops that were prevented without a word from a person
	Briefed   bool           `json:"briefed,omitempty"`   // the model knows of its team
	Told      string         `json:"told,omitempty"`      // the directives that the model was told of
	Posted    string         `json:"posted,omitempty"`    // what was posted last, as a hash
}

// maxLines bounds what waits for a beat.
const maxLines = 7000

func (m *memory) add(line string) {
	m.Lines += line
	if over := len(m.Lines) - maxLines; over > 0 {
		m.Lines = "…\n" + m.Lines[over+strings.IndexByte(m.Lines[over:], '\n')+1:]
	}
}

// take empties what waits.
func (m *memory) take() string {
	lines := m.Lines
	m.Lines = ""
	return lines
}

// session is a directory with a session's memory.
type session struct{ dir string }

// keepSessions is for how long a session that says nothing is remembered.
const keepSessions = 7 * 24 * time.Hour

// openSession finds the memory of a session.
func openSession(stateDir string, parts ...string) (session, error) {
	s := session{filepath.Join(stateDir, "hooks", statedir.Name(parts...))}
	return s, os.MkdirAll(s.dir, 0o700)
}

// lockPause is between two looks at a lock that another hook has, for a moment.
const lockPause = 5 * time.Millisecond

// change edits the memory while no other hook does.
func (s session) change(ctx context.Context, edit func(*memory)) error {
	var lock *filelock.Lock
	for {
		var err error
		if lock, err = filelock.Try(filepath.Join(s.dir, "lock")); err == nil {
			break
		}
		if !errors.Is(err, filelock.ErrHeld) {
			return err
		}
		timer := time.NewTimer(lockPause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return errors.New("another hook of this session holds its lock")
		case <-timer.C:
		}
	}
	path := filepath.Join(s.dir, "memory.json")
	var m memory
	if text, err := os.ReadFile(path); err == nil { //nolint:gosec // the hooks' own directory
		_ = json.Unmarshal(text, &m) // damaged, and of no more use than none
	}
	edit(&m)
	text, err := json.Marshal(m)
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	return errors.Join(err, lock.Close())
}

// forgetOld removes the memories of sessions that have long been silent, some at a time.
func forgetOld(stateDir string, now time.Time) {
	entries, err := os.ReadDir(filepath.Join(stateDir, "hooks"))
	if err != nil {
		return
	}
	removed := 0
	for _, e := range entries {
		path := filepath.Join(stateDir, "hooks", e.Name())
		about, err := os.Stat(filepath.Join(path, "memory.json"))
		if err != nil || now.Sub(about.ModTime()) < keepSessions {
			continue
		}
		_ = os.RemoveAll(path) // another hook may do the same
		if removed++; removed == 100 {
			return
		}
	}
}
