package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// A running server writes where this machine can reach it into its data directory,
// so that commands find it which were told nothing else. The file says nothing about
// whether a server runs: who has the data does.

func addressFile(dataDir string) string { return filepath.Join(dataDir, "address") }

// localAddress is where this machine reaches a server that listens on addr.
func localAddress(scheme string, listening net.Addr) string {
	host := listening.String()
	if addr, err := netip.ParseAddrPort(host); err == nil && addr.Addr().IsUnspecified() {
		host = fmt.Sprintf("127.0.0.1:%d", addr.Port())
	}
	return scheme + "://" + host
}

// writeAddress leaves the address behind, where the directory's owner alone reads it.
func writeAddress(c config, listening net.Addr) error {
	return writeSecret(addressFile(c.dataDir), localAddress(c.scheme(), listening))
}

// readAddress returns what the last server on the directory wrote.
func readAddress(dataDir string) (string, error) {
	text, err := os.ReadFile(addressFile(dataDir))
	if err != nil {
		return "", err
	}
	var c config
	err = takePublicURL(&c, strings.TrimSpace(string(text)))
	return c.publicURL, err
}

// openCommand prints a link that signs a browser in. It starts no browser: the
// machine's other users could read the link from its arguments.
func openCommand(p program) *cobra.Command {
	o := &operation{program: p}
	return o.command(&cobra.Command{
		Use: "open [TEAM]", Short: "Print a link that signs your browser in, once and within a minute",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return exactArgs(1)(cmd, args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := configOf(cmd, p.getenv)
			if err != nil {
				return err
			}
			r, err := o.remote(c)
			if err != nil {
				return err
			}
			if r == nil {
				return fmt.Errorf("no server runs on %s: start it with atmcpd, or name one with --url", c.dataDir)
			}
			return o.printLink(cmd.Context(), r, args)
		},
	})
}

func (o *operation) printLink(ctx context.Context, r *remoteOperator, teams []string) error {
	team := ""
	if len(teams) > 0 {
		info, err := r.TeamInfo(ctx, teams[0])
		if err != nil {
			return err
		}
		team = info.Name
	}
	link, err := r.signInLink(ctx, team)
	if err != nil {
		return err
	}
	return o.print(link, []string{link.URL})
}

// healthTime is how long a server may take to say that it is able to work.
const healthTime = 4 * time.Second

// healthcheckCommand asks the server of this machine whether it is able to work. It
// needs neither the file nor a token, and prints nothing where all is well.
func healthcheckCommand(p program) *cobra.Command {
	return &cobra.Command{
		Use: "healthcheck", Short: "Exit with 0 if this machine's server is able to work, for supervisors", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := configOf(cmd, p.getenv)
			if err != nil {
				return err
			}
			address, err := readAddress(c.dataDir)
			if err != nil {
				address = c.likelyAddress()
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), healthTime)
			defer cancel()
			return checkHealth(ctx, address)
		},
	}
}

// likelyAddress is where this machine reaches a server with this configuration, as far
// as that alone says.
func (c config) likelyAddress() string {
	host, port, _ := net.SplitHostPort(c.addr) // takeAddr has read it
	if addr, err := netip.ParseAddr(host); host == "" || (err == nil && addr.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return c.scheme() + "://" + net.JoinHostPort(host, port)
}

func checkHealth(ctx context.Context, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/readyz", nil)
	if err != nil {
		return err
	}
	res, err := newClient(true).Do(req)
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the server at %s is not able to work: %s", address, res.Status)
	}
	return nil
}
