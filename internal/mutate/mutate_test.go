package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	source = "package guard\n\nfunc Open(token int) bool {\n\tif token != 7 {\n\t\treturn false\n\t}\n\treturn true\n}\n"
	tests  = "package guard\n\nimport \"testing\"\n\nfunc TestWrongTokenIsRefused(t *testing.T) {\n" +
		"\tif Open(8) {\n\t\tt.Fatal(\"opened\")\n\t}\n}\n\nfunc TestRightTokenOpens(t *testing.T) {\n" +
		"\tif !Open(7) {\n\t\tt.Fatal(\"closed\")\n\t}\n}\n"
)

func TestMutantIsKilledOnlyByATestThatNotices(t *testing.T) {
	t.Parallel()
	tool := filepath.Join(t.TempDir(), "mutate")
	out, err := exec.Command("go", "build", "-o", tool, ".").CombinedOutput()
	require.NoError(t, err, string(out))

	for _, c := range []struct{ name, test, old, replacement, want string }{
		{"noticed", "TestWrongTokenIsRefused", "if token != 7 {", "if token < 0 {", "mutants killed 1/1"},
		{"a panic is noticing", "TestWrongTokenIsRefused", "return false", "panic(1)", "mutants killed 1/1"},
		{"unnoticed", "TestRightTokenOpens", "if token != 7 {", "if token < 0 {", "passes without the guard"},
		{"no such test", "TestNothing", "if token != 7 {", "if token < 0 {", "names no test"},
		{"does not compile", "TestWrongTokenIsRefused", "if token != 7 {", "if token {", "could not be tested"},
		{"moved away", "TestWrongTokenIsRefused", "if token != 9 {", "if token < 0 {", "is not in guard.go"},
		{"ambiguous", "TestWrongTokenIsRefused", "return ", "return !", "is 2 times in guard.go"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, "go.mod", "module guard\n\ngo 1.26\n")
			write(t, dir, "guard.go", source)
			write(t, dir, "guard_test.go", tests)
			write(t, dir, "a.mut", "# The token is not looked at.\nfile: guard.go\npackage: .\ntest: "+c.test+
				"\n--- old\n"+c.old+"\n--- new\n"+c.replacement+"\n")

			run := exec.Command(tool, "a.mut")
			run.Dir = dir
			out, err := run.CombinedOutput()

			assert.Contains(t, string(out), c.want)
			assert.Equal(t, c.want == "mutants killed 1/1", err == nil, "%s", out)
			assert.Equal(t, source, read(t, dir, "guard.go"), "the tree itself is never touched")
		})
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	return string(data)
}
