package store

import "fmt"

// Check returns nil if a store with the limits l may take b for the team, and
// otherwise an error that wraps [ErrRejected] and says what is wrong. It looks
// at the batch only, not at what is stored, and is the first thing that every
// backend's Commit calls, so that all of them refuse the same batches.
func (b Batch) Check(team string, l Limits) error {
	if len(team) == 0 || len(team) > MaxTeam {
		return fmt.Errorf("%w: team name of %d bytes, allowed are 1 to %d", ErrRejected, len(team), MaxTeam)
	}
	if b.Head.Rev == 0 || b.Head.Rev-1 != b.Base.Rev {
		return fmt.Errorf("%w: revision %d does not follow %d", ErrRejected, b.Head.Rev, b.Base.Rev)
	}
	if b.Head.Seq < b.Base.Seq {
		return fmt.Errorf("%w: event number goes back from %d to %d", ErrRejected, b.Base.Seq, b.Head.Seq)
	}
	if n := len(b.Puts) + len(b.Dels); n > l.BatchKeys {
		return fmt.Errorf("%w: %d keys in a batch, at most %d are allowed", ErrRejected, n, l.BatchKeys)
	}
	if err := b.checkKeys(); err != nil {
		return err
	}
	if n := b.Size(); n > l.BatchBytes {
		return fmt.Errorf("%w: a batch of %d bytes, at most %d are allowed", ErrRejected, n, l.BatchBytes)
	}
	return nil
}

// Size is the number of bytes of all keys and values of b, which is what
// [MaxBatchBytes] limits.
func (b Batch) Size() int {
	n := 0
	for _, kv := range b.Puts {
		n += len(kv.Key) + len(kv.Value)
	}
	for _, k := range b.Dels {
		n += len(k)
	}
	return n
}

func (b Batch) checkKeys() error {
	for _, kv := range b.Puts {
		if err := checkKey(kv.Key); err != nil {
			return err
		}
		if len(kv.Value) > MaxValue {
			return fmt.Errorf("%w: value of %d bytes, at most %d are allowed", ErrRejected, len(kv.Value), MaxValue)
		}
	}
	for _, k := range b.Dels {
		if err := checkKey(k); err != nil {
			return err
		}
	}
	return nil
}

func checkKey(k []byte) error {
	if len(k) == 0 || len(k) > MaxKey {
		return fmt.Errorf("%w: key of %d bytes, allowed are 1 to %d", ErrRejected, len(k), MaxKey)
	}
	return nil
}
