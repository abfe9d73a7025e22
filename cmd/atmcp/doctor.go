package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
	"github.com/atmcp/atmcp/internal/clients"
)

func doctorCommand(a *app) *cobra.Command {
	var dir string
	var deep bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find the usual mistakes between this machine and its team",
		Long: `Check the login, the server and what may stand before it, the token, a real MCP
session, the feeds, and the configurations and hooks of the clients on this machine.
Each line is ok, warn, fail, or skip for what could not be tried, with the mend. The exit code is 1 if something failed.`,
		Example: "  atmcp doctor\n  atmcp doctor --json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := a.newDoctor(dir)
			if err != nil {
				return err
			}
			if deep {
				d.silence = longSilence
			}
			return d.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "directory of the project whose clients are looked at")
	cmd.Flags().BoolVar(&deep, "deep", false, "also keep a feed open for a minute, which is when proxies end silent ones")
	return cmd
}

// longSilence is longer than what proxies bear, which is a minute where nobody has
// set it.
const longSilence = 65 * time.Second

// finding is one line of the doctor's.
type finding struct {
	Check  string `json:"check"`
	State  string `json:"state"` // ok, warn, fail or skip
	Detail string `json:"detail"`
	Mend   string `json:"mend,omitempty"`
}

// The states of a finding.
const (
	stateOK   = "ok"
	stateWarn = "warn"
	stateFail = "fail"
	stateSkip = "skip" // not tried
)

// doctor looks at one thing after the other, and goes on where one is broken.
type doctor struct {
	*app

	set    settings
	client *client.Client
	http   *http.Client
	places clients.Places
	print  *display.Printer
	// silence is for how long a feed is kept open, if at all.
	silence time.Duration

	found []finding
}

func (a *app) newDoctor(dir string) (*doctor, error) {
	p, err := a.printer()
	if err != nil {
		return nil, err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	return &doctor{
		app: a, print: p,
		http: &http.Client{
			Timeout:       10 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		places: clients.Places{Project: dir, Home: cmp.Or(a.getenv("HOME"), a.getenv("USERPROFILE")), GOOS: runtime.GOOS, Getenv: a.getenv},
	}, nil
}

func (d *doctor) ok(check, format string, args ...any) {
	d.found = append(d.found, finding{Check: check, State: stateOK, Detail: fmt.Sprintf(format, args...)})
}

func (d *doctor) warn(check, detail, mend string) {
	d.found = append(d.found, finding{check, stateWarn, detail, mend})
}

func (d *doctor) fail(check, detail, mend string) {
	d.found = append(d.found, finding{check, stateFail, detail, mend})
}

func (d *doctor) skip(check, detail, mend string) {
	d.found = append(d.found, finding{check, stateSkip, detail, mend})
}

// run makes all checks and shows what they found.
func (d *doctor) run(ctx context.Context) error {
	if d.checkLogin() && d.checkServer(ctx) {
		d.checkSignIn(ctx)
		if d.checkToken(ctx) {
			d.checkMCP(ctx)
			d.checkFeeds(ctx)
		}
	}
	d.checkProgram()
	d.checkClients()
	return d.tell()
}

func (d *doctor) tell() error {
	failed := 0
	for _, f := range d.found {
		if f.State == stateFail {
			failed++
		}
	}
	doc, err := json.Marshal(struct {
		OK       bool      `json:"ok"`
		Findings []finding `json:"findings"`
	}{failed == 0, d.found})
	if err != nil {
		return err
	}
	style := map[string]display.Style{stateOK: display.Green, stateWarn: display.Yellow, stateFail: display.Red, stateSkip: display.Dim}
	table := display.Table[finding]{
		Rows: "findings", ID: func(f finding) string { return f.Check },
		Columns: []display.Column[finding]{
			{Key: "state", Title: "STATE", Cell: func(_ *display.Printer, f finding) display.Cell {
				return display.Cell{Text: f.State, Style: style[f.State]}
			}},
			{Key: "check", Title: "CHECK", Cell: func(_ *display.Printer, f finding) display.Cell { return display.Cell{Text: f.Check} }},
			{Key: "detail", Title: "DETAIL", Cell: func(_ *display.Printer, f finding) display.Cell { return display.Cell{Text: f.Detail} }},
		},
	}
	if err := table.Show(d.print, doc); err != nil {
		return err
	}
	if d.print.Format == display.Tables {
		if err := d.tellMends(); err != nil {
			return err
		}
	}
	if failed > 0 {
		return outcome{exitError, fmt.Sprintf("%d of %d checks failed", failed, len(d.found))}
	}
	return nil
}

// tellMends says below the table what to do, whole lines of it.
func (d *doctor) tellMends() error {
	first := true
	for _, f := range d.found {
		if f.Mend == "" {
			continue
		}
		if first {
			first = false
			if err := d.print.Line(""); err != nil {
				return err
			}
		}
		if err := d.print.Line(display.Clean(f.Check + ": " + f.Mend)); err != nil {
			return err
		}
	}
	return nil
}
