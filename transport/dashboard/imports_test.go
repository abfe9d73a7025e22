package dashboard_test

import (
	"net/http"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/transport/dashboard"
)

var anyImport = regexp.MustCompile(`(?:\bfrom|\bimport)\s*\(?\s*["'](\.{1,2}/[^"']+)["']`)

func TestEveryModuleThatIsImportedIsThereAndThoseNeededAtOnceAreAnnounced(t *testing.T) {
	t.Parallel()
	files := webFiles(t)
	page := ask(t, beside(t, "", dashboard.Options{}), http.MethodGet, "/ui/", nil).text
	announced := make(map[string]bool)
	for _, name := range names(page) {
		announced[name] = true
	}
	require.True(t, announced["js/main.js"])
	for name, code := range files {
		if path.Ext(name) != ".js" {
			continue
		}
		for _, m := range anyImport.FindAllStringSubmatch(comment.ReplaceAllString(code, " "), -1) {
			imported := path.Join(path.Dir(name), m[1])
			_, ok := files[imported]
			assert.True(t, ok, "%s imports %s, which is not there", name, imported)
			if announced[name] && !strings.HasPrefix(m[0], "import(") {
				assert.True(t, announced[imported], "%s imports %s, which the page does not announce", name, imported)
			}
		}
	}
}

// served is how many bytes a file takes on its way to a browser.
func served(t *testing.T, h http.Handler, name string) int {
	t.Helper()
	r := ask(t, h, http.MethodGet, "/ui/_/"+dashboard.Assets()+"/"+name, http.Header{"Accept-Encoding": {"gzip"}})
	require.Equal(t, http.StatusOK, r.StatusCode, name)
	return len(r.text)
}

// needed adds a module and all that it imports at once.
func needed(files map[string]string, name string, list map[string]bool) {
	if list[name] {
		return
	}
	list[name] = true
	for _, m := range anyImport.FindAllStringSubmatch(comment.ReplaceAllString(files[name], " "), -1) {
		if !strings.HasPrefix(m[0], "import(") {
			needed(files, path.Join(path.Dir(name), m[1]), list)
		}
	}
}

var lateImport = regexp.MustCompile(`import\(\s*["'](\.{1,2}/[^"']+)["']`)

// What every visit loads is at most 70 KB; with any one view, however a browser came to
// it, 100 KB; and all there is at most half as much again.
func TestThePageIsSmall(t *testing.T) {
	t.Parallel()
	const plan, most = 70 << 10, 100 << 10
	files, h := webFiles(t), beside(t, "", dashboard.Options{})
	page := ask(t, h, http.MethodGet, "/ui/", http.Header{"Accept-Encoding": {"gzip"}})
	first := len(page.text) + max(served(t, h, "i18n/en.json"), served(t, h, "i18n/zh-CN.json"))
	announced := make(map[string]bool)
	for _, name := range names(ask(t, h, http.MethodGet, "/ui/", nil).text) {
		if !announced[name] {
			first += served(t, h, name)
		}
		announced[name] = true
	}
	all, late := first, make(map[string]bool)
	for name, code := range files {
		for _, m := range lateImport.FindAllStringSubmatch(comment.ReplaceAllString(code, " "), -1) {
			late[path.Join(path.Dir(name), m[1])] = true
		}
	}
	require.NotEmpty(t, late)
	counted := make(map[string]bool)
	for view := range late {
		with, list := first, make(map[string]bool)
		needed(files, view, list)
		for name := range list {
			if announced[name] {
				continue
			}
			size := served(t, h, name)
			with += size
			if !counted[name] {
				all += size
			}
			counted[name] = true
		}
		assert.LessOrEqual(t, with, most, "the first page and %s", view)
	}
	t.Logf("the first page takes %d bytes, compressed, and all %d", first, all)
	assert.LessOrEqual(t, first, plan)
	assert.LessOrEqual(t, all, most*3/2)
}
