// Command corpus writes paragraphs of the Go standard library's documentation, as
// findings, to standard output: one JSON object a line. It reads the sources of the
// toolchain that runs it, so that one version always gives the same.
//
//	go run ./corpus > testdata/corpus.jsonl
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// The paragraphs that are taken: neither headings nor essays.
const (
	fewestWords = 12
	mostWords   = 140
)

type finding struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Body  string `json:"body"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return err
	}
	src := filepath.Join(strings.TrimSpace(string(root)), "src")
	out := bufio.NewWriter(os.Stdout)
	seen := make(map[string]bool)
	number := 0
	err = filepath.WalkDir(src, func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		name, err := filepath.Rel(src, dir)
		if err != nil {
			return err
		}
		if hidden(name) {
			return fs.SkipDir
		}
		return eachParagraph(dir, filepath.ToSlash(name), func(title, body string) error {
			if n := len(strings.Fields(body)); seen[body] || n < fewestWords || n > mostWords {
				return nil
			}
			seen[body] = true
			number++
			line, err := json.Marshal(finding{ID: fmt.Sprintf("p%04d", number), Title: title, Body: body})
			if err == nil {
				_, err = out.Write(append(line, '\n'))
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

// hidden reports whether a directory is nobody's to import.
func hidden(name string) bool {
	parts := strings.Split(filepath.ToSlash(name), "/")
	return parts[0] == "cmd" || slices.ContainsFunc(parts, func(p string) bool {
		return p == "internal" || p == "vendor" || p == "testdata"
	})
}

// eachParagraph calls fn with the paragraphs of a package's documentation and the
// names they stand at.
func eachParagraph(dir, name string, fn func(title, body string) error) error {
	files := token.NewFileSet()
	var parsed []*ast.File
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(files, filepath.Join(dir, e.Name()), nil, parser.ParseComments)
		if err != nil {
			return err
		}
		if f.Name.Name == path.Base(name) {
			parsed = append(parsed, f)
		}
	}
	if len(parsed) == 0 {
		return nil
	}
	p, err := doc.NewFromFiles(files, parsed, name)
	if err != nil {
		return err
	}
	w := &writer{pkg: p, name: name, fn: fn}
	w.all()
	return w.err
}

type writer struct {
	pkg  *doc.Package
	name string
	fn   func(title, body string) error
	err  error
}

func (w *writer) all() {
	w.text("", w.pkg.Doc)
	w.values(w.pkg.Consts)
	w.values(w.pkg.Vars)
	w.funcs("", w.pkg.Funcs)
	for _, t := range w.pkg.Types {
		w.text(t.Name, t.Doc)
		w.values(t.Consts)
		w.values(t.Vars)
		w.funcs("", t.Funcs)
		w.funcs(t.Name+".", t.Methods)
	}
}

func (w *writer) values(list []*doc.Value) {
	for _, v := range list {
		w.text(v.Names[0], v.Doc)
	}
}

func (w *writer) funcs(of string, list []*doc.Func) {
	for _, f := range list {
		w.text(of+f.Name, f.Doc)
	}
}

// text writes the paragraphs of one comment.
func (w *writer) text(symbol, text string) {
	title := w.name
	if symbol != "" {
		title += "." + symbol
	}
	printer := w.pkg.Printer()
	printer.TextWidth = -1
	for _, block := range w.pkg.Parser().Parse(text).Content {
		if _, ok := block.(*comment.Paragraph); !ok || w.err != nil {
			continue
		}
		body := strings.TrimSpace(string(printer.Text(&comment.Doc{Content: []comment.Block{block}})))
		w.err = w.fn(title, body)
	}
}
