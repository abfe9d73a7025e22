package main

import (
	"context"
	"encoding/json"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
)

// outputPage is how many chunks are read at a time.
const outputPage = 200

// chunks is a stream of an agent's output that is shown as it comes: each chunk once,
// in order.
type chunks struct {
	*call

	agent   string
	only    atmcp.DirectiveID // if it is set
	last    atmcp.Seq
	cleaner display.Cleaner
	silent  bool // nothing is shown but what comes of it
}

// outputAnswer is a page with its chunks as the server wrote them.
type outputAnswer struct {
	Chunks  []json.RawMessage `json:"chunks"`
	HeadSeq atmcp.Seq         `json:"head_seq"`
}

// page reads what follows after a chunk; after none, the newest page.
func (s *chunks) page(ctx context.Context, since atmcp.Seq, limit int) (client.Reply[outputAnswer], error) {
	query := url.Values{"since_seq": {strconv.FormatUint(uint64(since), 10)}, "limit": {strconv.Itoa(limit)}, "max_bytes": {strconv.Itoa(1 << 20)}}
	return client.AskTeam[outputAnswer](ctx, s.Client, client.Request{Query: query}, "agents", s.agent, "output")
}

// catchUp shows what there is after the last chunk that was shown.
func (s *chunks) catchUp(ctx context.Context) error {
	for {
		p, err := s.page(ctx, s.last, outputPage)
		if err != nil {
			return err
		}
		if len(p.Value.Chunks) == 0 {
			return nil
		}
		if err := s.showRaw(p.Value.Chunks); err != nil || s.last >= p.Value.HeadSeq {
			return err
		}
	}
}

func (s *chunks) showRaw(raws []json.RawMessage) error {
	for _, raw := range raws {
		var c atmcp.Chunk
		if err := json.Unmarshal(raw, &c); err != nil {
			return err
		}
		if err := s.show(c, raw); err != nil {
			return err
		}
	}
	return nil
}

// show shows a chunk that was not shown yet.
func (s *chunks) show(c atmcp.Chunk, raw json.RawMessage) error {
	if c.Seq <= s.last {
		return nil
	}
	s.last = c.Seq
	if s.silent || s.only != "" && deref(c.DirectiveID) != s.only {
		return nil
	}
	switch s.print.Format {
	case display.JSON, display.JSONL:
		return s.print.Object(raw, nil)
	case display.Quiet:
		return s.print.Line(strconv.FormatUint(uint64(c.Seq), 10))
	case display.Tables:
	}
	text := c.Text
	if !s.print.Raw {
		text = s.cleaner.Clean(text)
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	_, err := io.WriteString(s.print.Out, text)
	return err
}

// frame takes what a feed says. Where chunks may be missing they are read.
func (s *chunks) frame(ctx context.Context, f client.Frame) error {
	switch {
	case f.Present():
		return s.catchUp(ctx)
	case f.Type == "output" && len(f.Chunks) > 0:
		if first := f.Chunks[0].Seq; first > s.last+1 {
			return s.catchUp(ctx)
		}
		for _, c := range f.Chunks {
			raw, err := json.Marshal(c)
			if err != nil {
				return err
			}
			if err := s.show(c, raw); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow shows what comes, until ctx ends. A server that restarts is waited for.
func (s *chunks) follow(ctx context.Context) error {
	for f, err := range s.Follow(ctx, client.FollowRequest{Output: []string{s.agent}}) {
		if err != nil {
			return err
		}
		if err := s.frame(ctx, f); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return err
		}
	}
	return nil
}

// outputCommand shows what an agent wrote.
func outputCommand(a *app) *cobra.Command {
	var follow, raw bool
	var newest int
	cmd := &cobra.Command{
		Use: "output AGENT", Short: "What an agent wrote last", Args: exactArgs(1),
		RunE: a.runs(func(c *call) error {
			c.print.Raw = raw
			return c.output(&chunks{call: c, agent: c.args[0]}, newest, follow)
		}),
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what it writes")
	cmd.Flags().BoolVar(&raw, "raw", false, "show control sequences as they are")
	cmd.Flags().IntVarP(&newest, "limit", "n", outputPage, "how many chunks at most, the newest")
	completeArgs(a, cmd, completeAgents)
	return cmd
}

// output shows an agent's newest output, and goes on with it if asked to.
func (c *call) output(s *chunks, newest int, follow bool) error {
	ctx := c.cmd.Context()
	p, err := s.page(ctx, 0, max(1, newest))
	if err != nil {
		return err
	}
	if newest <= 0 { // nothing of the past
		s.last = p.Value.HeadSeq
	} else if c.print.Format == display.JSON && !follow {
		return display.Record{}.Show(c.print, p.Raw)
	} else if err := s.showRaw(p.Value.Chunks); err != nil {
		return err
	}
	if !follow {
		return nil
	}
	return s.follow(ctx)
}
