package httpapi

import (
	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/feed"
	"github.com/atmcp/atmcp/transport/limit"
)

// limitsShown is what a client can know of what is too much.
type limitsShown struct {
	// Rates are those of the server; null where it has none.
	Rates *limit.Limits `json:"rates"`

	BodyBytes     int `json:"body_bytes"`
	PageBytes     int `json:"page_bytes"` // of a list
	TitleChars    int `json:"title_chars"`
	WaitMS        int `json:"wait_ms"`      // of most calls
	LongWaitMS    int `json:"long_wait_ms"` // of the tool wait
	LeaseMinS     int `json:"lease_min_s"`
	LeaseMaxS     int `json:"lease_max_s"`
	SessionsHours int `json:"session_hours"` // of a browser
	TeamFeeds     int `json:"team_feeds"`    // open at once
}

// limits tells what is too much. What a limit refuses names it as well.
func (s *server) limits(c *call) error {
	shown := limitsShown{
		BodyBytes: MaxBody, PageBytes: atmcp.MaxPageBytes, TitleChars: atmcp.MaxTitle,
		WaitMS: int(atmcp.MaxToolWait.Milliseconds()), LongWaitMS: int(atmcp.MaxWait.Milliseconds()),
		LeaseMinS: int(atmcp.MinLeaseTTL.Seconds()), LeaseMaxS: int(atmcp.MaxLeaseTTL.Seconds()),
		SessionsHours: 12, TeamFeeds: feed.MaxReaders,
	}
	if rates, ok := s.opt.Limits.Limits(); ok {
		shown.Rates = &rates
	}
	return c.reply(shown)
}
