package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
)

// completeTime is how long a shell is kept waiting for what could be meant.
const completeTime = 2 * time.Second

// completer asks the server what an argument could be: each a word, or a word, a tab
// and what it is.
type completer func(context.Context, *client.Client) ([]string, error)

// shellFunc makes a completer what cobra wants. What cannot be asked completes to
// nothing.
func (a *app) shellFunc(find completer) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		ctx, stop := context.WithTimeout(cmd.Context(), completeTime)
		defer stop()
		c, err := a.client()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		words, err := find(ctx, c.With(func(o *client.Options) { o.Attempts = 1 }))
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var fit []cobra.Completion
		for _, w := range words {
			if strings.HasPrefix(w, begun) {
				fit = append(fit, w)
			}
		}
		return fit, cobra.ShellCompDirectiveNoFileComp
	}
}

// complete has flags completed.
func complete(a *app, cmd *cobra.Command, flags map[string]completer) {
	for name, find := range flags {
		_ = cmd.RegisterFlagCompletionFunc(name, a.shellFunc(find)) // it fails for flags that there are not: a test calls all
	}
}

// completeWords has a flag take the words of a list alone, and be completed from it.
func completeWords(cmd *cobra.Command, flag string, words ...string) {
	f := cmd.Flags().Lookup(flag)
	f.Value = choice{f.Value, words}
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// choice is a flag that takes one of some words, or nothing.
type choice struct {
	pflag.Value

	words []string
}

// Set implements pflag.Value.
func (c choice) Set(word string) error {
	if word != "" && !slices.Contains(c.words, word) {
		return fmt.Errorf("give %s", strings.Join(c.words, ", "))
	}
	return c.Value.Set(word)
}

// completeArgs has arguments completed, each by its place, and further ones like the
// last.
func completeArgs(a *app, cmd *cobra.Command, finds ...completer) {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if cmd.Args != nil && len(args) > 0 && cmd.Args(cmd, append(args, begun)) != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp // there is no further argument
		}
		return a.shellFunc(finds[min(len(args), len(finds)-1)])(cmd, args, begun)
	}
}

// described are rows as completions, by the name and what it is.
func described[T any](ctx context.Context, c *client.Client, l listing, of func(T) (word, about string)) ([]string, error) {
	g := pages{limit: mostRows}
	doc, err := g.read(ctx, c, l)
	if err != nil {
		return nil, err
	}
	rows, err := rowsOf[T](doc, l.rows)
	var words []string
	for _, r := range rows {
		word, about := of(r)
		if word = display.Clean(word); word != "" {
			words = append(words, word+"\t"+display.Cut(display.Clean(about), 60))
		}
	}
	return words, err
}

func completeAgents(ctx context.Context, c *client.Client) ([]string, error) {
	return described(ctx, c, listing{path: []string{"agents"}, rows: "agents"}, func(x atmcp.AgentInfo) (string, string) {
		return x.DisplayName, presenceCell(x).Text
	})
}

// completeTasks gives numbers without the "#", which a shell would take for a comment.
func completeTasks(ctx context.Context, c *client.Client) ([]string, error) {
	return described(ctx, c, listing{path: []string{"tasks"}, rows: "tasks"}, func(x atmcp.Task) (string, string) {
		return strings.TrimPrefix(x.Number, "#"), stateCell(x).Text + ": " + x.Title
	})
}

func completeGoals(ctx context.Context, c *client.Client) ([]string, error) {
	return described(ctx, c, listing{path: []string{"goals"}, rows: "goals"}, func(x atmcp.Goal) (string, string) {
		return strings.TrimPrefix(x.Number, "#"), x.Title
	})
}

func completeDirectives(ctx context.Context, c *client.Client) ([]string, error) {
	return described(ctx, c, listing{path: []string{"directives"}, rows: "directives"}, func(x atmcp.Directive) (string, string) {
		return strings.TrimPrefix(x.Number, "#"), string(x.Status) + ": " + x.Instruction
	})
}

func completeKeys(ctx context.Context, c *client.Client) ([]string, error) {
	page, err := client.AskTeam[struct {
		Keys map[string]json.RawMessage `json:"keys"`
	}](ctx, c, client.Request{Query: map[string][]string{"view": {"brief"}}}, "memory")
	var words []string
	for key := range page.Value.Keys {
		if key == display.Clean(key) {
			words = append(words, key)
		}
	}
	return words, err
}
