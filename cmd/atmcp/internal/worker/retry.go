package worker

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"time"
)

// passing is what a failure says that may be over in a minute: the words of
// the original, of which one is enough.
//
//nolint:gochecknoglobals // a constant that Go cannot write as such
var passing = strings.Split(`overload|rate limit|rate-limit|rate_limit|ratelimit|too many requests|timeout|timed out|time-out|`+
	`deadline exceeded|connection reset|connection refused|connection error|econnreset|econnrefused|etimedout|eai_again|broken pipe|`+
	`tls handshake|name resolution|could not resolve|no such host|network|fetch failed|socket hang up|temporarily unavailable|`+
	`service unavailable|bad gateway|gateway time|try again|please retry|retry later`, "|")

// statusCode finds a status that says the same, right after a word that says it is
// one, so that "line 500" is none.
var statusCode = regexp.MustCompile(`\b(?:https?|status|code|error|err|api)\b[^\w\n]{0,4}(?:code|status|error)?[^\w\n]{0,3}(?:429|5\d\d)\b`)

// transient tells whether what a command wrote at its end sounds as if the same
// might succeed a little later.
func transient(text string) bool {
	text = strings.ToLower(text)
	for _, word := range passing {
		if strings.Contains(text, word) {
			return true
		}
	}
	return statusCode.MatchString(text)
}

// goneSession finds that a program does not know the session it was to go on with.
var goneSession = regexp.MustCompile(`\b(?:no|not|invalid|unknown)\b.{0,40}\b(?:conversation|session|thread|rollout|chat)\b|` +
	`\b(?:conversation|session|thread|rollout|chat)\b.{0,80}\b(?:not found|does not exist|doesn't exist|expired|invalid)\b`)

// sessionGone tells whether a command failed for want of its session alone.
func sessionGone(text string) bool { return goneSession.MatchString(strings.ToLower(text)) }

// maxDelay is the longest pause before a retry, give or take half of it.
const maxDelay = time.Minute

// delay is the pause before the n-th retry, from 1: it doubles from base, and is
// spread so that workers that failed together do not come back together.
func delay(base time.Duration, n int) time.Duration {
	d := base
	for i := 1; i < n && d < maxDelay; i++ {
		d *= 2
	}
	d = min(d, maxDelay)
	return time.Duration((0.5 + rand.Float64()) * float64(d)) //nolint:gosec // no secret
}
