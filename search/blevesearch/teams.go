package blevesearch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// team is a team by name, whether its files are open or not.
type team struct {
	name, dir string
	used      atomic.Int64 // when it was last asked for, in nanoseconds

	// mu is read-held while the files are in use, and held to open, close or drop
	// them.
	mu    sync.RWMutex
	files *files // nil: not open
}

// team returns the team of that name.
func (x *Index) team(ctx context.Context, name string) (*team, error) {
	if err := x.usable(ctx); err != nil {
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	t := x.teams[name]
	if t == nil {
		t = &team{name: name, dir: filepath.Join(x.dir, dirName(name))}
		x.teams[name] = t
	}
	return t, nil
}

func (x *Index) known() []*team {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := make([]*team, 0, len(x.teams))
	for _, t := range x.teams {
		all = append(all, t)
	}
	return all
}

// dirName is the directory of a team: its name where that is a plain one, which
// helps who looks for it, else a hash of it. The two begin differently.
func dirName(name string) string {
	plain := len(name) > 0 && len(name) <= 64
	for _, c := range []byte(name) {
		plain = plain && ('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_')
	}
	if plain {
		return "t-" + name
	}
	hash := sha256.Sum256([]byte(name))
	return "x-" + hex.EncodeToString(hash[:16])
}

// with calls fn with the team's files and reports whether there are any. Without
// create, a team that has none stays so. Files that turn out to be damaged are
// dropped, and the team is one that nothing is known of.
func (x *Index) with(ctx context.Context, name string, create bool, fn func(*files) error) (known bool, err error) {
	t, err := x.team(ctx, name)
	if err != nil {
		return false, err
	}
	for {
		known, err := x.tryWith(ctx, t, fn)
		if known || err != nil {
			if damage := (damageError{}); errors.As(err, &damage) {
				known, err = false, x.drop(ctx, t, damage)
				if err == nil && create {
					continue
				}
			}
			return known, err
		}
		if opened, err := x.open(ctx, t, create); !opened || err != nil {
			return false, err
		}
	}
}

// tryWith is with for a team whose files are open.
func (x *Index) tryWith(ctx context.Context, t *team, fn func(*files) error) (open bool, err error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if err := x.usable(ctx); err != nil {
		return false, err
	}
	if t.files == nil {
		return false, nil
	}
	t.used.Store(time.Now().UnixNano())
	return true, guard(func() error { return fn(t.files) })
}

// damageError says that files are not what was written.
type damageError struct{ cause error }

func (e damageError) Error() string { return "damaged index: " + e.cause.Error() }
func (e damageError) Unwrap() error { return e.cause }

func damaged(format string, args ...any) error { return damageError{fmt.Errorf(format, args...)} }

// guard turns a panic over files into an error: bytes that changed under a reader,
// or a file that was cut off behind its mapping.
func guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = damaged("panic: %v", r)
		}
	}()
	return fn()
}

// open opens the team's files, and makes them if need be and create says so.
func (x *Index) open(ctx context.Context, t *team, create bool) (opened bool, err error) {
	opened, err = x.openNow(ctx, t, create)
	if opened {
		err = x.makeRoom(t)
	}
	return opened, err
}

func (x *Index) openNow(ctx context.Context, t *team, create bool) (opened bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.files != nil {
		return true, nil
	}
	if err := x.usable(ctx); err != nil {
		return false, err
	}
	if _, err := os.Stat(t.dir); errors.Is(err, os.ErrNotExist) && !create {
		return false, nil
	}
	for {
		t.files, err = x.openFiles(t.name, t.dir)
		damage := damageError{}
		if err == nil || !errors.As(err, &damage) {
			return err == nil, err
		}
		x.report(ctx, t, damage)
		if err := t.dropLocked(); err != nil || !create {
			return false, err
		}
	}
}

func (x *Index) drop(ctx context.Context, t *team, damage damageError) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.files == nil {
		return nil // somebody else did
	}
	x.report(ctx, t, damage)
	return t.dropLocked()
}

func (x *Index) report(ctx context.Context, t *team, damage damageError) {
	x.options.Logger.WarnContext(ctx, "index of a team cannot be used, it is dropped and built again",
		"team_id", t.name, "error", damage.cause)
}

// dropLocked forgets all that is on disk.
func (t *team) dropLocked() error {
	_ = t.closeLocked() // what is wrong with it is of no interest any more
	if err := os.RemoveAll(t.dir); err != nil {
		return fmt.Errorf("blevesearch: drop index: %w", err)
	}
	return nil
}

func (t *team) closeLocked() error {
	f := t.files
	t.files = nil
	if f == nil {
		return nil
	}
	return guard(f.close)
}

// makeRoom closes teams while too many are open, those first that were not used for
// longest. Who is being asked is left alone.
func (x *Index) makeRoom(but *team) error {
	all := x.known()
	slices.SortFunc(all, func(a, b *team) int { return int(min(1, max(-1, a.used.Load()-b.used.Load()))) })
	open := 0
	for _, t := range all {
		if t.mu.TryRLock() {
			if t.files != nil {
				open++
			}
			t.mu.RUnlock()
		} else {
			open++
		}
	}
	var errs []error
	for _, t := range all {
		if open <= x.options.MaxOpen {
			break
		}
		if t == but || !t.mu.TryLock() {
			continue
		}
		if t.files != nil {
			open--
			errs = append(errs, t.closeLocked())
		}
		t.mu.Unlock()
	}
	return errors.Join(errs...)
}

// closeIdle closes teams that nobody asks for, until the index is closed.
func (x *Index) closeIdle() {
	tick := time.NewTicker(max(x.options.IdleAfter/4, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-x.stop:
			return
		case now := <-tick.C:
			for _, t := range x.known() {
				if now.UnixNano()-t.used.Load() < x.options.IdleAfter.Nanoseconds() || !t.mu.TryLock() {
					continue
				}
				if err := t.closeLocked(); err != nil {
					x.options.Logger.Warn("close idle index", "team_id", t.name, "error", err)
				}
				t.mu.Unlock()
			}
		}
	}
}
