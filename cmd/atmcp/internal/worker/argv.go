package worker

import (
	"errors"
	"slices"
	"strings"
)

// The places in a command that a directive fills. Each becomes part of one
// argument, whatever it has in it: there is no shell.
const (
	placeText    = "{text}"
	placeSession = "{session}"
	placeID      = "{id}"
)

// filling is what stands for the places.
type filling struct {
	text    string
	session string // empty: none is known
	id      string
}

// command is the arguments that a directive gives, and what goes to standard input:
// the text, where no argument takes it.
type command struct {
	argv  []string
	stdin string
}

// fill puts a directive into a command's arguments. Without a session, what names
// one is left out, with the option (or the word "resume") before it.
func fill(template []string, f filling) command {
	text := strings.ReplaceAll(f.text, "\x00", "\uFFFD") // which no argument can have
	places := strings.NewReplacer(placeText, text, placeSession, f.session, placeID, f.id)
	var c command
	taken := false
	for i, arg := range template {
		switch {
		case i == 0:
			c.argv = append(c.argv, arg)
		case f.session == "" && strings.Contains(arg, placeSession):
			if last := len(c.argv) - 1; last > 0 && introduces(template[i-1]) {
				c.argv = c.argv[:last]
			}
		case arg == placeText && strings.HasPrefix(text, "-"):
			// The addressee's program must not take an order for an option.
			c.argv = append(c.argv, " "+text)
			taken = true
		default:
			c.argv = append(c.argv, places.Replace(arg))
			taken = taken || strings.Contains(arg, placeText)
		}
	}
	if !taken {
		c.stdin = f.text
	}
	return c
}

// introduces tells whether an argument means nothing without the one behind it.
func introduces(arg string) bool {
	return arg == "resume" || strings.HasPrefix(arg, "-") && arg != "-" && arg != "--" && !strings.Contains(arg, "{")
}

// checkCommand tells what is wrong with a command.
func checkCommand(template []string) error {
	switch {
	case len(template) == 0 || template[0] == "":
		return errors.New("a worker needs a command: atmcp worker -- claude -p {text}")
	case strings.Contains(template[0], "{text}"):
		return errors.New("the program itself cannot come from a directive")
	case slices.ContainsFunc(template, func(arg string) bool { return strings.Contains(arg, "\x00") }):
		return errors.New("the command has a NUL in it")
	}
	return nil
}
