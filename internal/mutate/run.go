package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// timeout ends a test that a mutant makes hang, which is a way of noticing too.
const timeout = "60s"

// runner remembers which tests are known to pass on the code as it is.
type runner struct {
	dir   string
	sound map[string]error
}

// try returns nil if the mutant's test passes on the code as it is and fails on the mutant.
func (r *runner) try(path string) error {
	m, err := readMutant(path)
	if err != nil {
		return err
	}
	changed, err := m.apply()
	if err != nil {
		return err
	}
	if err := r.passes(m); err != nil {
		return err
	}
	overlay, err := r.overlay(m.file, changed)
	if err != nil {
		return err
	}
	out, err := goTest(m, "-overlay="+overlay)
	if err == nil {
		return fmt.Errorf("%s passes without the guard", m.test)
	}
	if noticed(out) {
		return nil
	}
	return fmt.Errorf("the mutant could not be tested: %w\n%s", err, out)
}

// passes runs the mutant's test on the code as it is, once for each test.
func (r *runner) passes(m *mutant) error {
	key := m.pkg + " " + m.test
	if err, ok := r.sound[key]; ok {
		return err
	}
	out, err := goTest(m)
	switch {
	case err != nil:
		err = fmt.Errorf("%s fails on the code as it is: %w\n%s", m.test, err, out)
	case !bytes.Contains(out, []byte("--- PASS: ")):
		err = fmt.Errorf("%s names no test of %s that runs", m.test, m.pkg)
	}
	r.sound[key] = err
	return err
}

// overlay writes the changed file and the JSON that tells the go command to read it in the other's place.
func (r *runner) overlay(file string, changed []byte) (string, error) {
	original, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	replacement := filepath.Join(r.dir, "mutant.go")
	if err := os.WriteFile(replacement, changed, 0o600); err != nil {
		return "", err
	}
	data, err := json.Marshal(map[string]map[string]string{"Replace": {original: replacement}})
	if err != nil {
		return "", err
	}
	path := filepath.Join(r.dir, "overlay.json")
	return path, os.WriteFile(path, data, 0o600)
}

// noticed tells a test that fails, panics, deadlocks or runs out of time from a program that does not compile.
func noticed(out []byte) bool {
	return bytes.Contains(out, []byte("--- FAIL: ")) || bytes.Contains(out, []byte("\npanic: ")) ||
		bytes.Contains(out, []byte("fatal error: "))
}

// goTest runs the mutant's test. Vet is off: it would object to some mutants before the test can. Failing is the point,
// so rapid need not keep what it found in the tree.
func goTest(m *mutant, flags ...string) ([]byte, error) {
	args := append([]string{"test", "-v", "-count=1", "-vet=off", "-timeout=" + timeout, "-run=" + m.test}, flags...)
	test := exec.Command("go", append(args, m.pkg)...) //nolint:noctx // -timeout ends it
	test.Env = append(os.Environ(), "RAPID_NOFAILFILE=true")
	return test.CombinedOutput()
}
