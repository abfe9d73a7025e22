package dashboard

import (
	"io/fs"
	"path"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestScriptsLoseCommentsAndIndentationAlone(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"// why\nconst a = 1; // what\n\n\n  /* and\n so on */ let b = a / 2 / 1\n": "const a = 1;\n let b = a / 2 / 1\n",
		"const u = 'http://x'; const v = \"/* no */\"; // yes\n":                    "const u = 'http://x'; const v = \"/* no */\";\n",
		"const s = `  // text\n  ${ /* gone */ f(`a${b}// c`) } /* text */\n`":      "const s = `  // text\n  ${  f(`a${b}// c`) } /* text */\n`\n",
		"return /[/*]\"\\/'/.test(s) // gone":                                       "return /[/*]\"\\/'/.test(s)\n",
		"x = (a) / b; y = c[0] / d // e":                                            "x = (a) / b; y = c[0] / d\n",
		"const t = `${{ a: { b: 1 } }.a.b}`; // gone":                               "const t = `${{ a: { b: 1 } }.a.b}`;\n",
		"f(html`<a\n    b=${`\n  c`}>\n  // d\n</a>`, xhtml`\n  e`)":                "f(html`<a\nb=${`\n  c`}>\n// d\n</a>`, xhtml`\n  e`)\n",
		"f('\\'// in'); // out":                                                     "f('\\'// in');\n",
		"if (a)\n  return\n  /x/.test(b)":                                           "if (a)\nreturn\n/x/.test(b)\n",
	} {
		assert.Equal(t, want, string(shrunk("js/a.js", []byte(in))), in)
	}
	for in, want := range map[string]string{
		"/* why */\n.a {\n  content: \"/* no, { */\"; /* yes */\n}\n": ".a{\ncontent:\"/* no, { */\";\n}\n",
		".a > :not(.b, .c) .d :is(e) { f: calc(1px + 2px) g; }":       ".a > :not(.b,.c) .d :is(e){f:calc(1px + 2px) g;}\n",
	} {
		assert.Equal(t, want, string(shrunk("css/a.css", []byte(in))))
	}
	assert.Equal(t, "// kept\n", string(shrunk("vendor/a.js", []byte("// kept\n"))))
	assert.Equal(t, "// kept\n", string(shrunk("a.txt", []byte("// kept\n"))))
	assert.Equal(t, `{"a":"b  c","d":1}`, string(shrunk("i18n/en.json", []byte("{\n  \"a\": \"b  c\",\n  \"d\": 1\n}\n"))))
	assert.Equal(t, "{ a }\n", string(shrunk("i18n/en.json", []byte("{ a }\n"))))
}

// What is shrunk is not shrunk any more, and no input breaks it.
func TestShrinkingIsDoneOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching("[a\\n /*\"'`\\\\${}\\[\\]]{0,40}").Draw(t, "text")
		require.NotPanics(t, func() { shrunk("js/a.js", []byte(text)) })
	})
	files := embedded()
	if !Built {
		return
	}
	require.NoError(t, fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || (path.Ext(name) != ".js" && path.Ext(name) != ".css") {
			return err
		}
		raw, err := fs.ReadFile(files, name)
		require.NoError(t, err)
		once := shrunk(name, raw)
		require.Equal(t, string(once), string(shrunk(name, once)), name)
		return nil
	}))
}
