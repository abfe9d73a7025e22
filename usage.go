package atmcp

import (
	"context"
	"math"
	"time"
	"unicode/utf8"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// What agents say that their models used is added up in buckets of time, so that
// neither keeping it nor reading it grows with the number of reports. It is for
// people to watch; nothing is refused because of it.

// usageSpan is one width of buckets: a window is read from the buckets that began
// in it, so that its beginning is up to a bucket's width too early.
type usageSpan struct {
	bucket, window time.Duration
}

// usageSpans are the three widths: for 5 hours, for 7 days, and for as long as
// usage is kept.
func (h *Hub) usageSpans() [3]usageSpan {
	return [3]usageSpan{
		{10 * time.Minute, 5 * time.Hour},
		{time.Hour, 7 * 24 * time.Hour},
		{24 * time.Hour, h.cfg.UsageRetention},
	}
}

// usageRecord is a bucket on disk, at span, its beginning in milliseconds and agent.
type usageRecord struct {
	Input         int64 `json:"in,omitempty"`
	Output        int64 `json:"out,omitempty"`
	CacheRead     int64 `json:"cr,omitempty"`
	CacheCreation int64 `json:"cc,omitempty"`
	MicroUSD      int64 `json:"usd,omitempty"`
	Runs          int64 `json:"runs"`
	LastTS        int64 `json:"ts"`
	Until         int64 `json:"until"` // of no use from then on
}

func keyUsage(span int, begin int64, who AgentID) keyspace.Key {
	return keyspace.Table(tableUsage).Uint(uint64(span)).Uint(uint64(begin)).Str(string(who)) //nolint:gosec // neither is negative
}

// ReportUsageRequest says what one run of an agent's model used. Negative numbers
// count as 0, as in the original, and none counts for more than 2^40.
type ReportUsageRequest struct {
	// DirectiveID is what the run was for; one that the team does not have is dropped.
	DirectiveID   DirectiveID `json:"directive_id,omitempty"`
	Model         string      `json:"model,omitempty"` // at most 128 characters, longer ones are cut
	InputTokens   int64       `json:"input_tokens"`
	OutputTokens  int64       `json:"output_tokens"`
	CacheRead     int64       `json:"cache_read"`
	CacheCreation int64       `json:"cache_creation"`
	CostUSD       float64     `json:"cost_usd"` // kept in millionths
	IdemKey       string      `json:"idem_key,omitempty"`
}

// ReportUsageResult says what was counted.
type ReportUsageResult struct {
	Outcome

	AgentID AgentID `json:"agent_id"`
	CostUSD float64 `json:"cost_usd"`
	Tokens  int64   `json:"tokens"` // input and output
	EventID Seq     `json:"event_id"`
}

const (
	maxModel = 128
	maxUsage = 1 << 40 // tokens or millionths of a dollar, of one report
)

// ReportUsage adds to what the agent's model used.
func (a *Agent) ReportUsage(ctx context.Context, req ReportUsageRequest) (ReportUsageResult, error) {
	if !utf8.ValidString(req.Model) {
		return ReportUsageResult{}, invalid("model", "is not valid UTF-8")
	}
	count := func(n int64) int64 { return min(max(n, 0), maxUsage) }
	used := usageRecord{
		Input: count(req.InputTokens), Output: count(req.OutputTokens),
		CacheRead: count(req.CacheRead), CacheCreation: count(req.CacheCreation),
		MicroUSD: int64(math.Round(min(max(req.CostUSD*1e6, 0), maxUsage))), Runs: 1,
	}
	return mutate(ctx, a, call{"report_usage", req.IdemKey, req}, func(t *teamTx) (ReportUsageResult, error) {
		var directive *DirectiveID
		if req.DirectiveID != "" {
			if x, err := t.directive(req.DirectiveID); err == nil {
				directive = &x.id
			}
		}
		t.addUsage(a.id, used)
		seq := t.emit(change{kind: EventUsageReported, entity: EntityAgent, id: string(a.id), payload: map[string]any{
			"model": cutText(req.Model, maxModel), "input_tokens": used.Input, "output_tokens": used.Output,
			"cost_usd": dollars(used.MicroUSD), "directive_id": directive,
		}})
		return ReportUsageResult{AgentID: a.id, CostUSD: dollars(used.MicroUSD), Tokens: used.Input + used.Output, EventID: seq}, nil
	})
}

func dollars(micro int64) float64 { return float64(micro) / 1e6 }

func (t *teamTx) addUsage(who AgentID, used usageRecord) {
	for i, span := range t.hub.usageSpans() {
		width := span.bucket.Milliseconds()
		begin := t.now() / width * width
		k := keyUsage(i, begin, who)
		rec, _ := load[usageRecord](t, k)
		rec.add(used)
		rec.LastTS, rec.Until = t.now(), begin+width+span.window.Milliseconds()
		save(t, k, rec)
	}
}

func (r *usageRecord) add(o usageRecord) {
	r.Input += o.Input
	r.Output += o.Output
	r.CacheRead += o.CacheRead
	r.CacheCreation += o.CacheCreation
	r.MicroUSD += o.MicroUSD
	r.Runs += o.Runs
	r.LastTS = max(r.LastTS, o.LastTS)
}

// UsageWindow is what was used lately.
type UsageWindow struct {
	CostUSD float64 `json:"cost_usd"`
	Tokens  int64   `json:"tokens"` // input and output
	Runs    int64   `json:"runs"`
}

// Usage is what an agent, or the team, used in the time that usage is kept, in the
// last 5 hours (and up to 10 minutes more) and in the last 7 days (and up to an
// hour more).
type Usage struct {
	InputTokens   int64       `json:"input_tokens"`
	OutputTokens  int64       `json:"output_tokens"`
	CacheRead     int64       `json:"cache_read"`
	CacheCreation int64       `json:"cache_creation"`
	CostUSD       float64     `json:"cost_usd"`
	Runs          int64       `json:"runs"`
	LastTS        *int64      `json:"last_ts"`
	Window5h      UsageWindow `json:"window_5h"`
	Window7d      UsageWindow `json:"window_7d"`
}

// TeamUsage is the usage of a team and of each agent that reported some.
type TeamUsage struct {
	Agents map[AgentID]Usage `json:"agents"`
	Team   Usage             `json:"team"`
}

// Usage returns what the team's models used.
func (t *Team) Usage(ctx context.Context) (TeamUsage, error) {
	return view(ctx, t.state, func(tx *teamTx) (TeamUsage, error) {
		var sums [3]map[AgentID]usageRecord
		for i, span := range tx.hub.usageSpans() {
			sums[i] = tx.usageSince(i, tx.now()-(span.window+span.bucket).Milliseconds())
		}
		res := TeamUsage{Agents: make(map[AgentID]Usage, len(sums[2]))}
		var whole [3]usageRecord
		for who := range sums[2] {
			of := [3]usageRecord{sums[0][who], sums[1][who], sums[2][who]}
			for i := range whole {
				whole[i].add(of[i])
			}
			res.Agents[who] = usageOf(of)
		}
		res.Team = usageOf(whole)
		return res, nil
	})
}

// usageSince adds up the buckets that began after a time, by agent.
func (t *teamTx) usageSince(span int, since int64) map[AgentID]usageRecord {
	sums := make(map[AgentID]usageRecord)
	of := keyspace.Table(tableUsage).Uint(uint64(span)) //nolint:gosec // 0 to 2
	r := keyspace.RangeFrom(of, of.Uint(uint64(max(since, 0))), 0)
	for k, rec := range scan[usageRecord](t, r) {
		at := keyspace.Parse(k)
		at.Uint()
		at.Uint()
		who := AgentID(at.Str())
		sum := sums[who]
		sum.add(rec)
		sums[who] = sum
	}
	return sums
}

func usageOf(of [3]usageRecord) Usage {
	window := func(r usageRecord) UsageWindow {
		return UsageWindow{CostUSD: dollars(r.MicroUSD), Tokens: r.Input + r.Output, Runs: r.Runs}
	}
	all := of[2]
	return Usage{
		InputTokens: all.Input, OutputTokens: all.Output, CacheRead: all.CacheRead, CacheCreation: all.CacheCreation,
		CostUSD: dollars(all.MicroUSD), Runs: all.Runs, LastTS: optional(all.LastTS), Window5h: window(of[0]), Window7d: window(of[1]),
	}
}
