// Package statedir says where atmcp keeps what it remembers between its runs: the
// sessions of workers, the brakes of hooks, and the hooks' log. None of it is
// needed; what is lost is made anew.
package statedir

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Find returns the directory without making it: $ATMCP_STATE_DIR, else atmcp below
// $XDG_STATE_HOME, else where the system has it. Without any of them it is below
// the directory for temporary files.
func Find(getenv func(string) string) string {
	if dir := getenv("ATMCP_STATE_DIR"); dir != "" {
		return dir
	}
	if dir := getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "atmcp")
	}
	home := cmp.Or(getenv("HOME"), getenv("USERPROFILE"))
	switch {
	case runtime.GOOS == "windows" && getenv("LOCALAPPDATA") != "":
		return filepath.Join(getenv("LOCALAPPDATA"), "atmcp")
	case home != "":
		return filepath.Join(home, ".local", "state", "atmcp")
	}
	return filepath.Join(os.TempDir(), "atmcp-state")
}

// Name makes a file name of what belongs to one agent, session or the like, whose
// own name may have any letters and be long.
func Name(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:12])
}
