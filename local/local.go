// Package local runs a hub on one machine with one call: the data in a bbolt file,
// the search index in files beside it, presence in memory. It is what most programs
// that embed a hub want, and what the server runs on.
//
//	hub, err := local.Open(ctx, "data")
//	...
//	defer hub.Close()
//
// Who wants another store, or no index on disk, calls [atmcp.Open] instead and links
// nothing of what is here.
package local

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/search/blevesearch"
	"github.com/atmcp/atmcp/store/boltstore"
)

// What a directory has in it. Of the two the data alone matters: the index is built
// again from it.
const (
	DataFile = "hub.db"
	IndexDir = "index"
)

// Config is the hub's, and how large its data may become.
type Config struct {
	atmcp.Config

	// MaxSize is the size in bytes beyond which the data's file does not grow: a write
	// that needs more is refused with [atmcp.CodeStorageFull], and changes nothing. Zero
	// means until the disk is full. The index is not counted.
	MaxSize int
}

// Hub is a running hub and the files it stands on.
type Hub struct {
	*atmcp.Hub

	// Store is the hub's data, for backups of it while the hub runs. Hub.Close closes
	// it.
	Store *boltstore.Store

	index *blevesearch.Index // nil: the caller brought one
}

// Open starts a hub over the directory, which it makes if need be with mode 0700.
// One process has it at a time: if another does, Open fails within a second or two
// with an error that is [boltstore.ErrInUse]. The context bounds opening only.
//
// Each change may alter the configuration; a Liveness or an Index that it brings is
// used in place of the one that Open would make, and stays the caller's to close.
// The Store is the file of the directory, always.
func Open(ctx context.Context, dir string, change ...func(*Config)) (*Hub, error) {
	cfg := Config{}
	for _, fn := range change {
		fn(&cfg)
	}
	if cfg.Store != nil {
		return nil, errors.New("local: Config.Store is set: open a hub over another store with atmcp.Open")
	}
	file, err := boltstore.Open(filepath.Join(dir, DataFile), boltstore.Options{MaxSize: cfg.MaxSize})
	if err != nil {
		return nil, fmt.Errorf("local: %w", err)
	}
	h := &Hub{Store: file}
	if cfg.Index == nil {
		if h.index, err = blevesearch.Open(filepath.Join(dir, IndexDir), blevesearch.Options{Logger: cfg.Logger}); err != nil {
			return nil, errors.Join(fmt.Errorf("local: %w", err), h.closeFiles())
		}
		cfg.Index = h.index
	}
	cfg.Store = file
	if h.Hub, err = atmcp.Open(ctx, cfg.Config); err != nil {
		return nil, errors.Join(err, h.closeFiles())
	}
	return h, nil
}

// Close ends all waits, stops the hub, and closes the files. It leaves no goroutine
// and no lock behind. Closing twice is not an error.
func (h *Hub) Close() error { return errors.Join(h.Hub.Close(), h.closeFiles()) }

func (h *Hub) closeFiles() error {
	var errs []error
	if h.index != nil {
		errs = append(errs, h.index.Close())
	}
	return errors.Join(append(errs, h.Store.Close())...)
}
