package main

import (
	"bytes"
	"context"
	"time"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
)

// The pace of a status that is watched.
const (
	watchPace  = 500 * time.Millisecond // between two looks at the server
	watchClock = time.Second            // ages and countdowns go on by themselves
)

// watchStatus shows the status until it is interrupted: on a terminal in place, else
// once more after each change.
func (c *call) watchStatus(ctx context.Context) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	g, err := c.glance(ctx)
	if err != nil {
		return err
	}
	c.Client = c.With(func(o *client.Options) { o.Patience = restartTime }) // from now on it may restart
	changed := make(chan struct{}, 1)
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		for _, err := range c.Follow(ctx, client.FollowRequest{Since: &g.status.Value.HeadEventID}) {
			if err != nil {
				end(err)
				return
			}
			select {
			case changed <- struct{}{}:
			default: // it is known that there is something
			}
		}
	}()
	defer func() { end(nil); <-followed }()
	if c.print.Terminal && c.print.Format == display.Tables {
		return c.drawStatus(ctx, g, changed)
	}
	if c.print.Format == display.JSON {
		c.print.Format = display.JSONL
	}
	return c.repeatStatus(ctx, g, changed)
}

// repeatStatus shows the status again after each change of the log.
func (c *call) repeatStatus(ctx context.Context, g *glance, changed <-chan struct{}) error {
	for shown := false; ; {
		if err := g.show(c.print); err != nil {
			return err
		}
		head := g.status.Value.HeadEventID
		for shown = true; shown; {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-changed:
			}
			if err := client.Pause(ctx, watchPace); err != nil {
				return err
			}
			var err error
			if g, err = c.glance(ctx); err != nil {
				return err
			}
			shown = g.status.Value.HeadEventID == head
		}
	}
}

// drawStatus draws the status in place.
func (c *call) drawStatus(ctx context.Context, g *glance, changed <-chan struct{}) (err error) {
	screen, err := display.Enter(c.print.Out)
	if err != nil {
		return err
	}
	defer func() {
		if left := screen.Leave(); err == nil {
			err = left
		}
	}()
	clock := time.NewTicker(watchClock)
	defer clock.Stop()
	for {
		if err := c.drawOnce(screen, g); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-clock.C:
			continue
		case <-changed:
		}
		if g, err = c.glance(ctx); err != nil {
			return err
		}
		if err := c.drawOnce(screen, g); err != nil {
			return err
		}
		if err := client.Pause(ctx, watchPace); err != nil {
			return err
		}
	}
}

func (c *call) drawOnce(screen *display.Screen, g *glance) error {
	var b bytes.Buffer
	p := *c.print
	p.Out = &b
	if columns, _ := screen.Size(); columns > 0 {
		p.Width = columns
	}
	if err := g.show(&p); err != nil {
		return err
	}
	return screen.Draw(b.String())
}
