package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/atmcp/atmcp/liveness/valkeylive"
)

// The defaults that agree needs to know; they are atmcp.Config's.
const (
	defaultHealthy  = 15 * time.Second
	defaultDegraded = 30 * time.Second
)

// setting is one thing that can be configured, by a variable of the environment
// and, but for secrets, by a flag of the same name.
type setting struct {
	env    string
	def    string // for people: what holds where nothing is said
	help   string
	secret bool
	take   func(*config, string) error
}

// flag is the name without ATMCP_, in lower case, with hyphens. A secret has
// none: arguments can be read by every user of the machine.
func (s setting) flag() string {
	if s.secret {
		return ""
	}
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(s.env, "ATMCP_")), "_", "-")
}

func (s setting) usage() string {
	return fmt.Sprintf("%s (%s; default %s)", s.help, s.env, s.def)
}

// settings are all of them, in the order of the table in README.md.
func settings() []setting {
	return []setting{
		{env: "ATMCP_ADDR", def: "127.0.0.1:8000", help: "address to listen on", take: takeAddr},
		{env: "ATMCP_DATA_DIR", def: "./data", help: "directory of the data, made with mode 0700", take: func(c *config, v string) error { c.dataDir = v; return nil }},
		{env: "ATMCP_DATA_MAX_BYTES", def: "none", help: "size beyond which the data's file does not grow, 1048576 or more; then what needs room is refused, and nothing is lost", take: takeMaxData},
		{env: "ATMCP_SQLITE_PATH", def: "none", help: "the original's file: its directory is the data directory, if nothing else says which", take: func(c *config, v string) error { c.sqlitePath = v; return nil }},
		{env: "ATMCP_PUBLIC_URL", def: "from the address", help: "address that clients are told; its host is allowed", take: takePublicURL},
		{env: "ATMCP_ADMIN_TOKEN", def: "made at the first start", help: "opens the operator's routes", secret: true, take: func(c *config, v string) error { c.adminToken = v; return nil }},
		{env: "ATMCP_ADMIN_TOKEN_FILE", def: "admin-token in the data directory", help: "file with the admin token", take: func(c *config, v string) error { c.adminTokenFile = v; return nil }},
		{env: "ATMCP_DASHBOARD_AUTH", def: "automatic", help: "1: reading takes a token, 0: it does not; automatic: it does not where only this machine can reach the server", take: takeDashboardAuth},
		{env: "ATMCP_UI_DIR", def: "none", help: "directory with the files of the page, read anew each time, in place of those in the program", take: func(c *config, v string) error { c.uiDir = v; return nil }},
		{env: "ATMCP_MCP_ALLOWED_HOSTS", def: "none", help: "comma list of further names of the server, host or host:port", take: takeHosts},
		{env: "ATMCP_MCP_ALLOWED_ORIGINS", def: "none", help: "comma list of origins of web pages that may call", take: takeOrigins},
		{env: "ATMCP_MCP_DNS_REBINDING", def: "1", help: "checking Host and Origin; cannot be switched off", take: takeRebinding},
		{env: "ATMCP_TLS_CERT", def: "none", help: "file with the certificate, PEM; TLS is served then, and replaced files are taken up", take: func(c *config, v string) error { c.tlsCert = v; return nil }},
		{env: "ATMCP_TLS_KEY", def: "none", help: "file with the certificate's key, PEM", take: func(c *config, v string) error { c.tlsKey = v; return nil }},
		{env: "ATMCP_METRICS_ADDR", def: "none", help: "address that serves /metrics to whoever reaches it; the operator has them at the server's own address too", take: takeMetricsAddr},
		{env: "ATMCP_VALKEY_URL", def: "none", help: "Valkey or Redis (7.0 or newer) through which servers share presence, such as redis://valkey:6379/0", secret: true, take: takeValkeyURL},
		{env: "ATMCP_REDIS_URL", def: "none", help: "another name of ATMCP_VALKEY_URL, which wins", secret: true, take: takeRedisURL},
		{env: "ATMCP_LOG_FORMAT", def: "text", help: "text or json, on stderr", take: takeLogFormat},
		{env: "ATMCP_HEARTBEAT_INTERVAL_S", def: "10", help: "how often agents are told to beat", take: seconds(year, func(c *config) *time.Duration { return &c.hub.HeartbeatInterval })},
		{env: "ATMCP_HEARTBEAT_TTL_S", def: "30", help: "how long a beat is remembered", take: seconds(year, func(c *config) *time.Duration { return &c.hub.HeartbeatTTL })},
		{env: "ATMCP_PRESENCE_HEALTHY_S", def: "15", help: "age of a beat below which an agent is healthy", take: seconds(year, func(c *config) *time.Duration { return &c.hub.PresenceHealthy })},
		{env: "ATMCP_PRESENCE_DEGRADED_S", def: "30", help: "age of a beat below which an agent is degraded, and offline from then on", take: seconds(year, func(c *config) *time.Duration { return &c.hub.PresenceDegraded })},
		{env: "ATMCP_LEASE_TTL_S", def: "90", help: "term of a lease where the task names none", take: seconds(24*time.Hour, func(c *config) *time.Duration { return &c.hub.LeaseTTL })},
		{env: "ATMCP_REAPER_INTERVAL_S", def: "1", help: "how often lapsed leases are looked for", take: seconds(time.Hour, func(c *config) *time.Duration { return &c.hub.ReapInterval })},
		{env: "ATMCP_TASK_MAX_ATTEMPTS", def: "5", help: "after how many attempts a task has failed for good", take: number(1000, func(c *config) *int { return &c.hub.TaskMaxAttempts })},
		{env: "ATMCP_IDEM_TTL_S", def: "86400", help: "how long an idempotency key is remembered", take: seconds(year, func(c *config) *time.Duration { return &c.hub.IdemTTL })},
		{env: "ATMCP_USAGE_RETENTION_S", def: "2592000", help: "how long it is known what models used", take: seconds(year, func(c *config) *time.Duration { return &c.hub.UsageRetention })},
		{env: "ATMCP_OUTPUT_RETENTION_S", def: "7200", help: "how long output is kept", take: seconds(year, func(c *config) *time.Duration { return &c.hub.OutputRetention })},
		{env: "ATMCP_OUTPUT_MAX_CHUNK", def: "8192", help: "characters of one chunk of output; what is longer is cut", take: number(32768, func(c *config) *int { return &c.hub.OutputMaxChunk })},
		{env: "ATMCP_LIMIT_AGENT_CALLS", def: "50", help: "calls of one agent a second", take: number(1_000_000, func(c *config) *int { return &c.limits.AgentCalls })},
		{env: "ATMCP_LIMIT_TEAM_CALLS", def: "5000", help: "calls of one team a second", take: number(1_000_000, func(c *config) *int { return &c.limits.TeamCalls })},
		{env: "ATMCP_LIMIT_AGENT_IN_FLIGHT", def: "16", help: "calls of one agent that are served at once", take: number(1_000_000, func(c *config) *int { return &c.limits.AgentInFlight })},
		{env: "ATMCP_LIMIT_IN_FLIGHT", def: "512", help: "calls that are served at once", take: number(1_000_000, func(c *config) *int { return &c.limits.InFlight })},
		{env: "ATMCP_LIMIT_AGENT_WAITS", def: "4", help: "open waits of one agent", take: number(1_000_000, func(c *config) *int { return &c.limits.AgentWaits })},
		{env: "ATMCP_LIMIT_TEAM_WAITS", def: "12000", help: "open waits of one team", take: number(1_000_000, func(c *config) *int { return &c.limits.TeamWaits })},
		{env: "ATMCP_LIMIT_SENDER_DIRECTIVES", def: "30", help: "directives of one agent or console a minute; four times as many at once", take: number(1_000_000, func(c *config) *int { return &c.limits.SenderDirectives })},
		{env: "ATMCP_LIMIT_CONNECTIONS", def: "16000", help: "open connections", take: number(1_000_000, func(c *config) *int { return &c.limits.Connections })},
		{env: "ATMCP_LIMIT_ADDRESS_CONNECTIONS", def: "256", help: "open connections of one address, loopback aside", take: number(1_000_000, func(c *config) *int { return &c.limits.AddressConnections })},
		{env: "ATMCP_TRUSTED_PROXIES", def: "none", help: "comma list of addresses or networks of proxies: no limit by address holds for them, and X-Forwarded-For counts from them", take: takeProxies},
		{env: "ATMCP_LIMIT_FAILED_LOGINS", def: "10", help: "wrong credentials of one address in a minute, loopback aside", take: number(1_000_000, func(c *config) *int { return &c.limits.FailedLogins })},
	}
}

// unusedSettings are variables of the original that say nothing to this version;
// setting one is no mistake, and is told at the start.
func unusedSettings() []string {
	return []string{"ATMCP_STREAM_MAXLEN", "ATMCP_GUARD_RETENTION_S"}
}

const year = 365 * 24 * time.Hour

func seconds(most time.Duration, field func(*config) *time.Duration) func(*config, string) error {
	return func(c *config, v string) error {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < 1 || n > int64(most/time.Second) {
			return fmt.Errorf("%q is not a whole number of seconds from 1 to %d", v, most/time.Second)
		}
		*field(c) = time.Duration(n) * time.Second
		return nil
	}
}

func number(most int, field func(*config) *int) func(*config, string) error {
	return func(c *config, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > most {
			return fmt.Errorf("%q is not a whole number from 1 to %d", v, most)
		}
		*field(c) = n
		return nil
	}
}

func takeMaxData(c *config, v string) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < 1<<20 {
		return fmt.Errorf("%q is not a whole number of bytes from %d on", v, 1<<20)
	}
	c.maxData = n
	return nil
}

func takeAddr(c *config, v string) (err error) {
	c.addr, err = address(v)
	return err
}

func takeMetricsAddr(c *config, v string) (err error) {
	c.metricsAddr, err = address(v)
	return err
}

// address checks that v is one to listen on.
func address(v string) (string, error) {
	_, port, err := net.SplitHostPort(v)
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
		return "", fmt.Errorf("%q is not an address such as 127.0.0.1:8000 or :8000", v)
	}
	return v, nil
}

func takePublicURL(c *config, v string) error {
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("%q is not an address such as https://team.example", v)
	}
	c.publicURL = strings.TrimRight(v, "/")
	return nil
}

func takeValkeyURL(c *config, v string) error {
	c.valkeyURL = v
	return valkeylive.CheckURL(v)
}

func takeRedisURL(c *config, v string) error {
	if c.valkeyURL != "" {
		return nil
	}
	return takeValkeyURL(c, v)
}

func boolean(v string) (bool, error) {
	switch strings.ToLower(v) {
	case "1", "true", "yes", "on":
		return true, nil
	case "0", "false", "no", "off":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither 1 nor 0", v)
}

func takeDashboardAuth(c *config, v string) error {
	on, err := boolean(v)
	c.dashboardAuth = &on
	return err
}

func takeRebinding(_ *config, v string) error {
	on, err := boolean(v)
	if err == nil && !on {
		return errors.New("the check cannot be switched off: name the server's hosts in ATMCP_MCP_ALLOWED_HOSTS")
	}
	return err
}

func takeHosts(c *config, v string) error {
	c.hosts = splitList(v)
	for _, host := range c.hosts {
		if strings.ContainsAny(host, "/ @?#") {
			return fmt.Errorf("%q is not a host such as team.example or team.example:8000", host)
		}
	}
	return nil
}

func takeOrigins(c *config, v string) error {
	c.origins = splitList(v)
	for _, origin := range c.origins {
		if err := http.NewCrossOriginProtection().AddTrustedOrigin(origin); err != nil {
			return fmt.Errorf("%q is not an origin such as https://team.example", origin)
		}
	}
	return nil
}

func takeProxies(c *config, v string) error {
	for _, text := range splitList(v) {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			ip, bad := netip.ParseAddr(text)
			if bad != nil {
				return fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8", text)
			}
			network = netip.PrefixFrom(ip, ip.BitLen())
		}
		c.limits.Proxies = append(c.limits.Proxies, network.Masked())
	}
	return nil
}

func takeLogFormat(c *config, v string) error {
	if v != "text" && v != "json" {
		return fmt.Errorf("%q is neither text nor json", v)
	}
	c.logJSON = v == "json"
	return nil
}
