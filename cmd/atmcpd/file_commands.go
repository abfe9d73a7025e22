package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/atmcp/atmcp"
)

// Some commands read more of the file than a server would show: they need it to
// themselves.

// onExisting opens the hub in the data directory, which must be there.
func (p program) onExisting(ctx context.Context, c config, do func(*atmcp.Hub) error) error {
	if err := c.mustHaveData(); err != nil {
		return err
	}
	return p.onFile(ctx, c, do)
}

func dumpCommand(p program) *cobra.Command {
	var team string
	cmd := &cobra.Command{
		Use: "dump", Short: "Print every record as a line of JSON", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := configOf(cmd, p.getenv)
			if err != nil {
				return err
			}
			return p.onExisting(cmd.Context(), c, func(hub *atmcp.Hub) error {
				lines := json.NewEncoder(p.out)
				lines.SetEscapeHTML(false)
				return hub.Dump(cmd.Context(), team, func(r atmcp.DumpRecord) error { return lines.Encode(r) })
			})
		},
	}
	cmd.Flags().StringVar(&team, "team", "", "the team; all, and what the hub keeps of them, where none is named")
	return cmd
}

// verifyCommand checks, without changing the file, its pages, that every record can be
// read, and the log of each team. It does not check what the log cannot show: whether
// its end was cut off, or whether records agree with events. The printed hashes show
// the first, where they were kept elsewhere.
func verifyCommand(p program) *cobra.Command {
	o := &operation{program: p}
	var pages bool
	cmd := &cobra.Command{
		Use: "verify", Short: "Check the pages of the file, that records can be read, and the chain of hashes of every team's log", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := configOf(cmd, p.getenv)
			if err != nil {
				return err
			}
			if err := c.mustHaveData(); err != nil {
				return err
			}
			if pages {
				return checkPages(c)
			}
			if err := checkPagesApart(cmd.Context(), c); err != nil {
				return err
			}
			return p.onFile(cmd.Context(), c, func(hub *atmcp.Hub) error { return o.verify(cmd.Context(), hub) })
		},
	}
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&pages, "pages", false, "check the pages alone")
	return cmd
}

// checkPagesApart checks the pages in a process of its own: bbolt panics over some
// damage, in goroutines where nobody can catch it.
func checkPagesApart(ctx context.Context, c config) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	child := exec.CommandContext(ctx, self, "verify", "--pages", "--data-dir", c.dataDir) //nolint:gosec // ourselves
	out, err := child.CombinedOutput()
	if err == nil {
		return nil
	}
	line, _, _ := strings.Cut(string(out), "\n")
	if known, ok := strings.CutPrefix(line, "atmcpd: "); ok {
		return errors.New(known)
	}
	return fmt.Errorf("%s is damaged: %s", c.dataFile(), cmp.Or(line, err.Error()))
}

// checkPages has bbolt check its pages, without writing.
func checkPages(c config) (err error) {
	db, err := bolt.Open(c.dataFile(), 0, &bolt.Options{ReadOnly: true, Timeout: time.Second})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return errInUse{c.dataDir}
	}
	if err != nil {
		return fmt.Errorf("%s cannot be read: %w", c.dataFile(), err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.View(func(tx *bolt.Tx) error {
		var found error
		for problem := range tx.Check() {
			if found == nil {
				found = fmt.Errorf("%s is damaged: %w", c.dataFile(), problem)
			}
		}
		return found
	})
}

// checkedTeam is what a check says of one team.
type checkedTeam struct {
	Team    string    `json:"team"`
	Records int       `json:"records"`
	First   atmcp.Seq `json:"first_event_id"`
	Last    atmcp.Seq `json:"last_event_id"`
	Hash    string    `json:"hash"`
	Problem string    `json:"problem,omitempty"`
	Skipped string    `json:"skipped,omitempty"`
}

// verify checks each team, and fails after all if one is damaged.
func (o *operation) verify(ctx context.Context, hub *atmcp.Hub) error {
	teams, err := fileOperator{Hub: hub}.Teams(ctx)
	if err != nil {
		return err
	}
	records := map[string]int{}
	if err := hub.Dump(ctx, "", func(r atmcp.DumpRecord) error { records[r.Team]++; return nil }); err != nil {
		return err
	}
	damaged := 0
	checked := []checkedTeam{}
	for _, t := range teams {
		found, err := verifyTeam(ctx, hub, t)
		if err != nil {
			return err
		}
		if found.Problem != "" {
			damaged++
		}
		found.Records = records[t.Name]
		checked = append(checked, found)
	}
	if err := o.printChecked(checked); err != nil {
		return err
	}
	if damaged > 0 {
		return fmt.Errorf("%d of %d teams are damaged: go back to a backup, or take what dump shows", damaged, len(teams))
	}
	return nil
}

func verifyTeam(ctx context.Context, hub *atmcp.Hub, t atmcp.TeamInfo) (checkedTeam, error) {
	c := checkedTeam{Team: t.Name}
	if t.Archived {
		c.Skipped = "archived: restore it to have its log checked"
		return c, nil
	}
	team, err := hub.Team(ctx, t.Name)
	if err != nil {
		return c, err
	}
	report, err := team.VerifyLog(ctx)
	c.First, c.Last, c.Hash = report.First, report.Last, report.Hash
	if damage, ok := errors.AsType[*atmcp.DamageError](err); ok {
		c.Problem, err = damage.Error(), nil
	}
	return c, err
}

func (o *operation) printChecked(teams []checkedTeam) error {
	rows := [][]string{{"TEAM", "RECORDS", "EVENTS", "STATE", "HASH OF THE LAST"}}
	for _, t := range teams {
		events := "none"
		if t.Last > 0 {
			events = fmt.Sprintf("%d to %d", t.First, t.Last)
		}
		rows = append(rows, []string{t.Team, strconv.Itoa(t.Records), events, cmp.Or(t.Problem, t.Skipped, "ok"), cmp.Or(t.Hash, "-")})
	}
	return o.print(struct {
		Teams []checkedTeam `json:"teams"`
	}{teams}, rows...)
}
