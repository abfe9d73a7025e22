package canon_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/atmcp/atmcp/internal/canon"
)

// The ids were computed with the original; existing findings rest on them.
func TestContentIDIsTheOriginals(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		title, body string
		tags        []string
		want        string
	}{
		{"DB uses WAL", "SQLite is in WAL mode", []string{"db"}, "06e73e6e8a4729a4c85607fe6a68a43a7eec37321d47ac4db7e6dc409129c91b"},
		{"T", "body", []string{"DB", " Perf ", "db", ""}, "3dd5579ead91ff9dfd995141f1d36ea871f4030e3776ceab841a4316fa432002"},
		{"", "", nil, "83f2575fdd841b24f5af99da4c9096492b34d8a7769440ce4b2029725d1a4e8b"},
		{"A & <b>", "tab\there \u2028 \u007f \b\f /", []string{"x"}, "929c281390efa43f549a9ca9d399f0409b4a958cc33db5b9b9369aba551b24e8"},
		{"héllo", "日本語 😀", []string{"Ünï"}, "cd6a0e2b1447d8addaba475a7d35976aa249e896eb239948f26e4a029ad3b37d"},
		{`q"\`, "line1\nline2\r\u0001", []string{}, "2a240074fa380e578f9bc8d27858711102c812f88a9e7d4e88108b8b66266703"},
	} {
		assert.Equal(t, v.want, canon.ContentID(v.title, v.body, v.tags), "title %q", v.title)
	}
}
