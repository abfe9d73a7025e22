package main

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
)

// sidecar keeps an agent present that does not beat itself.
type sidecar struct {
	app *app

	token, status, interval string
	can                     []string
	once                    bool
}

func heartbeatCommand(a *app) *cobra.Command {
	s := &sidecar{app: a}
	cmd := &cobra.Command{
		Use:   "heartbeat",
		Short: "Keep an agent present that does not beat itself",
		Long: `Beat for an agent every few seconds, until this is ended. A beat also renews the
leases of what the agent holds, so run this beside the agent and end it with it.
A server that cannot be reached is tried again with the next beat.`,
		Example: "  atmcp heartbeat --name alice --status reviewing &",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return s.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.StringVar(&s.interval, "interval", "10", "time between beats, in seconds or as 10s")
	f.StringVar(&s.status, "status", "online", "what the team sees that the agent does")
	f.StringSliceVar(&s.can, "can", nil, "capabilities, such as go,rust; they count where this is what has the agent join")
	f.BoolVar(&s.once, "once", false, "beat once, and fail if that fails")
	f.StringVar(&s.token, "token", "", "the token; ATMCP_TOKEN and --token-file are not seen by other users of the machine")
	_ = f.MarkHidden("token") // the flag is there; scripts of the original have it
	return cmd
}

// parseSeconds reads a number of seconds, as the original's programs take it, or a
// duration with its unit.
func parseSeconds(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if n, numErr := strconv.ParseFloat(text, 64); numErr == nil {
		d, err = time.Duration(n*float64(time.Second)), nil
	}
	if err != nil || d < 100*time.Millisecond || d > time.Hour {
		return 0, usageError{fmt.Errorf("an interval of %q is not from 0.1 to 3600 seconds", text)}
	}
	return d, nil
}

func (s *sidecar) run(ctx context.Context) error {
	every, err := parseSeconds(s.interval)
	if err != nil {
		return err
	}
	set, err := s.app.settings()
	if err != nil {
		return err
	}
	if set, err = set.withToken(s.token); err != nil {
		return err
	}
	c, err := s.app.clientOf(set)
	if err != nil {
		return err
	}
	c = c.With(func(o *client.Options) { o.Attempts = 1 })
	if s.once {
		return s.beat(ctx, set, c)
	}
	log := slog.New(slog.NewTextHandler(s.app.err, nil))
	healthy := false
	for first := true; ctx.Err() == nil; first = false {
		// A failure is told once, and so is that it is over.
		switch err := s.beat(ctx, set, c); {
		case err != nil && (healthy || first) && ctx.Err() == nil:
			log.WarnContext(ctx, "no beat, retrying", "every", every, "error", err)
			healthy = false
		case err == nil && !healthy:
			log.InfoContext(ctx, "beating", "every", every)
			healthy = true
		}
		_ = client.Pause(ctx, every) // the loop looks why
	}
	return nil
}

func (s *sidecar) beat(ctx context.Context, set settings, c *client.Client) error {
	name, err := agentName(ctx, set, c)
	if err != nil {
		return err
	}
	body := client.Body{"display_name": name, "status_summary": s.status}
	if len(s.can) > 0 {
		body["capabilities"] = s.can
	}
	_, err = client.AskTeam[atmcp.HeartbeatResult](ctx, c, client.Request{Body: body, Repeatable: true}, "heartbeat")
	return err
}
