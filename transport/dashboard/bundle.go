package dashboard

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// The files that stand for themselves.
const (
	index    = "index.html"
	licences = "vendor/THIRD_PARTY_LICENSES.txt"
	sheet    = "css/all.css" // of all style sheets that the page names, in that order
)

// bundle is the files of the page, ready to be sent.
type bundle struct {
	hash  string           // of all files and their names
	files map[string]*file // by path
	index []byte           // with marks, see page

	mu    sync.Mutex
	pages map[string]*file // by what was filled in
}

// file is one file, compressed once.
type file struct {
	kind string // its Content-Type
	tag  string // its hash
	raw  []byte
	zip  []byte // nil where it would save nothing
}

// newBundle reads all files, and changes them on the way.
func newBundle(files fs.FS, shrink func(name string, raw []byte) []byte) (*bundle, error) {
	b := &bundle{files: make(map[string]*file), pages: make(map[string]*file)}
	sum := sha256.New()
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		f, err := newFile(name, shrink(name, raw))
		b.files[name] = f
		_, _ = fmt.Fprintf(sum, "%q %s\n", name, f.tag) // a hash takes everything
		return err
	})
	if err != nil {
		return nil, err
	}
	if b.files[index] == nil || b.files[licences] == nil {
		return nil, errors.New("there is no " + index + " or no " + licences)
	}
	b.hash = hex.EncodeToString(sum.Sum(nil))[:12]
	page, err := b.withOneSheet(b.files[index].raw)
	b.index = b.withPreloads(page)
	return b, err
}

func newFile(name string, raw []byte) (*file, error) {
	sum := sha256.Sum256(raw)
	f := &file{kind: kindOf(name), tag: hex.EncodeToString(sum[:16]), raw: raw}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return f, err
	}
	if _, err = w.Write(raw); err == nil {
		err = w.Close()
	}
	if b.Len() < len(raw) {
		f.zip = b.Bytes()
	}
	return f, err
}

// kindOf is the type of a file by its name; what systems say of them differs.
func kindOf(name string) string {
	switch ext := path.Ext(name); ext {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".json":
		return "application/json"
	case ".svg":
		return "image/svg+xml"
	case ".txt":
		return "text/plain; charset=utf-8"
	default:
		if kind := mime.TypeByExtension(ext); kind != "" {
			return kind
		}
		return "application/octet-stream"
	}
}

// serve sends the file, compressed to who takes that. Each form has a tag of its own.
func (f *file) serve(w http.ResponseWriter, r *http.Request, caching string) {
	h := w.Header()
	body, tag := f.raw, f.tag
	if f.zip != nil {
		h.Set("Vary", "Accept-Encoding")
		if takesGzip(r.Header.Get("Accept-Encoding")) {
			body, tag = f.zip, f.tag+"-gz"
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("Cache-Control", caching)
	h.Set("ETag", `"`+tag+`"`)
	if known(r.Header.Get("If-None-Match"), tag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client is gone; there is nobody to tell
	}
}

// known tells whether a client has what a tag names.
func known(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		if part = strings.TrimPrefix(strings.TrimSpace(part), "W/"); part == `"`+tag+`"` || part == "*" {
			return true
		}
	}
	return false
}

func takesGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, quality, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			weight, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(quality), "q="), 64)
			return err != nil || weight > 0
		}
	}
	return false
}

// page returns index.html for a view so many directories below the mount. In the file
// itself the addresses are as seen from the mount, and files are below _/.
func (b *bundle) page(depth int, o Options) *file {
	up := strings.Repeat("../", depth)
	api := up + o.API
	if api == "" {
		api = "./"
	}
	key := strings.Join([]string{up, api, o.Version}, "\n")
	b.mu.Lock()
	defer b.mu.Unlock()
	if made := b.pages[key]; made != nil {
		return made
	}
	root := up
	if root == "" {
		root = "./"
	}
	text := strings.NewReplacer(
		`"_/`, `"`+up+"_/"+b.hash+"/",
		`<html `, `<html data-assets="`+b.hash+`" `,
		`name="atmcp-root" content="./"`, `name="atmcp-root" content="`+root+`"`,
		`name="atmcp-api" content="../"`, `name="atmcp-api" content="`+html.EscapeString(api)+`"`,
		`name="atmcp-version" content=""`, `name="atmcp-version" content="`+html.EscapeString(o.Version)+`"`,
	).Replace(string(b.index))
	made, err := newFile(index, []byte(text))
	if err != nil {
		made.zip = nil // writing to memory does not fail
	}
	b.pages[key] = made
	return made
}

// withOneSheet has a page ask for its style sheets as one, which is smaller than they are.
func (b *bundle) withOneSheet(page []byte) ([]byte, error) {
	var all []byte
	link := []byte(`<link rel="stylesheet" href="_/` + sheet + "\">\n") // in place of the first
	for _, m := range styleSheet.FindAllSubmatch(page, -1) {
		if f := b.files[string(m[1])]; f != nil {
			all = append(all, f.raw...)
		}
		page = bytes.Replace(page, m[0], link, 1)
		link = nil
	}
	f, err := newFile(sheet, all)
	b.files[sheet] = f
	return page, err
}

// withPreloads adds links to all that the page's scripts import, so that a browser
// fetches it at once and not module by module.
func (b *bundle) withPreloads(page []byte) []byte {
	var links strings.Builder
	for _, name := range b.imports(page) {
		fmt.Fprintf(&links, "<link rel=\"modulepreload\" href=\"_/%s\">\n", html.EscapeString(name))
	}
	return bytes.Replace(page, []byte("<!-- modulepreload -->"), []byte(strings.TrimSuffix(links.String(), "\n")), 1)
}

// imports lists the scripts of a page and all that they import, except what is imported
// when it is needed.
func (b *bundle) imports(page []byte) []string {
	var list []string
	for _, m := range moduleScript.FindAllSubmatch(page, -1) {
		list = append(list, string(m[1]))
	}
	for i := 0; i < len(list); i++ {
		f := b.files[list[i]]
		if f == nil {
			continue
		}
		for _, m := range staticImport.FindAllSubmatch(f.raw, -1) {
			name := path.Join(path.Dir(list[i]), string(m[1]))
			if b.files[name] != nil && !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	return list
}
