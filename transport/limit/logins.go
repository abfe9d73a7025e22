package limit

import (
	"net/http"
	"time"

	"github.com/atmcp/atmcp"
)

// logins are the credentials of one address that were not good, in one minute.
type logins struct {
	failed int
	since  time.Time
}

// maxAddresses bounds how many addresses are remembered; beyond it none is added
// until the minute is over, and each of those there are has its limit.
const maxAddresses = 100_000

// MayLogin refuses, before it is looked at, a credential that could be a guess, from
// an address that guessed wrong too often. A token that a hub made cannot be guessed:
// where it is good its owner goes on, whoever else is behind that address.
func (l *Limiter) MayLogin(r *http.Request, token string) error {
	if l == nil || atmcp.IsMintedToken(token) {
		return nil
	}
	addr, ok := l.limits.addressOf(r)
	if !ok {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failingLocked(addr)
}

// LoginFailed counts a credential that was not good, and refuses once that is too many.
func (l *Limiter) LoginFailed(r *http.Request) error {
	if l == nil {
		return nil
	}
	addr, ok := l.limits.addressOf(r)
	if !ok {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweepLocked()
	err := l.failingLocked(addr)
	of := l.logins[addr]
	if of == nil && len(l.logins) >= maxAddresses {
		return err
	}
	if of == nil || time.Since(of.since) >= kept {
		of = &logins{since: time.Now()}
		l.logins[addr] = of
	}
	of.failed++
	return err
}

// failingLocked refuses an address that had too many credentials that were not good.
func (l *Limiter) failingLocked(addr string) error {
	of := l.logins[addr]
	if of == nil || of.failed < l.limits.FailedLogins || time.Since(of.since) >= kept {
		return nil
	}
	return refuse("failed sign-ins of the address a minute", l.limits.FailedLogins, kept-time.Since(of.since))
}
