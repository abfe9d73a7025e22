// Command atmcp is the client of an atmcpd: what people look at and steer a team
// with, and what stands beside an agent on its machine.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

func main() {
	// A second signal ends what does not end by itself.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], program{getenv: os.Getenv, in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}

// program is what of the process the commands may use.
type program struct {
	getenv   func(string) string
	in       io.Reader
	out, err io.Writer
}

// version is what the build recorded: a tag, or the commit it was made from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "devel-" + s.Value[:min(12, len(s.Value))]
		}
	}
	return "devel"
}
