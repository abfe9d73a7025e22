package e2e_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/boltstore"
)

// story is a team's morning: three hours in which eight agents work towards a release. It
// is lived through in a bubble whose clock ends where the real one stands, so that what
// it leaves behind is history, and the leases that are held at its end still run.
type story struct {
	t      *testing.T
	ctx    context.Context
	began  time.Time
	team   *atmcp.Team
	boss   *atmcp.Console
	agents map[string]*atmcp.Agent
	tasks  []atmcp.TaskID
	leases map[int]*atmcp.Lease
}

const morning = 3 * time.Hour

// full serves what the story left behind, with its agents alive but for dave.
func full(t *testing.T, change ...func(*wiring)) *site {
	t.Helper()
	needBrowser(t)
	path := filepath.Join(t.TempDir(), "hub.db")
	now := time.Now().Round(0)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(now.Add(-morning).Sub(time.Now()))
		tell(t, openFile(t, path))
	})
	w := wiring{store: openFile(t, path)}
	for _, fn := range change {
		fn(&w)
	}
	s := newSite(t, w)
	s.keepAlive(t)
	return s
}

// openFile opens a store of a file until the test ends.
func openFile(t *testing.T, path string) atmcp.Store {
	t.Helper()
	data, err := boltstore.Open(path, boltstore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, data.Close()) })
	return data
}

// tell lives through the morning.
func tell(t *testing.T, data atmcp.Store) {
	t.Helper()
	ctx := context.Background()
	hub, err := atmcp.Open(ctx, atmcp.Config{Store: data})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hub.Close()) })
	_, err = hub.CreateTeam(ctx, atmcp.CreateTeamRequest{Name: teamName})
	require.NoError(t, err)
	team, err := hub.Team(ctx, teamName)
	require.NoError(t, err)
	boss, err := team.Console("nina")
	require.NoError(t, err)
	s := &story{t: t, ctx: ctx, began: time.Now(), team: team, boss: boss, agents: map[string]*atmcp.Agent{}, leases: map[int]*atmcp.Lease{}}
	s.gather()
	s.plan()
	s.work()
	s.learn()
	s.steer()
	s.at(morning.Minutes())
}

// at waits until so many minutes of the morning have passed.
func (s *story) at(minute float64) {
	time.Sleep(time.Until(s.began.Add(time.Duration(minute * float64(time.Minute)))))
}

func (s *story) gather() {
	for _, name := range []string{"alice", "bob", "carol", "dave", "erin", "frank", "grace", "林小雨"} {
		agent, _, err := s.team.Join(s.ctx, atmcp.JoinRequest{DisplayName: name})
		require.NoError(s.t, err)
		s.agents[name] = agent
	}
}

// planned is a task before it has a number; after are the places of those it waits for.
type planned struct {
	title    string
	weight   int
	priority int
	after    []int
}

var plan = []planned{
	{"Write store conformance tests", 8, 3, nil},
	{"Fix WebSocket close codes", 5, 2, nil},
	{"Docs: failure model", 3, 0, nil},
	{"Migrate schema to v3", 5, 3, nil},
	{"Browser tests for the dashboard", 8, 2, []int{0, 1}},
	{"Add SSE fallback", 3, 1, nil},
	{"Reaper must compare the fencing token", 5, 3, nil},
	{"Benchmark group commit", 2, 0, nil},
	{"Lint: forbid time.Sleep", 1, 0, nil},
	{"翻译 README.zh-CN", 3, 1, nil},
	{"Index CJK text with bigrams", 5, 2, nil},
	{"Token rotation with overlap", 3, 2, nil},
	{"Connect page for Windsurf", 2, 1, []int{5}},
	{"Timeline of leases", 3, 1, nil},
	{"Diff of memory versions", 2, 0, []int{3}},
	{"Say what happens to directives whose addressee has left the team before it could answer them", 2, 0, nil},
	{"Review error strings", 1, 0, nil},
	{"Snapshot compression", 3, 1, nil},
	{"Presence over Valkey", 5, 1, nil},
	{"Prune events after 30 days", 2, 0, nil},
	{"Release notes", 2, 1, []int{2, 9}},
	{"Cut v1.0.0-rc1", 1, 2, []int{20, 4}},
	{"Publish container image", 1, 1, []int{21}},
	{"Announce", 1, 0, []int{22}},
}

func (s *story) plan() {
	release, err := s.boss.CreateGoal(s.ctx, atmcp.CreateGoalRequest{Title: "Ship v1.0", Description: ptr("Everything that the release needs: store, transports, dashboard, docs.")})
	require.NoError(s.t, err)
	chinese, err := s.boss.CreateGoal(s.ctx, atmcp.CreateGoalRequest{Title: "中文文档与界面", Description: ptr("README、界面与命令行")})
	require.NoError(s.t, err)
	for i, p := range plan {
		if i == 12 {
			s.at(40) // the rest comes up on the way
		}
		goal := release.GoalID
		if i == 9 {
			goal = chinese.GoalID
		}
		lease := 3600
		if i == 12 {
			lease = 900 // it runs out in the course of the story
		}
		var after []atmcp.TaskID
		for _, n := range p.after {
			after = append(after, s.tasks[n])
		}
		made, err := s.boss.CreateTask(s.ctx, atmcp.CreateTaskRequest{
			Title: p.title, GoalID: goal, Weight: p.weight, Priority: p.priority, DependsOn: after, LeaseTTLS: ptr(lease),
			Description: ptr("Run every backend through the same suite.\n\nSee #1, and the notes of @bob."),
		})
		require.NoError(s.t, err)
		s.tasks = append(s.tasks, made.TaskID)
		if i == 5 {
			s.early()
		}
	}
}

// early is what is done while the plan is still being made.
func (s *story) early() {
	s.claim("alice", 2)
	s.claim("bob", 5)
	s.at(12)
	s.done("alice", 2, "docs/failure-model.md has every promise")
	s.at(20)
	s.done("bob", 5, "EventSource after three upgrades that failed")
	s.claim("bob", 1)
	s.at(22)
	s.claim("alice", 0)
}

func (s *story) work() {
	s.claim("carol", 6)
	s.claim("erin", 10)
	s.at(48)
	s.release("alice", 0, "the suite needs the reaper's fix first")
	s.at(55)
	s.done("carol", 6, "compared in the same transaction")
	s.claim("carol", 7)
	s.claim("grace", 17)
	s.at(66)
	s.done("grace", 17, "gzip-1: 2.34 MB to 287 KB")
	s.fail("bob", 1, "1006 is not ours to send")
	s.at(74)
	s.done("carol", 7, "8.3 times as fast with 64 writers")
	s.claim("carol", 8)
	s.claim("dave", 13)
	s.at(88)
	s.done("erin", 10, "bigrams; MRR 0.77")
	s.done("carol", 8, "a rule and a test")
	s.claim("erin", 16)
	s.at(101)
	s.done("erin", 16, `lower case, no "failed to"`)
	s.done("dave", 13, "lanes, merged below two pixels")
	s.claim("dave", 3)
	s.at(118)
	s.fatal("dave", 3, "schema v2 has rows without a tag: cannot migrate")
	s.claim("dave", 12)
	s.at(140) // dave's lease ran out at 133
	s.cancel(19, "the reaper does that already")
	s.at(168)
	s.claim("林小雨", 9)
	s.progress("林小雨", 9, 75, "安装与接入两节已完成")
	s.claim("bob", 1)
	s.progress("bob", 1, 20, "1013 and 4401 done")
	s.at(171)
	s.claim("alice", 0)
	s.progress("alice", 0, 62, "boltstore and memstore green, faultstore next")
	s.claim("carol", 11)
	s.blocked("carol", 11, "needs a decision: overlap of 10 minutes or an hour?")
	s.at(178)
	s.claim("dave", 12)
}

func (s *story) learn() {
	for _, f := range []struct{ by, title, body, tag string }{
		{"bob", "Reaper must compare fencing token", "The lease reaper raced with claim; compare the token before it re-queues, in the same transaction.", "decision"},
		{"alice", "bbolt can apply a commit that returned an error", "Stop the process rather than guess: the truth is on disk.", "store"},
		{"林小雨", "中文检索需要二元切分", "bleve 的 cjk 分析器对「租约回收」这类词有效。", "search"},
		{"erin", "SSE blocks the seventh tab over HTTP/1.1", "Six connections a host. WebSocket has no such limit. 😀 A lease is not a lock.", "dashboard"},
	} {
		_, err := s.agents[f.by].PostKnowledge(s.ctx, atmcp.PostKnowledgeRequest{Title: f.title, Body: f.body, Tags: []string{f.tag}})
		require.NoError(s.t, err)
	}
	for _, m := range []struct{ key, value string }{
		{"build.flags", `{"race":false,"tags":["noui"]}`},
		{"build.flags", `{"race":true,"tags":["noui"]}`},
		{"deploy.target", `"eu-west"`},
		{"owner.store", `"alice"`},
		{"build.flags", `{"race":true,"tags":["noui","netgo"],"n":7}`},
	} {
		_, err := s.agents["alice"].SetMemory(s.ctx, atmcp.SetMemoryRequest{Key: m.key, Value: json.RawMessage(m.value)})
		require.NoError(s.t, err)
	}
	for i, u := range []struct {
		by      string
		in, out int64
		cost    float64
	}{{"alice", 182_000, 9_400, 1.12}, {"bob", 96_000, 5_100, 0.61}, {"carol", 240_000, 12_800, 1.49}, {"erin", 61_000, 2_900, 0.38}, {"林小雨", 44_000, 8_200, 0.33}} {
		_, err := s.agents[u.by].ReportUsage(s.ctx, atmcp.ReportUsageRequest{Model: "model-" + string(rune('a'+i%2)), InputTokens: u.in, OutputTokens: u.out, CacheRead: u.in / 2, CostUSD: u.cost})
		require.NoError(s.t, err)
	}
}

func (s *story) steer() {
	first := s.send("alice", "Summarise #2 in three sentences for the release notes", 0)
	s.begin("alice", first)
	s.report("alice", first, atmcp.DirectiveDone, "Close codes follow RFC 6455; 4401 means the token is gone; 1013 asks to come back later.")
	second := s.send("bob", "go vet ./…", 0)
	s.begin("bob", second)
	s.write("bob", second, "\x1b[1m$ go vet ./…\x1b[0m\n\x1b[31mtransport/ws.go:12:2: unreachable code\x1b[0m\nexit status 2\n")
	s.report("bob", second, atmcp.DirectiveFailed, "exit 2: transport/ws.go:12:2: unreachable code")
	third := s.send("bob", "go test -race ./transport/… and tell me what is slow", 3)
	s.begin("bob", third)
	s.write("bob", third, "\x1b[1m$ go test -race ./transport/…\x1b[0m\n=== RUN   TestCloseCodes\n\x1b[32m--- PASS\x1b[0m: TestCloseCodes (0.41s)\n=== RUN   TestSlowReader\n")
	s.send("carol", "Decide: the overlap of rotated tokens is 10 minutes", 0)
	s.send("dave", "Rebase your branch onto main", 0)
	s.write("alice", "", "\x1b[1m$ go test ./store/...\x1b[0m\n\x1b[32mok\x1b[0m  \tatmcp/store/boltstore\t1.204s\n\x1b[32mok\x1b[0m  \tatmcp/store/memstore\t0.311s\n--- \x1b[31mFAIL\x1b[0m: TestLease (0.02s)\n    lease_test.go:41: \x1b[33mexpected\x1b[0m 7, \x1b[1;31mgot 6\x1b[0m\nprogress  10%\rprogress  60%\rprogress 100%\n")
}

// keepAlive has the agents beat until the test ends, dave alone not.
func (s *site) keepAlive(t *testing.T) {
	t.Helper()
	says := map[string]string{"alice": "running go test ./store", "bob": "reading transport/httpapi/ws.go", "carol": "waiting for a decision on #12", "erin": "", "frank": "idle, waits for work", "grace": "", "林小雨": "翻译 README 中的安装步骤"}
	ctx, stop := context.WithCancel(context.Background())
	var beating sync.WaitGroup
	t.Cleanup(func() { stop(); beating.Wait() })
	for name, words := range says {
		agent := s.member(t, name)
		beat := func() { _, _ = agent.Heartbeat(ctx, atmcp.HeartbeatRequest{StatusSummary: &words}) }
		beat()
		beating.Go(func() {
			tick := time.NewTicker(5 * time.Second)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
					beat()
				}
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }
