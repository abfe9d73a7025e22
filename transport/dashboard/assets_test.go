package dashboard_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// webFiles are the files of the page, by their path.
func webFiles(t *testing.T) map[string]string {
	t.Helper()
	files := make(map[string]string)
	web := os.DirFS("web")
	require.NoError(t, fs.WalkDir(web, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(web, name)
		files[name] = string(raw)
		return err
	}))
	return files
}

func TestVendoredFilesAreWhatTheirListSaysAndTheirLicencesAreNamed(t *testing.T) {
	t.Parallel()
	files := webFiles(t)
	var list []struct{ File, Package, Version, Source, Integrity, SHA256, Licence string }
	require.NoError(t, json.Unmarshal([]byte(files["vendor/VENDOR.json"]), &list))
	listed := map[string]bool{"vendor/VENDOR.json": true, "vendor/THIRD_PARTY_LICENSES.txt": true}
	licences := files["vendor/THIRD_PARTY_LICENSES.txt"]
	for _, v := range list {
		name := "vendor/" + v.File
		listed[name] = true
		require.Contains(t, files, name)
		sum := sha256.Sum256([]byte(files[name]))
		assert.Equal(t, v.SHA256, hex.EncodeToString(sum[:]), name)
		assert.NotEmpty(t, v.Source, name)
		assert.True(t, strings.HasPrefix(v.Integrity, "sha512-"), name)
		assert.Contains(t, licences, v.Package+" "+v.Version, "who uses the page may read its licences")
		assert.Contains(t, []string{"MIT", "Apache-2.0"}, v.Licence)
	}
	for name := range files {
		assert.True(t, !strings.HasPrefix(name, "vendor/") || listed[name], "%s is not in VENDOR.json", name)
	}
	assert.Contains(t, licences, "Permission is hereby granted, free of charge", "the text of MIT")
	assert.Contains(t, licences, "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION", "the text of Apache-2.0")
}

var (
	comment   = regexp.MustCompile(`(?s)/\*.*?\*/|<!--.*?-->|(?m)(?:^|\s)//[^\n]*$`)
	address   = regexp.MustCompile(`https?://[^\s"'` + "`" + `)]*`)
	markup    = regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|dangerouslySetInnerHTML|createContextualFragment|parseFromString|srcdoc|javascript:`)
	inPage    = regexp.MustCompile(`(?i)\son[a-z]+=|\sstyle=|<style|<script>|<script type="module">[^<]`)
	keepsData = regexp.MustCompile(`document\.cookie|[?&]token=`)
)

// namespaces are addresses that name something and are never asked.
func namespaces() []string {
	return []string{"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml", "http://www.w3.org/1998/Math/MathML", "http://www.w3.org/1999/xlink"}
}

func TestNoFileOfThePageMakesMarkupOfTextOrNamesAnotherServer(t *testing.T) {
	t.Parallel()
	for name, text := range webFiles(t) {
		switch path.Ext(name) {
		case ".js", ".css", ".html", ".svg", ".json":
		default:
			continue
		}
		if name == "vendor/VENDOR.json" {
			continue
		}
		code := comment.ReplaceAllString(text, " ")
		for _, found := range address.FindAllString(code, -1) {
			assert.Contains(t, namespaces(), found, "%s names another server", name)
		}
		if strings.HasPrefix(name, "vendor/") {
			continue // a library has ways that we do not take
		}
		assert.Empty(t, markup.FindAllString(code, -1), name)
		assert.Empty(t, keepsData.FindAllString(code, -1), name)
		if path.Ext(name) == ".html" {
			assert.Empty(t, inPage.FindAllString(code, -1), "%s has scripts or styles in it, which the policy forbids", name)
		}
	}
}

var placeholder = regexp.MustCompile(`\{[a-zA-Z_]\w*\}`)

// messages are a catalogue's texts; plurals are objects by category.
func messages(t *testing.T, raw string) map[string][]string {
	t.Helper()
	var all map[string]any
	require.NoError(t, json.Unmarshal([]byte(raw), &all))
	flat := make(map[string][]string)
	for key, value := range all {
		switch value := value.(type) {
		case string:
			flat[key] = []string{value}
		case map[string]any:
			for _, text := range value {
				s, ok := text.(string)
				require.True(t, ok, key)
				flat[key] = append(flat[key], s)
			}
		default:
			require.Fail(t, "neither a text nor its plurals", key)
		}
	}
	return flat
}

func TestBothLanguagesSayTheSame(t *testing.T) {
	t.Parallel()
	files := webFiles(t)
	en, zh := messages(t, files["i18n/en.json"]), messages(t, files["i18n/zh-CN.json"])
	require.NotEmpty(t, en)
	assert.ElementsMatch(t, slices.Collect(maps.Keys(en)), slices.Collect(maps.Keys(zh)))
	marks := func(texts []string) []string {
		var list []string
		for _, text := range texts {
			list = append(list, placeholder.FindAllString(text, -1)...)
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	for key, texts := range en {
		assert.Equal(t, marks(texts), marks(zh[key]), "%s has other marks", key)
		for _, text := range append(texts, zh[key]...) {
			assert.NotRegexp(t, `<[a-zA-Z/!]|&[a-z]+;`, text, "%s has markup in it", key)
			assert.NotEmpty(t, strings.TrimSpace(text), key)
		}
	}
}
