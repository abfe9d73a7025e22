package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
)

// mutant is one guard taken out of the code, and the test that must notice.
type mutant struct {
	name    string // the .mut file's path
	file    string // the source file that is changed
	pkg     string // the package whose tests run, as go test names it
	test    string // a regexp for go test -run
	oldText string // stands in the file exactly once
	newText string
}

// readMutant reads a .mut file: comment lines, the fields file, package and test, and two texts under the lines
// "--- old" and "--- new". The texts are parts of lines or whole lines, without the last newline.
func readMutant(path string) (*mutant, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &mutant{name: path}
	fields := map[string]*string{"file": &m.file, "package": &m.pkg, "test": &m.test}
	texts := map[string]*string{"--- old": &m.oldText, "--- new": &m.newText}

	var text *string
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		line := lines.Text()
		if t, ok := texts[line]; ok {
			text = t
			continue
		}
		if text != nil {
			*text += line + "\n"
			continue
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, _ := strings.Cut(line, ":")
		field, ok := fields[key]
		if !ok {
			return nil, fmt.Errorf("%s: unknown field %q", path, key)
		}
		*field = strings.TrimSpace(value)
	}
	m.oldText, m.newText = strings.TrimSuffix(m.oldText, "\n"), strings.TrimSuffix(m.newText, "\n")
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if m.file == "" || m.pkg == "" || m.test == "" || m.oldText == "" {
		return nil, fmt.Errorf("%s: file, package, test and a text under --- old are needed", path)
	}
	return m, nil
}

// apply returns the source file with the old text replaced.
func (m *mutant) apply() ([]byte, error) {
	source, err := os.ReadFile(m.file)
	if err != nil {
		return nil, err
	}
	switch n := bytes.Count(source, []byte(m.oldText)); n {
	case 1:
		return bytes.Replace(source, []byte(m.oldText), []byte(m.newText), 1), nil
	case 0:
		return nil, errors.New("the old text is not in " + m.file)
	default:
		return nil, fmt.Errorf("the old text is %d times in %s", n, m.file)
	}
}
