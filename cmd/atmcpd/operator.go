package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/local"
	"github.com/atmcp/atmcp/search/scansearch"
	"github.com/atmcp/atmcp/transport/httpapi"
)

// operator is what the operator's commands ask: the hub in the data directory, or
// the server that has it open. Both answer alike, refusals included.
type operator interface {
	// Teams returns all teams, archived ones among them, by name.
	Teams(ctx context.Context) ([]atmcp.TeamInfo, error)
	TeamInfo(ctx context.Context, name string) (atmcp.TeamInfo, error)
	CreateTeam(ctx context.Context, req atmcp.CreateTeamRequest) (httpapi.CreatedTeam, error)
	EditTeam(ctx context.Context, req atmcp.EditTeamRequest) (atmcp.TeamInfo, error)
	ListTokens(ctx context.Context, req atmcp.ListTokensRequest) (atmcp.ListTokensResult, error)
	CreateToken(ctx context.Context, req atmcp.CreateTokenRequest) (atmcp.CreateTokenResult, error)
	RotateToken(ctx context.Context, req atmcp.RotateTokenRequest) (atmcp.RotateTokenResult, error)
	RevokeToken(ctx context.Context, req atmcp.RevokeTokenRequest) (atmcp.RevokeTokenResult, error)
}

// fileOperator is the hub in a data directory that no server has.
type fileOperator struct {
	*atmcp.Hub

	publicURL string
}

// Teams implements [operator].
func (f fileOperator) Teams(ctx context.Context) ([]atmcp.TeamInfo, error) {
	all := []atmcp.TeamInfo{}
	for after := ""; ; after = all[len(all)-1].Name {
		page, err := f.Hub.Teams(ctx, after, 0)
		if all = append(all, page...); err != nil || len(page) == 0 {
			return all, err
		}
	}
}

// CreateTeam implements [operator].
func (f fileOperator) CreateTeam(ctx context.Context, req atmcp.CreateTeamRequest) (httpapi.CreatedTeam, error) {
	made, err := f.Hub.CreateTeam(ctx, req)
	return httpapi.Created(made, f.publicURL), err
}

// withOperator runs a command on whatever has the data: the server that was named,
// the one that runs on the data directory, or else the file itself.
func (o *operation) withOperator(cmd *cobra.Command, do func(context.Context, operator) error) error {
	c, err := configOf(cmd, o.getenv)
	if err != nil {
		return err
	}
	r, err := o.remote(c)
	if err != nil {
		return err
	}
	if r != nil {
		return do(cmd.Context(), r)
	}
	if !o.makes {
		if err := c.mustHaveData(); err != nil {
			return err
		}
	}
	return o.onFile(cmd.Context(), c, func(hub *atmcp.Hub) error {
		return do(cmd.Context(), fileOperator{hub, c.advertised()})
	})
}

// operation is what all of the operator's commands share.
type operation struct {
	program

	url    string // of the server to ask; empty: the one that has the data directory, if any
	asJSON bool
	makes  bool // may make the data directory
}

// command adds the flags that all of the operator's commands have.
func (o *operation) command(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().StringVar(&o.url, "url", "", "address of the server to ask (default: the one that runs on the data directory, if any)")
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	return cmd
}

// remote is the server to ask, or nil where the file can be opened.
func (o *operation) remote(c config) (*remoteOperator, error) {
	if o.url != "" {
		var named config
		if err := takePublicURL(&named, o.url); err != nil {
			return nil, usageError{fmt.Errorf("--url: %w", err)}
		}
		return newRemote(c, named.publicURL, false)
	}
	address, err := readAddress(c.dataDir)
	if err != nil || !inUse(c.dataFile()) {
		return nil, nil //nolint:nilnil,nilerr // no server is no error: there is the file
	}
	return newRemote(c, address, true)
}

// inUse tells at once, and without changing anything, whether a process has the file.
func inUse(file string) bool {
	db, err := bolt.Open(file, 0, &bolt.Options{ReadOnly: true, Timeout: time.Millisecond})
	if err == nil {
		err = db.Close()
	}
	return errors.Is(err, bolterrors.ErrTimeout)
}

func (c config) dataFile() string { return filepath.Join(c.dataDir, local.DataFile) }

// mustHaveData keeps a command in the wrong directory from making an empty hub.
func (c config) mustHaveData() error {
	if _, err := os.Stat(c.dataFile()); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no data in %s: name the directory with --data-dir, or a running server with --url", c.dataDir)
	}
	return nil
}

// onFile opens the hub in the data directory for one command.
func (p program) onFile(ctx context.Context, c config, do func(*atmcp.Hub) error) (err error) {
	c.hub.ReapInterval = -1        // nothing lapses because an operator looked
	c.hub.Index = scansearch.New() // nor is the index on disk of any use to a command
	h, err := openHub(ctx, c, newLogger(c, p))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return do(h.Hub)
}

// advertised is the public address as far as the configuration alone says.
func (c config) advertised() string {
	return cmp.Or(c.publicURL, c.likelyAddress())
}
