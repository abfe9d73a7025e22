package blevesearch

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/atmcp/atmcp/search"
)

// closePatience is how long closing waits for the disk. What is not there then is
// brought by the hub again.
const closePatience = 2 * time.Second

// files is the open index of one team.
type files struct {
	dir    string
	engine index.Index // scorch

	// write is held by the one that applies changes. It is taken before mu.
	write sync.Mutex

	mu      sync.Mutex
	state   state
	applied uint64 // batches so far
	saved   uint64 // batches of these that are on disk
	onDisk  chan struct{}
	columns map[uint64]*columns // by segment
	tallies []*tally            // at rest, at most keptTallies
}

// keptTallies is how many tallies wait for the next search: one of them has at least
// four bytes for each document, which is too much to make and clear each time.
const keptTallies = 2

// settings is how scorch is run. A batch is visible when it was applied and on disk
// a little later, with those that came meanwhile: syncing each would cost a hundred
// times as much, and what a crash takes is brought again.
func settings(dir string) map[string]any {
	return map[string]any{
		"path":         dir,
		"unsafe_batch": true,
		"bolt_timeout": lockTimeout.String(), // without it a second opener waits forever
		"scorchPersisterOptions": map[string]any{
			"PersisterNapTimeMSec":      100,
			"PersisterNapUnderNumFiles": 500,
		},
	}
}

// openFiles opens the files of a team, or makes them.
func (x *Index) openFiles(name, dir string) (*files, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("blevesearch: %w", err)
	}
	if err := verify(dir); err != nil {
		return nil, err
	}
	f := &files{dir: dir, columns: make(map[uint64]*columns), onDisk: make(chan struct{}, 1)}
	err := guard(func() (err error) {
		if f.engine, err = scorch.NewScorch(scorch.Name, settings(dir), x.queue); err == nil {
			err = f.engine.Open()
		}
		return err
	})
	switch {
	case err != nil && strings.Contains(err.Error(), "timeout"):
		return nil, fmt.Errorf("%w: %s", ErrInUse, dir)
	case err != nil:
		return nil, damageError{err}
	}
	err = guard(func() error { return f.load(state{Format: x.format, Team: name}) })
	if err != nil {
		_ = guard(f.engine.Close)
		return nil, err
	}
	return f, nil
}

// load reads the state, which is fresh where there is nothing yet.
func (f *files) load(fresh state) error {
	s, err := f.snapshot()
	if err != nil {
		return err
	}
	defer s.release()
	docs, err := s.DocCount()
	if err != nil {
		return damageError{err}
	}
	raw, err := s.GetInternal(stateKey())
	if err != nil {
		return damageError{err}
	}
	if raw == nil && docs == 0 {
		f.state = fresh
		return nil
	}
	f.state, err = decodeState(raw)
	switch {
	case err != nil:
		return err
	case f.state.Format != fresh.Format:
		return damaged("the files have format %d, this is %d", f.state.Format, fresh.Format)
	case f.state.Team != fresh.Team:
		return damaged("the files are of team %q", f.state.Team)
	case uint64(f.state.Docs) != docs: //nolint:gosec // a count
		return damaged("there are %d documents of %d", docs, f.state.Docs)
	}
	return nil
}

func (f *files) position() search.Position {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state.Through
}

// apply makes the changes and moves the position, in one step.
func (f *files) apply(ops []search.Op, through search.Position) error {
	f.write.Lock()
	defer f.write.Unlock()
	f.mu.Lock()
	next := f.state
	f.mu.Unlock()
	s, err := f.snapshot()
	if err != nil {
		return err
	}
	defer s.release()
	batch := index.NewBatch()
	switch {
	case through.Epoch != next.Through.Epoch:
		err = s.eachID(batch.Delete)
	case through.Seq < next.Through.Seq:
		return nil
	}
	if err != nil {
		return err
	}
	for _, op := range ops {
		if op.Delete {
			batch.Delete(op.Doc.ID)
		} else {
			batch.Update(newDocument(op.Doc))
		}
	}
	grown, err := s.growth(batch)
	if err != nil {
		return err
	}
	next.Through, next.Docs = through, next.Docs+grown
	return f.commit(batch, next)
}

func (f *files) commit(batch *index.Batch, next state) error {
	raw, err := next.encode()
	if err != nil {
		return fmt.Errorf("blevesearch: %w", err)
	}
	batch.SetInternal(stateKey(), raw)
	f.mu.Lock()
	f.applied++
	number := f.applied
	f.mu.Unlock()
	batch.SetPersistedCallback(func(err error) { f.save(number, err) })
	if err := f.engine.Batch(batch); err != nil {
		return fmt.Errorf("blevesearch: apply: %w", err)
	}
	f.mu.Lock()
	f.state = next
	f.mu.Unlock()
	return nil
}

// save is told that a batch is on disk, and with it all before.
func (f *files) save(number uint64, err error) {
	if err != nil {
		return
	}
	f.mu.Lock()
	f.saved = max(f.saved, number)
	f.mu.Unlock()
	select {
	case f.onDisk <- struct{}{}:
	default:
	}
}

// close waits a little for the disk and gives the files back.
func (f *files) close() error {
	late := time.NewTimer(closePatience)
	defer late.Stop()
	for waiting := true; waiting && !f.allSaved(); {
		select {
		case <-f.onDisk:
		case <-late.C:
			waiting = false
		}
	}
	if err := f.engine.Close(); err != nil {
		return fmt.Errorf("blevesearch: close index: %w", err)
	}
	if err := markClosed(f.dir); err != nil {
		return fmt.Errorf("blevesearch: close index: %w", err)
	}
	return nil
}

func (f *files) allSaved() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.saved == f.applied
}
