package main

import (
	"context"
	"log/slog"
	"net/url"

	"github.com/atmcp/atmcp/liveness/valkeylive"
)

// sharedPresence is what servers share who is alive through; the zero value is a
// server by itself.
type sharedPresence struct {
	live    *valkeylive.Live
	address string // without what is secret in it
}

// openShared connects to what was configured, and puts it into the hub's
// configuration. One that does not answer keeps no server from starting.
func openShared(ctx context.Context, c *config, log *slog.Logger) (sharedPresence, error) {
	if c.valkeyURL == "" {
		return sharedPresence{}, nil
	}
	live, err := valkeylive.Open(ctx, valkeylive.Options{URL: c.valkeyURL, Logger: log})
	if err != nil {
		return sharedPresence{}, usageError{err}
	}
	c.hub.Liveness = live
	return sharedPresence{live, withoutSecrets(c.valkeyURL)}, nil
}

// withoutSecrets is a URL without its user and parameters.
func withoutSecrets(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

func (s sharedPresence) close() error {
	if s.live == nil {
		return nil
	}
	return s.live.Close()
}

// told is how the banner puts it; empty for a server by itself.
func (s sharedPresence) told() string {
	switch {
	case s.live == nil:
		return ""
	case s.live.Err() != nil:
		return s.address + " does not answer yet; until it does, this server sees its own agents"
	}
	return "shared through " + s.address
}
