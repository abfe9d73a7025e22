package display_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
)

type thing struct {
	Name string `json:"name"`
	At   int64  `json:"at"`
	Size int    `json:"size"`
}

var now = time.UnixMilli(1_800_000_000_000)

func things() display.Table[thing] {
	return display.Table[thing]{
		Rows: "things", ID: func(x thing) string { return x.Name }, Empty: "there are none",
		Columns: []display.Column[thing]{
			{Key: "at", Title: "AT", Cell: func(p *display.Printer, x thing) display.Cell {
				return display.Cell{Text: p.When(x.At), Style: display.Dim}
			}},
			{Key: "name", Title: "NAME", Grow: true, Cell: func(_ *display.Printer, x thing) display.Cell { return display.Cell{Text: x.Name} }},
			{Key: "kind", Title: "KIND", Cell: func(*display.Printer, thing) display.Cell { return display.Cell{} }},
		},
	}
}

func show(t *testing.T, p *display.Printer, rows ...thing) string {
	t.Helper()
	var b bytes.Buffer
	p.Out, p.Err, p.Headers, p.Now = &b, &b, true, func() time.Time { return now }
	doc, err := json.Marshal(map[string]any{"ok": true, "things": append([]thing{}, rows...)})
	require.NoError(t, err)
	require.NoError(t, things().Show(p, doc))
	return b.String()
}

func TestColumnsStandUnderEachOtherWhateverTheScript(t *testing.T) {
	t.Parallel()
	text := show(t, &display.Printer{}, thing{Name: "日本語"}, thing{Name: "plain"}, thing{Name: "a\u0301e"}, thing{Name: "🚀"})
	column := -1
	for line := range strings.Lines(text) {
		before := strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "KIND")
		before = strings.TrimSuffix(before, "-")
		if column < 0 {
			column = display.Width(before)
		}
		assert.Equal(t, column, display.Width(before), "%q", line)
	}
}

func TestATableIsCutToTheTerminalAndToNothingElse(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long ", 40)
	for line := range strings.Lines(show(t, &display.Printer{Terminal: true, Width: 40}, thing{Name: long}, thing{Name: strings.Repeat("語", 60)})) {
		assert.LessOrEqual(t, display.Width(strings.TrimSuffix(line, "\n")), 40)
	}
	for line := range strings.Lines(show(t, &display.Printer{Terminal: true, Width: 16}, thing{Name: long, At: now.UnixMilli()})) {
		assert.LessOrEqual(t, display.Width(strings.TrimSuffix(line, "\n")), 16, "less than is usual is kept where there is no more room")
	}
	assert.Contains(t, show(t, &display.Printer{}, thing{Name: long}), strings.TrimSpace(long))
	assert.NotPanics(t, func() { show(t, &display.Printer{Terminal: true, Width: 3}, thing{Name: long}) })
}

func TestARecordIsShownWhole(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	long := strings.TrimSpace(strings.Repeat("long ", 40))
	r := display.Record{Pairs: []display.Pair{{Title: "Result", Cell: display.Cell{Text: long}}, {Title: "ID", Cell: display.Cell{Text: "x"}}}}
	require.NoError(t, r.Show(&display.Printer{Out: &b, Terminal: true, Width: 40}, nil))
	assert.Equal(t, "Result  "+long+"\nID      x\n", b.String())
}

func TestAPersonIsToldAgesAndAProgramDates(t *testing.T) {
	t.Parallel()
	at := now.Add(-90 * time.Minute).UnixMilli()
	assert.Contains(t, show(t, &display.Printer{Terminal: true}, thing{At: at}), "\n1h ")
	assert.Contains(t, show(t, &display.Printer{}, thing{At: at}), "\n2027-01-15T06:30:00Z ")
	p := &display.Printer{Terminal: true, Now: func() time.Time { return now }}
	for in, want := range map[time.Duration]string{72 * time.Second: "1:12", 5 * time.Second: "0:05", -time.Second: "due", 3 * time.Hour: "3h", 72 * time.Hour: "3d"} {
		assert.Equal(t, want, p.Left(now.Add(in).UnixMilli()))
	}
	assert.Equal(t, "-", p.Left(0))
}

func TestFormatsShowTheSameRows(t *testing.T) {
	t.Parallel()
	rows := []thing{{Name: "a", Size: 1}, {Name: "b\x1b[2J", Size: 2}}
	assert.Equal(t, "a\nb\n", show(t, &display.Printer{Format: display.Quiet}, rows...))
	assert.Equal(t, `{"name":"a","at":0,"size":1}`+"\n"+`{"name":"b\u001b[2J","at":0,"size":2}`+"\n", show(t, &display.Printer{Format: display.JSONL}, rows...))
	assert.Equal(t, `{"size":1}`+"\n"+`{"size":2}`+"\n", show(t, &display.Printer{Format: display.JSONL, Fields: []string{"size", "none"}}, rows...))
	assert.Equal(t, "SIZE  NAME\n1     a\n2     b\n", show(t, &display.Printer{Fields: []string{"size", "name"}}, rows...))
	assert.JSONEq(t, `{"ok":true,"things":[{"name":"a"},{"name":"b\u001b[2J"}]}`, show(t, &display.Printer{Format: display.JSON, Fields: []string{"name"}}, rows...))
	assert.Equal(t, "there are none\n", show(t, &display.Printer{}))
	assert.Empty(t, show(t, &display.Printer{Format: display.Quiet}))
}

func TestJSONHasNoCharacterThatATerminalActsUpon(t *testing.T) {
	t.Parallel()
	text := show(t, &display.Printer{Format: display.JSON}, thing{Name: "x\u202ey\u009bz\U000e0041"})
	assert.Contains(t, text, `x\u202ey\u009bz\udb40\udc41`)
	var back struct{ Things []thing }
	require.NoError(t, json.Unmarshal([]byte(text), &back))
	assert.Equal(t, "x\u202ey\u009bz\U000e0041", back.Things[0].Name)
}

func TestColoursAreForWhoWantsThem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  map[string]string
		want bool
	}{
		{map[string]string{}, false}, // no terminal
		{map[string]string{"CLICOLOR_FORCE": "1"}, true},
		{map[string]string{"CLICOLOR_FORCE": "0"}, false},
		{map[string]string{"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, false},
		{map[string]string{"CLICOLOR_FORCE": "1", "TERM": "dumb"}, true},
	} {
		p := &display.Printer{Out: &bytes.Buffer{}}
		display.Detect(p, func(name string) string { return c.env[name] })
		assert.Equal(t, c.want, p.Color, "%v", c.env)
		assert.False(t, p.Terminal)
		text := show(t, p, thing{Name: "a"})
		assert.Equal(t, c.want, strings.Contains(text, "\x1b["), "%v", c.env)
	}
}
