package atmcp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/atmcp/atmcp/internal/keyspace"
	"github.com/atmcp/atmcp/store"
)

// LogReport is what a check of a team's log found.
type LogReport struct {
	First, Last Seq    // zero for an empty log
	Hash        string // of the last event: kept elsewhere, it shows whether the tail was cut
}

// DamageError says that a team's log is not what was written.
type DamageError struct {
	EventID Seq
	Problem string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("atmcp: event %d %s", e.EventID, e.Problem)
}

// VerifyLog reads the whole log and checks that its numbers have no gap, that it
// ends at the head, and that each event's hash follows from the one before: an
// event that was edited, moved or taken out is a [DamageError]. The hash of the
// oldest event that is kept is taken as given.
func (t *Team) VerifyLog(ctx context.Context) (LogReport, error) {
	var r LogReport
	for {
		next, err := view(ctx, t.state, func(tx *teamTx) (LogReport, error) {
			next := r
			n, err := tx.verifyPage(&next, 1000)
			if err == nil && n == 0 && r.Last != tx.seq() {
				err = &DamageError{r.Last + 1, "is missing: the log ends before its head"}
			}
			return next, err
		})
		if err != nil || next == r {
			return r, err
		}
		r = next
	}
}

// verifyPage checks up to limit events after r.Last and moves r on.
func (t *teamTx) verifyPage(r *LogReport, limit int) (n int, err error) {
	_, end := keyspace.Table(tableEvent).Prefix()
	for k, stored := range t.tx.Scan(store.Range{Start: keyEvent(r.Last + 1), End: end, Limit: limit}) {
		seq := Seq(keyspace.Parse(k).Uint())
		event, hash := unchain(stored)
		var e Event
		switch err := json.Unmarshal(stored, &e); {
		case err != nil || hash == nil:
			return n, &DamageError{seq, "cannot be read"}
		case e.EventID != seq:
			return n, &DamageError{seq, fmt.Sprintf("says that it is number %d", e.EventID)}
		case r.Last != 0 && seq != r.Last+1:
			return n, &DamageError{r.Last + 1, "is missing"}
		case r.Last != 0 || seq == 1:
			sum := sha256.Sum256(append([]byte(r.Hash), event...))
			if hex.EncodeToString(sum[:]) != string(hash) {
				return n, &DamageError{seq, "does not follow from the event before it"}
			}
		}
		if r.First == 0 {
			r.First = seq
		}
		r.Last, r.Hash = seq, string(hash)
		n++
	}
	return n, nil
}
