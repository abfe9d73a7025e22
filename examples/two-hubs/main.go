// Command two-hubs is one team behind two hubs, as two servers behind one address are.
// The hubs share a store, and through a Valkey they share who is alive and wake each
// other. Here both are in one process and the store is in memory; nothing else would
// change with a store that reaches across machines.
//
//	VALKEY_URL=redis://127.0.0.1:6379 go run ./examples/two-hubs
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/liveness/valkeylive"
	"github.com/atmcp/atmcp/store/memstore"
)

func main() {
	if err := run(context.Background(), os.Getenv("VALKEY_URL")); err != nil {
		fmt.Fprintln(os.Stderr, "two-hubs:", err)
		os.Exit(1)
	}
}

// server is what each of the two has of its own.
type server struct {
	*atmcp.Hub

	live *valkeylive.Live
}

func open(ctx context.Context, data atmcp.Store, url string) (server, error) {
	live, err := valkeylive.Open(ctx, valkeylive.Options{URL: url})
	if err != nil {
		return server{}, err
	}
	hub, err := atmcp.Open(ctx, atmcp.Config{Store: data, Liveness: live})
	if err != nil {
		return server{}, errors.Join(err, live.Close())
	}
	return server{hub, live}, nil
}

func (s server) close() error { return errors.Join(s.Close(), s.live.Close()) }

// join makes an agent a member of the team through this server.
func (s server) join(ctx context.Context, name string) (*atmcp.Agent, error) {
	team, err := s.Team(ctx, "crew")
	if err != nil {
		return nil, err
	}
	agent, _, err := team.Join(ctx, atmcp.JoinRequest{DisplayName: name})
	return agent, err
}

func run(ctx context.Context, url string) (err error) {
	if url == "" {
		return errors.New("set VALKEY_URL, such as redis://127.0.0.1:6379")
	}
	data := memstore.New()
	defer func() { err = errors.Join(err, data.Close()) }()
	first, err := open(ctx, data, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, first.close()) }()
	second, err := open(ctx, data, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, second.close()) }()

	if _, err := first.CreateTeam(ctx, atmcp.CreateTeamRequest{Name: "crew"}); err != nil {
		return err
	}
	alice, err := first.join(ctx, "alice")
	if err != nil {
		return err
	}
	bob, err := second.join(ctx, "bob")
	if err != nil {
		return err
	}

	made := time.AfterFunc(100*time.Millisecond, func() {
		_, _ = alice.CreateTask(ctx, atmcp.CreateTaskRequest{Title: "measure the cache"}) // else bob finds nothing
	})
	defer made.Stop()
	task, err := bob.ClaimNextTask(ctx, atmcp.ClaimNextTaskRequest{Wait: 10 * time.Second})
	if err != nil {
		return err
	}
	fmt.Printf("bob, at the second hub, has %q, which alice made at the first\n", task.Task.Title)

	status := "measuring"
	if _, err := bob.Heartbeat(ctx, atmcp.HeartbeatRequest{StatusSummary: &status}); err != nil {
		return err
	}
	for range 100 { // what one hub hears of an agent, the other knows a moment later
		seen, err := alice.AgentRef(ctx, "bob")
		if err != nil {
			return err
		}
		if seen.StatusSummary != nil && *seen.StatusSummary == status {
			fmt.Printf("the first hub sees bob: %s, %s\n", seen.Presence, *seen.StatusSummary)
			return nil
		}
		<-time.After(20 * time.Millisecond)
	}
	return fmt.Errorf("the first hub does not see bob: %w", first.live.Err())
}
