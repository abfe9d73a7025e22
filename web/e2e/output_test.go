package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

func TestOutputKeepsColoursAndNothingElse(t *testing.T) { // B11
	s := newSite(t, wiring{})
	agent := s.connect(t, "alice")
	agent.do("append_output", map[string]any{"text": "\x1b[1;31mred\x1b[0m plain\n" +
		"progress  10%\rprogress  60%\rprogress 100%\n" +
		"\x1b]0;evil title\x07\x1b]8;;https://evil.example\x07a link\x1b]8;;\x07\x1b]52;c;ZXZpbA==\x07\x1b[2J\x1b[Hstays\n" +
		"rlo \u202eabc\u202c end\n"})
	p := s.open(t, s.view, look{})
	p.live("/agents/alice")
	p.until(`document.querySelector(".lines")?.innerText.includes("stays")`, "the output is there")
	text := js[string](p, `document.querySelector(".lines").innerText`)
	require.Contains(t, text, "progress 100%")
	require.NotContains(t, text, "progress  60%")
	require.Contains(t, text, "a link")
	for _, gone := range []string{"\x1b", "\x07", "evil", "ZXZp", "\u202e"} {
		require.NotContains(t, text, gone)
	}
	require.Zero(t, js[int](p, `document.querySelectorAll(".lines a").length`))
	require.NotEmpty(t, js[string](p, `[...document.querySelectorAll(".otext span")].find((e) => e.innerText === "red").className`))
	require.NotContains(t, js[string](p, `document.title`), "evil")
}

func TestHundredThousandLinesStayAFewNodes(t *testing.T) { // B11
	s := newSite(t, wiring{})
	agent := s.member(t, "alice")
	p := s.open(t, s.view, look{})
	p.live("/agents/alice")
	const lines, chunk = 100_000, 250
	for i := 0; i < lines; i += chunk {
		var text strings.Builder
		for j := range chunk {
			fmt.Fprintf(&text, "\x1b[32mok\x1b[0m line %d\n", i+j)
		}
		_, err := agent.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: text.String()})
		require.NoError(t, err)
	}
	p.within(2*patience, `document.querySelector(".lines")?.innerText.includes("line 99999")`, "the last line is in sight")
	require.Less(t, js[int](p, `(() => { let n = 0; const w = document.createTreeWalker(document, -1); while (w.nextNode()) n++; return n })()`), 2500)
	p.fill(".obar input", "line 99990")
	p.until(`document.querySelector(".oline.on")?.innerText.includes("line 99990")`, "what was searched for is marked")
}
