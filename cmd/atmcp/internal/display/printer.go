// Package display shows results: tables for people, JSON for programs. What agents
// wrote is data of strangers; none of it reaches a terminal but as letters.
package display

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"
)

// Format is how results are written.
type Format int

// The formats.
const (
	Tables Format = iota // aligned columns
	JSON                 // one document, as the server wrote it
	JSONL                // a line for each row or event
	Quiet                // ids, one a line
)

// Printer writes results to Out, and notes to Err.
type Printer struct {
	Out, Err io.Writer
	Format   Format
	// Terminal tells that a person looks at Out: times are told as ages, and columns
	// are cut to Width, if it is not 0.
	Terminal bool
	Width    int
	Color    bool
	Headers  bool
	// Raw shows output of agents as it is, control sequences among it.
	Raw bool
	// Fields are the columns to show, by their names in JSON. None are the usual.
	Fields []string
	// Now is for tests; nil is the time.
	Now func() time.Time
}

// Detect finds out what out is, and what the environment wants of it: NO_COLOR,
// CLICOLOR_FORCE, TERM and COLUMNS.
func Detect(p *Printer, getenv func(string) string) {
	file, ok := p.Out.(*os.File)
	if ok && term.IsTerminal(int(file.Fd())) {
		p.Terminal = true
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			p.Width = width
		}
		if columns, err := strconv.Atoi(getenv("COLUMNS")); err == nil && columns > 0 {
			p.Width = columns
		}
	}
	force := getenv("CLICOLOR_FORCE")
	switch {
	case getenv("NO_COLOR") != "":
		p.Color = false
	case force != "" && force != "0":
		p.Color = true
	default:
		p.Color = p.Terminal && getenv("TERM") != "dumb" && getenv("CLICOLOR") != "0"
	}
}

// Style is how a cell looks in colour. Meaning is never in the colour alone.
type Style string

// The styles, as the numbers of SGR.
const (
	Plain  Style = ""
	Bold   Style = "1"
	Dim    Style = "2"
	Red    Style = "31"
	Green  Style = "32"
	Yellow Style = "33"
	Cyan   Style = "36"
)

// Paint is a text, which is clean, in a style.
func (p *Printer) Paint(s Style, text string) string {
	if !p.Color || s == Plain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// Note tells a person something that is no data. Programs do not see it, nor do
// those who asked for quiet.
func (p *Printer) Note(format string, args ...any) {
	if p.Format != Quiet {
		_, _ = fmt.Fprintf(p.Err, format+"\n", args...) // there is nowhere else to tell it
	}
}

// Line writes one line of data, which the caller has cleaned.
func (p *Printer) Line(text string) error {
	_, err := io.WriteString(p.Out, text+"\n")
	return err
}

func (p *Printer) now() time.Time {
	if p.Now != nil {
		return p.Now()
	}
	return time.Now()
}

// When is a moment in Unix milliseconds: how long ago for people, and the date for
// programs. Zero is none.
func (p *Printer) When(ms int64) string {
	if ms == 0 {
		return "-"
	}
	at := time.UnixMilli(ms)
	if !p.Terminal {
		return at.UTC().Format(time.RFC3339)
	}
	return Short(p.now().Sub(at))
}

// Left is how long it is until a moment, as a countdown for people.
func (p *Printer) Left(ms int64) string {
	if ms == 0 || !p.Terminal {
		return p.When(ms)
	}
	left := time.UnixMilli(ms).Sub(p.now()).Round(time.Second)
	if left < 0 {
		return "due"
	}
	if left >= time.Hour {
		return Short(left)
	}
	return fmt.Sprintf("%d:%02d", int(left.Minutes()), int(left.Seconds())%60)
}

// Short is a duration in its largest unit.
func Short(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + "s"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + "m"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + "h"
	}
	return strconv.Itoa(int(d.Hours()/24)) + "d"
}

// writeJSON writes a document by the format.
func (p *Printer) writeJSON(doc json.RawMessage) error {
	var b bytes.Buffer
	err := error(nil)
	if p.Format == JSONL {
		err = json.Compact(&b, doc)
	} else {
		err = json.Indent(&b, doc, "", "  ")
	}
	if err != nil {
		return err
	}
	return p.Line(strings.TrimSpace(visible(b.String())))
}

// visible escapes what JSON lets stand and a terminal would act upon.
func visible(doc string) string {
	if plain(strings.ReplaceAll(doc, "\n", "")) {
		return doc
	}
	var b strings.Builder
	for _, r := range doc {
		switch {
		case r == '\n' || !hidden(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
