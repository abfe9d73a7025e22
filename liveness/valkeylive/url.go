package valkeylive

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/valkey-io/valkey-go"
)

// dialTime bounds making a connection. No call waits for it: see Live.ask.
const dialTime = time.Second

// silence is after how long a connection is given up whose server owes an answer.
const silence = 250 * time.Millisecond

// address is what a URL says.
type address struct {
	options valkey.ClientOption
	prefix  string
}

// parameters are what a URL may have behind its question mark. Any other is a
// mistake, and most likely a misspelt one of these.
func parameters() []string {
	return []string{"addr", "db", "ca", "cluster", "master_set", "prefix", "sentinel_password", "sentinel_user"}
}

// CheckURL tells what is wrong with a URL, without connecting. Neither its errors nor
// those of [Open] repeat the URL, in which a password may stand.
func CheckURL(text string) error {
	_, err := parseURL(text)
	return err
}

func parseURL(text string) (address, error) {
	u, err := url.Parse(text)
	if err != nil || (u.Host == "" && u.Scheme != "unix") {
		return address{}, errors.New("valkey: not a URL such as redis://host:6379")
	}
	query := u.Query()
	for name := range query {
		if !slices.Contains(parameters(), name) {
			return address{}, fmt.Errorf("valkey: a URL takes no %q, but %q", name, parameters())
		}
	}
	o, err := valkey.ParseURL(text)
	if err != nil {
		return address{}, err // of its parts, the password not among them
	}
	if file := query.Get("ca"); file != "" {
		if err := trust(o.TLSConfig, file); err != nil {
			return address{}, err
		}
	}
	o.Sentinel.Username, o.Sentinel.Password = query.Get("sentinel_user"), query.Get("sentinel_password")
	many := query.Get("cluster") == "true" || len(o.InitAddress) > 1
	return address{withBounds(o, !many), query.Get("prefix")}, nil
}

// trust makes the authorities of a file the only ones.
func trust(c *tls.Config, file string) error {
	if c == nil {
		return errors.New("valkey: ca= is for rediss:// and valkeys://")
	}
	text, err := os.ReadFile(file) //nolint:gosec // the operator names it
	if err != nil {
		return fmt.Errorf("valkey: ca: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(text) {
		return fmt.Errorf("valkey: ca: no certificate in %s", file)
	}
	return nil
}

// withBounds sets what keeps a client from waiting or retrying, and from the parts of
// the protocol that a subscription of one kind of server stumbles over.
func withBounds(o valkey.ClientOption, single bool) valkey.ClientOption {
	o.ForceSingleClient = single && o.Sentinel.MasterSet == ""
	o.DisableRetry = true
	o.DisableCache = true
	o.AlwaysRESP2 = true
	o.ClientSetInfo = valkey.DisableClientSetInfo
	o.PipelineMultiplex = -1 // one connection
	// Otherwise a lone caller writes all it has before it reads, and closes the
	// connection when its time is up.
	o.AlwaysPipelining = true
	o.Dialer.Timeout = dialTime
	o.Dialer.KeepAlive = time.Second
	o.ConnWriteTimeout = silence
	o.ReadBufferEachConn = 64 << 10
	o.WriteBufferEachConn = 64 << 10
	o.BlockingPoolSize = 16
	o.Sentinel.TopologyRefreshInterval = 5 * time.Second
	o.ClusterOption.MaxMovedRedirections = 3
	return o
}
