package limit

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// hostOf reads the address of "host:port", false where there is none: a test's, or a
// socket without addresses.
func hostOf(remote string) (netip.Addr, bool) {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return netip.Addr{}, false
	}
	ip, err := netip.ParseAddr(host)
	return ip.Unmap().WithZone(""), err == nil
}

// forwards tells whether others come through an address.
func (l Limits) forwards(ip netip.Addr) bool {
	return slices.ContainsFunc(l.Proxies, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// connectionOf names the address of a connection, false where it has no limit.
func (l Limits) connectionOf(remote string) (string, bool) {
	ip, ok := hostOf(remote)
	if !ok || l.forwards(ip) {
		return "", false
	}
	return counted(ip)
}

// addressOf names the address that a request comes from: the last in the chain of
// those who forwarded it that is no proxy of ours. What stands before that in the
// header was said by a stranger.
func (l Limits) addressOf(r *http.Request) (string, bool) {
	ip, ok := hostOf(r.RemoteAddr)
	if !ok {
		return "", false
	}
	chain := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(chain) - 1; i >= 0 && l.forwards(ip); i-- {
		before, err := netip.ParseAddr(strings.TrimSpace(chain[i]))
		if err != nil {
			break
		}
		ip = before.Unmap().WithZone("")
	}
	return counted(ip)
}

// counted names who is counted as one, and false for loopback: of IPv6 one customer of
// a network has a whole /64.
func counted(ip netip.Addr) (string, bool) {
	if ip.IsLoopback() {
		return "", false
	}
	if !ip.Is6() {
		return ip.String(), true
	}
	prefix, err := ip.Prefix(64)
	return prefix.String(), err == nil
}
