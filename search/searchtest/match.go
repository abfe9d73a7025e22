package searchtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/search"
)

func testRelaxed(t *testing.T, b bench) {
	b.put(t,
		doc("both", "fencing", "a lease has a token"),
		doc("first", "lease", "alone"),
		doc("second", "token", "alone"),
		doc("none", "nothing", "here"))
	strict := b.ask(t, search.Query{Text: "lease token"})
	assert.Equal(t, []string{"both"}, ids(strict))
	assert.False(t, strict.Relaxed)

	relaxed := b.ask(t, search.Query{Text: "lease zebra"})
	assert.ElementsMatch(t, []string{"both", "first"}, ids(relaxed))
	assert.True(t, relaxed.Relaxed)
	assert.Equal(t, 2, relaxed.Total)

	missing := b.ask(t, search.Query{Text: "zebra"})
	assert.Empty(t, missing.Hits)
	assert.False(t, missing.Relaxed)

	// The conditions beside the text decide what there is to have all words.
	d := doc("mine", "lease", "")
	d.Author = "me"
	b.put(t, d)
	own := b.ask(t, search.Query{Text: "lease token", Author: "me"})
	assert.Equal(t, []string{"mine"}, ids(own))
	assert.True(t, own.Relaxed)
}

func testBlank(t *testing.T, b bench) {
	var docs []search.Doc
	for i := range 9 {
		d := doc(fmt.Sprintf("d%d", i), "title", "body")
		d.Seq = uint64(i*7%9 + 1)
		docs = append(docs, d)
	}
	b.put(t, docs...)
	for _, blank := range []string{"", "  ", "\t\r\n\u3000\u00a0"} {
		r := b.ask(t, search.Query{Text: blank})
		assert.Equal(t, []string{"d5", "d1", "d6", "d2", "d7", "d3", "d8", "d4", "d0"}, ids(r), "%q", blank)
		assert.Equal(t, 9, r.Total)
		assert.False(t, r.Relaxed)
		assert.Empty(t, r.Hits[0].Spans)
	}
}

func testWordless(t *testing.T, b bench) {
	b.put(t, doc("a", "lease * ? %", "_ \" ( ) & !"))
	for _, text := range []string{"*", "%", "_", "?!", "\x00", "\u202e", "\xff\xfe", "\"\"", "()", "🙂", ".*", "\u200b"} {
		r := b.ask(t, search.Query{Text: text})
		assert.Empty(t, r.Hits, "%q", text)
		assert.Zero(t, r.Total, "%q", text)
	}
}

func testFilters(t *testing.T, b bench) {
	var docs []search.Doc
	for i := range 200 {
		d := doc(fmt.Sprintf("d%03d", i), "lease", strings.Repeat("lease ", i%5), "all")
		d.Author = "many"
		if i%50 == 7 {
			d.Tags = []string{"all", "go", "two words"}
			d.Author = "few"
		}
		d.Seq = uint64(i + 1)
		docs = append(docs, d)
	}
	b.put(t, docs...)
	few := []string{"d007", "d057", "d107", "d157"}
	for _, text := range []string{"lease", ""} {
		for name, q := range map[string]search.Query{
			"tag":    {Tags: []string{"go"}},
			"tags":   {Tags: []string{"two words", "all", "go", "go"}},
			"author": {Author: "few"},
			"both":   {Author: "few", Tags: []string{"go"}},
		} {
			q.Text, q.Limit = text, 5
			r := b.ask(t, q)
			assert.ElementsMatch(t, few, ids(r), "%s, text %q", name, text)
			assert.Equal(t, 4, r.Total, name)
		}
		since := b.ask(t, search.Query{Text: text, Tags: []string{"go"}, SinceSeq: 108})
		assert.Equal(t, []string{"d157"}, ids(since))
		for name, q := range map[string]search.Query{
			"part of a tag":  {Tags: []string{"two"}},
			"case of a tag":  {Tags: []string{"Go"}},
			"missing tag":    {Tags: []string{"go", "rust"}},
			"unknown author": {Author: "fe"},
			"future":         {SinceSeq: 200},
			"far future":     {SinceSeq: 1<<64 - 1},
		} {
			q.Text = text
			assert.Zero(t, b.ask(t, q).Total, "%s, text %q", name, text)
		}
	}
}

func testPages(t *testing.T, b bench) {
	var docs []search.Doc
	for i := range 130 {
		docs = append(docs, doc(fmt.Sprintf("d%03d", i), "lease", strings.Repeat("word ", i%11)))
	}
	b.put(t, docs...)
	for _, text := range []string{"lease", "", "lease zebra"} {
		whole := ids(b.ask(t, search.Query{Text: text, Limit: 1000}))
		require.Len(t, whole, 130, text)
		var paged []string
		for offset := 0; offset < 140; offset += 7 {
			r := b.ask(t, search.Query{Text: text, Offset: offset, Limit: 7})
			assert.Equal(t, 130, r.Total)
			paged = append(paged, ids(r)...)
		}
		assert.Equal(t, whole, paged, text)
		assert.Len(t, b.ask(t, search.Query{Text: text}).Hits, search.DefaultLimit)
		assert.Len(t, b.ask(t, search.Query{Text: text, Limit: -3, Offset: -3}).Hits, search.DefaultLimit)
		assert.Empty(t, b.ask(t, search.Query{Text: text, Offset: 1 << 40, Limit: 1 << 40}).Hits)
	}
}

func testCase(t *testing.T, b bench) {
	b.put(t, doc("a", "Größe DER Lease", "ДОГОВОР Ａｂｃ"))
	for _, text := range []string{"GRÖSSE lease", "größe", "LEASE", "договор", "Договор", "der"} {
		want := []string{"a"}
		assert.Equal(t, want, b.find(t, text), text)
	}
}

func testIdentifiers(t *testing.T, b bench) {
	b.put(t,
		doc("read", "", "call os.ReadFile before it is gone"),
		doc("conns", "", "set max_open_conns to eight"),
		doc("serve", "", "net/http.ListenAndServe blocks, see fd_unix.go"),
		doc("server", "", "an HTTPServer in internal/wake/board.go"),
		doc("kebab", "", "the flag --dry-run of foo-bar_baz"),
		doc("plain", "", "nothing of the kind"))
	for text, want := range map[string]string{
		"os.ReadFile": "read", "ReadFile": "read", "readfile": "read", "read file": "read", "OS.READFILE": "read",
		"max_open_conns": "conns", "open conns": "conns", "conns": "conns",
		"net/http.ListenAndServe": "serve", "ListenAndServe": "serve", "listen serve": "serve", "fd_unix.go": "serve",
		"unix": "serve", "HTTPServer": "server", "http server": "server", "internal/wake/board.go": "server",
		"board.go": "server", "wake/board.go": "server", "wake board": "server",
		"dry-run": "kebab", "--dry-run": "kebab", "foo-bar_baz": "kebab", "bar baz": "kebab", "foo-bar": "kebab",
	} {
		r := b.ask(t, search.Query{Text: text})
		if assert.NotEmpty(t, r.Hits, text) {
			assert.Equal(t, want, r.Hits[0].ID, text)
			assert.False(t, r.Relaxed, text)
		}
	}
}

func testDense(t *testing.T, b bench) {
	b.put(t,
		doc("zh", "任务租约管理", "每个任务都有一个租约。"),
		doc("ja", "リースの更新", "エージェントはタスクを請求する"),
		doc("ko", "임대 갱신", "작업을 청구합니다"),
		doc("mixed", "lease租约manager", ""),
		doc("en", "lease", "task"))
	for text, want := range map[string][]string{
		"租约": {"zh", "mixed"}, "任务": {"zh"}, "租约管理": {"zh"}, "任务 租约": {"zh"}, "约": {"zh", "mixed"},
		"リース": {"ja"}, "タスク": {"ja"}, "更新": {"ja"}, "갱신": {"ko"}, "작업": {"ko"}, "manager": {"mixed"},
	} {
		r := b.ask(t, search.Query{Text: text})
		assert.ElementsMatch(t, want, ids(r), text)
		assert.False(t, r.Relaxed, text)
	}
}

func testPrefix(t *testing.T, b bench) {
	b.put(t, doc("a", "leaseholder renews", "token"), doc("b", "lemon", "renewal"))
	assert.Equal(t, []string{"a"}, b.find(t, "leas"))
	assert.Equal(t, []string{"a"}, b.find(t, "token leaseh"))
	assert.ElementsMatch(t, []string{"a", "b"}, b.find(t, "renew"))
	first := b.ask(t, search.Query{Text: "leaseh token"})
	assert.True(t, first.Relaxed, "only the last word may be a beginning")
}

func testTagText(t *testing.T, b bench) {
	b.put(t, doc("a", "title", "body", "ci-flaky", "two words"), doc("b", "title", "body", "ci"))
	assert.Equal(t, []string{"a"}, b.find(t, "flaky"))
	assert.Equal(t, []string{"a"}, b.find(t, "ci-flaky title"))
	assert.Equal(t, []string{"a"}, b.find(t, "words"))
}

func testSpans(t *testing.T, b bench) {
	d := doc("a", "Größe der Lease", "Die LEASE läuft ab; the lease ends. 任务租约")
	b.put(t, d)
	marked := func(text string) []string {
		r := b.ask(t, search.Query{Text: text})
		require.Len(t, r.Hits, 1, text)
		out := []string{}
		end, field := 0, search.FieldTitle
		for _, s := range r.Hits[0].Spans {
			from := map[string]string{search.FieldTitle: d.Title, search.FieldBody: d.Body}[s.Field]
			if s.Field != field {
				end, field = 0, s.Field
			}
			require.LessOrEqual(t, end, s.Start, "spans are in order and apart")
			require.Less(t, s.Start, s.End)
			require.LessOrEqual(t, s.End, len(from))
			out = append(out, s.Field+":"+from[s.Start:s.End])
			end = s.End
		}
		return out
	}
	assert.Equal(t, []string{"title:Lease", "body:LEASE", "body:lease"}, marked("lease"))
	assert.Equal(t, []string{"title:Größe", "title:Lease", "body:LEASE", "body:lease"}, marked("größe lease"))
	assert.Equal(t, []string{"body:läuft"}, marked("läuft"))
	assert.Equal(t, []string{"body:租约"}, marked("租约"))

	b.put(t, doc("a", strings.Repeat("lease ", 200), strings.Repeat("lease ", 200)))
	assert.LessOrEqual(t, len(b.ask(t, search.Query{Text: "lease"}).Hits[0].Spans), search.MaxSpans)
}
