package atmcp

import (
	"context"
	"time"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// UsageHistoryRequest says how far back to look.
type UsageHistoryRequest struct {
	Hours int `json:"hours,omitempty"` // 24 by default, 168 at most
}

// UsageBucket is what was used in an hour.
type UsageBucket struct {
	At     int64                   `json:"at"` // when the hour began
	Agents map[AgentID]UsageWindow `json:"agents"`
}

// UsageHistory is what was used hour by hour, the oldest first. An hour in which nobody
// reported anything is not there.
type UsageHistory struct {
	From     int64         `json:"from"`
	To       int64         `json:"to"`
	BucketMS int64         `json:"bucket_ms"`
	Buckets  []UsageBucket `json:"buckets"`
}

// hourlyUsage is the span that has a bucket an hour.
const hourlyUsage = 1

// UsageHistory returns what the team's models used, hour by hour.
func (t *Team) UsageHistory(ctx context.Context, req UsageHistoryRequest) (UsageHistory, error) {
	hours := int64(clampLimit(req.Hours, 24, 168))
	return view(ctx, t.state, func(tx *teamTx) (UsageHistory, error) {
		width := time.Hour.Milliseconds()
		res := UsageHistory{From: tx.now()/width*width - (hours-1)*width, To: tx.now(), BucketMS: width, Buckets: []UsageBucket{}}
		of := keyspace.Table(tableUsage).Uint(hourlyUsage)
		r := keyspace.RangeFrom(of, of.Uint(uint64(max(res.From-1, 0))), 0)
		for k, rec := range scan[usageRecord](tx, r) {
			at := keyspace.Parse(k)
			at.Uint()
			begin := int64(at.Uint()) //nolint:gosec // written from an int64
			if begin < res.From {
				continue
			}
			if n := len(res.Buckets); n == 0 || res.Buckets[n-1].At != begin {
				res.Buckets = append(res.Buckets, UsageBucket{begin, map[AgentID]UsageWindow{}})
			}
			used := UsageWindow{CostUSD: dollars(rec.MicroUSD), Tokens: rec.Input + rec.Output, Runs: rec.Runs}
			res.Buckets[len(res.Buckets)-1].Agents[AgentID(at.Str())] = used
		}
		return res, nil
	})
}
