package httpapi

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/atmcp/atmcp"
)

// maxPacks is of how many teams a compressed snapshot is kept.
const maxPacks = 16

// packs are the newest snapshots of teams, compressed: where many pages load at once,
// as after a restart, one of them pays.
type packs struct {
	mu sync.Mutex
	m  map[atmcp.TeamID]pack
}

type pack struct {
	head   atmcp.Seq
	epoch  string
	zipped []byte
}

// of returns a team's snapshot compressed.
func (p *packs) of(team atmcp.TeamID, snap atmcp.Snapshot) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept, known := p.m[team]
	if known && kept.head == snap.Head && kept.epoch == snap.Epoch {
		return kept.zipped, nil
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err = w.Write(result(snap)); err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, err
	}
	if p.m == nil || !known && len(p.m) == maxPacks {
		p.m = make(map[atmcp.TeamID]pack)
	}
	p.m[team] = pack{snap.Head, snap.Epoch, b.Bytes()}
	return b.Bytes(), nil
}

// result is a snapshot as all results are.
func result(snap atmcp.Snapshot) []byte {
	return slices.Concat([]byte(`{"ok":true,`), snap.JSON[1:])
}

// board serves the snapshot that a feed of batches goes on from.
func (s *server) board(c *call) error {
	snap, err := c.team.Snapshot(c.ctx())
	if err != nil {
		return err
	}
	c.w.Header().Set("Vary", "Accept-Encoding")
	if !acceptsGzip(c.r) {
		c.send(http.StatusOK, result(snap))
		return nil
	}
	zipped, err := s.packs.of(c.team.ID(), snap)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Encoding", "gzip")
	c.send(http.StatusOK, zipped)
	return nil
}

// acceptsGzip tells whether a client says that it takes gzip.
func acceptsGzip(r *http.Request) bool {
	for _, line := range r.Header.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(line, ",") {
			name, quality, _ := strings.Cut(part, ";")
			if strings.EqualFold(strings.TrimSpace(name), "gzip") {
				weight, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(quality), "q="), 64)
				return err != nil || weight > 0
			}
		}
	}
	return false
}
