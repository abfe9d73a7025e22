package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/internal/clients"
)

// firstTeam is the team that a server starts with which nobody configured.
const firstTeam = "default"

// prepared is what a start found or made.
type prepared struct {
	adminToken string
	team       *atmcp.CreateTeamResult
	presence   string // where it is shared; empty: nowhere
}

// prepare finds the admin token, or makes one, and makes a team where there is
// none and nobody has said who may make one.
func prepare(ctx context.Context, hub *atmcp.Hub, c config) (prepared, error) {
	token, err := adminToken(c)
	if err != nil {
		return prepared{}, err
	}
	made := prepared{adminToken: token}
	teams, err := hub.Teams(ctx, "", 1)
	if err != nil || len(teams) > 0 || c.adminToken != "" {
		return made, err
	}
	team, err := hub.CreateTeam(ctx, atmcp.CreateTeamRequest{Name: firstTeam})
	made.team = &team
	return made, err
}

// adminToken returns the token that was configured, or the one in its file. A
// file that was named must be there; ours is made if need be.
func adminToken(c config) (string, error) {
	if c.adminToken != "" {
		return c.adminToken, nil
	}
	file, named := adminFileOf(c), c.adminTokenFile != ""
	text, err := os.ReadFile(file) //nolint:gosec // the operator names it
	if err != nil && (named || !errors.Is(err, fs.ErrNotExist)) {
		return "", fmt.Errorf("the admin token cannot be read: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" && named {
		return "", usageError{fmt.Errorf("the admin token file %s is empty", file)}
	}
	if token != "" {
		return token, nil
	}
	token = "atm_admin_" + randomText()
	return token, writeSecret(file, token)
}

func randomText() string {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails: it ends the program instead
	return base64.RawURLEncoding.EncodeToString(secret)
}

// writeSecret writes a file that only this user can read; it is whole or not there.
func writeSecret(file, text string) error {
	next := file + ".new"
	f, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // below the data directory
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", file, err)
	}
	_, err = f.WriteString(text + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(next, file)
	}
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", file, err)
	}
	return nil
}

// printBanner tells where the server is and, at its first start, how to come in.
// It is the only thing on stdout, and the join token is in it once.
func printBanner(out io.Writer, c config, where reach, made prepared) error {
	var b strings.Builder
	fmt.Fprintf(&b, "atmcpd %s is ready\n\n", version())
	fmt.Fprintf(&b, "  MCP          %s/mcp\n", where.publicURL)
	fmt.Fprintf(&b, "  Dashboard    %s/dashboard\n", where.publicURL)
	fmt.Fprintf(&b, "  Data         %s\n", c.dataDir)
	if made.presence != "" {
		fmt.Fprintf(&b, "  Presence     %s\n", made.presence)
	}
	if c.adminToken == "" {
		fmt.Fprintf(&b, "  Admin token  in %s\n", adminFileOf(c))
	}
	if where.anywhere {
		fmt.Fprint(&b, "\nOther machines can reach this server. Set ATMCP_PUBLIC_URL to the address they use.\n")
	}
	if made.team != nil {
		fmt.Fprintf(&b, "\nThis is the first start. It made the team %q; its join token is shown this once:\n\n  %s\n", made.team.Name, made.team.JoinToken)
		fmt.Fprint(&b, "\nConnect Claude Code, each agent under a name of its own:\n\n")
		command, err := addCommand(where.publicURL, made.team.JoinToken)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "  %s\n", command)
	} else {
		fmt.Fprintf(&b, "\nA new join token for a team, beside those it has:\n\n  %s\n", c.command("token mint "+firstTeam+" --role join"))
		fmt.Fprintf(&b, "\nA new team:\n\n  %s\n", c.command("team create crew"))
	}
	_, err := io.WriteString(out, b.String()+"\n")
	return err
}

// addCommand is the line that adds the server to Claude Code.
func addCommand(address, token string) (string, error) {
	claude, ok := clients.Find("claude")
	if !ok {
		return "", errors.New("claude is no client that is known")
	}
	return claude.AddCommand(clients.Setup{URL: address, Auth: clients.AuthInline, Token: token})
}

func adminFileOf(c config) string {
	return cmp.Or(c.adminTokenFile, filepath.Join(c.dataDir, "admin-token"))
}

// command is a line for a shell that runs a command of the operator's on this server.
func (c config) command(words string) string {
	line := "atmcpd " + words
	if self, err := os.Executable(); err == nil && strings.Contains(self, "go-build") {
		line = "go run ./cmd/" + line
	}
	if here, err := filepath.Abs("data"); err != nil || here != c.dataDir {
		line += " --data-dir '" + strings.ReplaceAll(c.dataDir, "'", `'\\''`) + "'"
	}
	return line
}
