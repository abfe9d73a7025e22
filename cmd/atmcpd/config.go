package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/limit"
)

// config is what an operator may decide.
type config struct {
	addr           string
	dataDir        string
	maxData        int
	sqlitePath     string // of the original; names the data directory if nothing else does
	publicURL      string // empty: what the listener's address says
	adminToken     string // empty: from the file
	adminTokenFile string // empty: admin-token in the data directory
	dashboardAuth  *bool  // nil: closed unless only this machine can reach the server
	hosts, origins []string
	uiDir          string // empty: the page in the program
	tlsCert        string // both or none
	tlsKey         string
	metricsAddr    string // empty: on the server's own address alone
	logJSON        bool
	valkeyURL      string // empty: presence is this server's own
	hub            atmcp.Config
	limits         limit.Limits
	unused         []string // settings of the original that say nothing here
}

// configOf reads flags and environment; a flag wins. The first bad value is
// returned as a usageError in one line.
func configOf(cmd *cobra.Command, getenv func(string) string) (config, error) {
	c := config{addr: "127.0.0.1:8000"}
	for _, s := range settings() {
		name, value := s.env, getenv(s.env)
		if flag := s.flag(); flag != "" && cmd.Flags().Changed(flag) {
			name = "--" + flag
			var err error
			if value, err = cmd.Flags().GetString(flag); err != nil {
				return c, err
			}
		}
		if value == "" {
			continue
		}
		if err := s.take(&c, value); err != nil {
			return c, usageError{fmt.Errorf("%s: %w", name, err)}
		}
	}
	for _, env := range unusedSettings() {
		if getenv(env) != "" {
			c.unused = append(c.unused, env)
		}
	}
	if c.dataDir == "" && c.sqlitePath != "" {
		c.dataDir = filepath.Dir(c.sqlitePath)
	}
	dir, err := filepath.Abs(cmp.Or(c.dataDir, "data"))
	if err != nil {
		return c, fmt.Errorf("the current directory is gone: %w", err)
	}
	c.dataDir = dir
	return c, c.agree()
}

// agree checks what one value alone cannot tell.
func (c config) agree() error {
	healthy, degraded := c.hub.PresenceHealthy, c.hub.PresenceDegraded
	if cmp.Or(healthy, defaultHealthy) > cmp.Or(degraded, defaultDegraded) {
		return usageError{errors.New("ATMCP_PRESENCE_HEALTHY_S is above ATMCP_PRESENCE_DEGRADED_S: an agent is healthy first, then degraded, then offline")}
	}
	if c.adminToken != "" && c.adminTokenFile != "" {
		return usageError{errors.New("ATMCP_ADMIN_TOKEN and ATMCP_ADMIN_TOKEN_FILE are both set: leave one out")}
	}
	return c.agreeTLS()
}

// reach is where a server can be reached, which its listener and its
// configuration say together.
type reach struct {
	publicURL string
	loopback  bool // listens on loopback
	anywhere  bool // listens on all addresses and was told no name
	openReads bool
}

func (c config) reach(listening net.Addr) reach {
	r := reach{publicURL: c.publicURL, loopback: onLoopback(listening)}
	if r.publicURL == "" {
		host := listening.String()
		addr, _ := netip.ParseAddrPort(host)
		if addr.Addr().IsUnspecified() {
			host = fmt.Sprintf("localhost:%d", addr.Port())
			r.anywhere = true
		}
		r.publicURL = c.scheme() + "://" + host
	}
	if c.dashboardAuth != nil {
		r.openReads = !*c.dashboardAuth
		return r
	}
	// A name that is not this machine's says that something forwards to us.
	r.openReads = r.loopback && len(c.hosts) == 0 && isLocal(r.publicURL)
	return r
}

// onLoopback tells whether only this machine can reach what listens there.
func onLoopback(listening net.Addr) bool {
	addr, err := netip.ParseAddrPort(listening.String())
	return err == nil && addr.Addr().IsLoopback()
}

func isLocal(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || (err == nil && ip.IsLoopback())
}

// splitList reads a comma list; empty entries do not count.
func splitList(text string) []string {
	var list []string
	for entry := range strings.SplitSeq(text, ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			list = append(list, entry)
		}
	}
	return list
}
