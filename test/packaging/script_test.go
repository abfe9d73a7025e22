package packaging_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fakeGo is a go that builds a program which shows how it was started.
const fakeGo = `#!/bin/sh
[ "$1 $2 $4" = "build -o ./cmd/atmcpd" ] || exit 9
mkdir -p bin
printf '#!/bin/sh\necho "args: $*"\nenv | grep ^ATMCP_ | sort\n' >"$3"
chmod +x "$3"
`

func TestTheScriptStartsTheServerWithTheSettingsOfTheFile(t *testing.T) {
	dir := t.TempDir()
	write := func(path, text string, mode os.FileMode) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, path), []byte(text), mode))
	}
	write("run_local.sh", read(t, "run_local.sh"), 0o700)
	write("path/go", fakeGo, 0o700)
	write(".env", `# a comment with ATMCP_NONE=1
#ATMCP_LEASE_TTL_S=90
ATMCP_ADDR=127.0.0.1:8001
ATMCP_PUBLIC_URL="https://team.example/a b?c=d"
ATMCP_ADMIN_TOKEN=$(touch ran)

ATMCP_LOG_FORMAT=json
lower=1
no setting
ATMCP_DATA_DIR='it is here'`, 0o600) // its last line has no end
	run := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), "sh", append([]string{filepath.Join(dir, "run_local.sh")}, args...)...)
		cmd.Env = []string{"PATH=" + filepath.Join(dir, "path") + ":/usr/bin:/bin", "ATMCP_LOG_FORMAT=text"}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	assert.Equal(t, strings.Join([]string{
		"args: --addr 127.0.0.1:9000",
		"ATMCP_ADDR=127.0.0.1:8001",
		"ATMCP_ADMIN_TOKEN=$(touch ran)",
		"ATMCP_DATA_DIR=it is here",
		"ATMCP_LOG_FORMAT=text", // the environment wins
		"ATMCP_PUBLIC_URL=https://team.example/a b?c=d",
		"",
	}, "\n"), run("--addr", "127.0.0.1:9000"))
	assert.NoFileExists(t, filepath.Join(dir, "ran"), "the file is read, not run")

	require.NoError(t, os.Remove(filepath.Join(dir, ".env")))
	assert.Equal(t, "args: \nATMCP_LOG_FORMAT=text\n", run())
}

func TestTheScriptIsPlainShell(t *testing.T) {
	script := filepath.Join("..", "..", "run_local.sh")
	info, err := os.Stat(script)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&0o100, "it can be run")
	assert.True(t, strings.HasPrefix(read(t, "run_local.sh"), "#!/bin/sh\n"))
	assert.Contains(t, read(t, "run_local.sh"), "\nset -eu\n")
	out, err := exec.CommandContext(t.Context(), "sh", "-n", script).CombinedOutput()
	require.NoError(t, err, string(out))
}

func TestTheLicenceIsWhole(t *testing.T) {
	text := read(t, "LICENSE")
	for _, part := range []string{"Apache License\n", "Version 2.0, January 2004", "END OF TERMS AND CONDITIONS", "Copyright 2026 The ATMcp Authors"} {
		assert.Contains(t, text, part)
	}
}
