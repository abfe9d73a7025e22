// Package livetest holds the promises of package liveness as tests.
//
// A backend passes them with one call:
//
//	livetest.Run(t, func(t *testing.T, test func(*testing.T, livetest.Backend)) {
//		synctest.Test(t, func(t *testing.T) {
//			test(t, livetest.Backend{Live: memlive.New(), Advance: time.Sleep})
//		})
//	})
package livetest

import (
	"cmp"
	"testing"
	"time"

	"github.com/atmcp/atmcp/liveness"
)

// Backend is a fresh, empty Liveness under test. The suite closes it.
type Backend struct {
	Live liveness.Liveness
	// Advance lets time pass for the backend, exactly d: a sleep inside a
	// synctest bubble, or the hands of its own clock. With a server of its own,
	// whose time is nobody's to set, it is a sleep; TTL and Grain are for that.
	Advance func(d time.Duration)
	// TTL is the term of the suite's beats. Zero means 30 s.
	TTL time.Duration
	// Grain is how sharp Advance is. Zero means a millisecond.
	Grain time.Duration
}

// Factory makes a backend and calls test with it, once. It stands around the test
// so that it may begin a bubble; the t of a bubble is then the one to pass on.
type Factory func(t *testing.T, test func(t *testing.T, b Backend))

// Run holds the backend to all promises, each in a subtest of its own. Those of a
// [liveness.Notifier] hold for a backend that is one.
func Run(t *testing.T, factory Factory) {
	t.Helper()
	for _, p := range []struct {
		name string
		test func(*testing.T, Backend)
	}{
		{"UnknownTeamHasAnEmptyRoster", testUnknown},
		{"RosterShowsTheLatestBeatOfEverybody", testRoster},
		{"RosterBelongsToItsCaller", testOwnRoster},
		{"BeatLastsExactlyItsTTL", testTTL},
		{"BeatReplacesTheTTLBefore", testNewTTL},
		{"AgeCountsFromTheBeatNotItsWallTime", testAge},
		{"ForgottenAgentIsGoneAtOnce", testForget},
		{"TeamsAreApart", testTeams},
		{"AnyNameIsOneName", testNames},
		{"ManyAgentsComeAndGo", testMany},
		{"ConcurrentUseLosesNobody", testConcurrent},
		{"DoneContextChangesNothing", testContext},
		{"ClosedLivenessRefuses", testClose},
		{"NotifyTellsEveryWatch", testNotify},
		{"WatchEndsWithItsContextOrTheLiveness", testWatchEnds},
	} {
		t.Run(p.name, func(t *testing.T) {
			factory(t, func(t *testing.T, b Backend) {
				t.Helper()
				defer func() {
					if err := b.Live.Close(); err != nil {
						t.Errorf("close: %v", err)
					}
				}()
				b.TTL, b.Grain = cmp.Or(b.TTL, 30*time.Second), cmp.Or(b.Grain, time.Millisecond)
				p.test(t, b)
			})
		})
	}
}
