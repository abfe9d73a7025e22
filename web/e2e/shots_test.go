package e2e_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the pictures into docs/img")

// pictures are the views of the story that the documentation shows.
var pictures = []struct{ name, view string }{
	{"overview", ""},
	{"tasks", "/tasks"},
	{"task", "/tasks/12"},
	{"graph", "/tasks?view=graph"},
	{"goals", "/goals/9"},
	{"activity", "/activity"},
	{"timeline", "/timeline?span=6h"},
	{"knowledge", "/knowledge?q=lease"},
	{"memory", "/memory/build.flags?v=3&diff=1"},
	{"directives", "/directives?id=91"},
	{"agent", "/agents/alice"},
	{"connect", "/connect?client=claude&agent=alice"},
}

func TestShotsShowEveryView(t *testing.T) {
	s := full(t, func(w *wiring) { w.public = "https://atmcp.example" })
	dir := t.TempDir()
	if *update {
		dir = filepath.Join("..", "..", "docs", "img")
		require.NoError(t, os.MkdirAll(dir, 0o750))
	}
	still := `document.addEventListener("DOMContentLoaded", () => { const s = new CSSStyleSheet(); s.replaceSync("*{transition:none!important;animation:none!important;caret-color:transparent!important}"); document.adoptedStyleSheets = [s] })`
	for _, theme := range []string{"light", "dark"} {
		p := s.open(t, s.steer, look{theme: theme, init: still})
		p.live("")
		for _, x := range pictures {
			p.goes(x.view)
			p.settle(350)
			keep(t, p, filepath.Join(dir, fmt.Sprintf("%s-%s.png", x.name, theme)))
		}
	}
	phone := s.open(t, s.steer, look{width: 390, height: 844, init: still})
	phone.live("")
	for _, x := range []struct{ name, view string }{{"overview", ""}, {"tasks", "/tasks"}, {"directives", "/directives?id=91"}} {
		phone.goes(x.view)
		phone.settle(350)
		keep(t, phone, filepath.Join(dir, x.name+"-phone.png"))
	}
}

// keep writes a picture of the tab, in few colours, after a look at whether it shows something.
func keep(t *testing.T, p *tab, path string) {
	t.Helper()
	shot, err := png.Decode(bytes.NewReader(p.picture()))
	require.NoError(t, err)
	few := paletted(shot)
	require.Greater(t, len(few.Palette), 24, "%s is blank", path)
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	require.NoError(t, encoder.Encode(&out, few))
	require.Greater(t, out.Len(), 6<<10, path)
	require.Less(t, out.Len(), 200<<10, path)
	require.NoError(t, os.WriteFile(path, out.Bytes(), 0o600))
}

// paletted is a picture in the 256 colours that it has most of, none of them close to
// another: the edges of letters have many shades, and would leave no room for a sign's colour.
func paletted(m image.Image) *image.Paletted {
	b := m.Bounds()
	counts := map[color.RGBA]int{}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			counts[color.RGBAModel.Convert(m.At(x, y)).(color.RGBA)]++
		}
	}
	all := make([]color.RGBA, 0, len(counts))
	for c := range counts {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	palette := make(color.Palette, 0, 256)
	for _, c := range all {
		if len(palette) < 256 && !slices.ContainsFunc(palette, func(p color.Color) bool { return alike(p.(color.RGBA), c) }) {
			palette = append(palette, c)
		}
	}
	nearest := map[color.RGBA]uint8{}
	for _, c := range all {
		nearest[c] = uint8(palette.Index(c)) //nolint:gosec // there are at most 256
	}
	few := image.NewPaletted(b, palette)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			few.SetColorIndex(x, y, nearest[color.RGBAModel.Convert(m.At(x, y)).(color.RGBA)])
		}
	}
	return few
}

// alike tells whether two colours are hard to tell apart.
func alike(a, b color.RGBA) bool {
	const step = 4
	near := func(x, y uint8) bool { return max(x, y)-min(x, y) < step }
	return near(a.R, b.R) && near(a.G, b.G) && near(a.B, b.B)
}
