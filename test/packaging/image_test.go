package packaging_test

import (
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// instruction is one of a Dockerfile.
type instruction struct{ name, rest string }

// words are the arguments without flags.
func (i instruction) words() []string {
	return slices.DeleteFunc(strings.Fields(i.rest), func(w string) bool { return strings.HasPrefix(w, "--") })
}

// exec is the exec form, which needs no shell.
func (i instruction) exec(t *testing.T) []string {
	t.Helper()
	var list []string
	require.NoError(t, json.Unmarshal([]byte(i.rest[strings.Index(i.rest, "["):]), &list), i.rest)
	return list
}

// stage is what one FROM begins.
type stage struct {
	base, name   string
	instructions []instruction
}

// all are the instructions of a name.
func (s stage) all(name string) []instruction {
	return slices.DeleteFunc(slices.Clone(s.instructions), func(i instruction) bool { return i.name != name })
}

func (s stage) one(t *testing.T, name string) instruction {
	t.Helper()
	found := s.all(name)
	require.Len(t, found, 1, name)
	return found[0]
}

// parseDockerfile knows comments, continued lines and the instructions that exist.
func parseDockerfile(t *testing.T, text string) []stage {
	t.Helper()
	known := strings.Fields("ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL RUN STOPSIGNAL USER VOLUME WORKDIR")
	text = regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(text, "")
	text = strings.ReplaceAll(text, "\\\n", " ")
	var stages []stage
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "" {
			continue
		}
		i := instruction{name, strings.TrimSpace(rest)}
		require.Contains(t, known, name)
		if name == "FROM" {
			words := append(i.words(), "", "")
			stages = append(stages, stage{base: words[0], name: words[2]})
			continue
		}
		require.NotEmpty(t, stages, "%s stands before FROM", name)
		last := &stages[len(stages)-1]
		last.instructions = append(last.instructions, i)
	}
	return stages
}

func TestTheImageIsAStaticProgramWithoutRoot(t *testing.T) {
	stages := parseDockerfile(t, read(t, "Dockerfile"))
	require.Len(t, stages, 2)
	build, image := stages[0], stages[1]

	toolchain := regexp.MustCompile(`(?m)^toolchain go(\S+)$`).FindStringSubmatch(read(t, "go.mod"))
	require.NotNil(t, toolchain)
	assert.Equal(t, "golang:"+toolchain[1], build.base, "go.mod's toolchain")
	runs := build.all("RUN")
	assert.Contains(t, runs[len(runs)-1].rest, "CGO_ENABLED=0")

	assert.Equal(t, "scratch", image.base)
	assert.Empty(t, image.all("RUN"), "there is no shell")
	for _, add := range image.all("COPY") {
		assert.Contains(t, add.rest, "--from="+build.name, "only what was built comes in")
	}
	assert.Regexp(t, `^[1-9]\d*:[1-9]\d*$`, image.one(t, "USER").rest, "numbers: there is no /etc/passwd")
	assert.Equal(t, "/data", image.one(t, "VOLUME").rest)
	assert.Equal(t, "8000", image.one(t, "EXPOSE").rest)
	program := image.one(t, "ENTRYPOINT").exec(t)
	assert.Equal(t, append(program, "healthcheck"), image.one(t, "HEALTHCHECK").exec(t))
	assert.Equal(t, []string{"ATMCP_ADDR=0.0.0.0:8000", "ATMCP_DATA_DIR=/data"}, image.one(t, "ENV").words()[1:])
	owned := "--chown=" + image.one(t, "USER").rest
	assert.True(t, slices.ContainsFunc(image.all("COPY"), func(i instruction) bool {
		return strings.Contains(i.rest, owned) && strings.HasSuffix(i.rest, " /data")
	}), "the volume belongs to the user")
}

func TestTheBuildSeesEverythingThatGitTracks(t *testing.T) {
	patterns := map[string]*regexp.Regexp{}
	for line := range strings.Lines(read(t, ".dockerignore")) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			glob := strings.NewReplacer(`\*\*/`, `(?:.*/)?`, `\*`, `[^/]*`).Replace(regexp.QuoteMeta(strings.TrimPrefix(line, "/")))
			patterns[line] = regexp.MustCompile(`^` + glob + `(/|$)`)
		}
	}
	assert.Contains(t, patterns, "/.env", "a secret never enters an image")
	assert.Contains(t, patterns, "/data")
	assert.Contains(t, patterns, "/embedded-data", "what examples/embedded leaves behind")
	out, err := exec.CommandContext(t.Context(), "git", "ls-files", "--full-name", "../..").Output()
	if err != nil {
		require.Empty(t, os.Getenv("CI"), "CI works in a clone")
		t.Skip("needs a machine with a clone and git: ", err)
	}
	for path := range strings.Lines(string(out)) {
		for line, pattern := range patterns {
			assert.False(t, pattern.MatchString(strings.TrimSpace(path)), "%s hides %s: the build would call itself dirty", line, path)
		}
	}
}

// TestTheImagesFilesRunAlone builds the program as the image does, and runs it as the
// image's user in a root that has nothing else: what an engine would do, but for
// namespaces.
func TestTheImagesFilesRunAlone(t *testing.T) {
	root := t.TempDir()
	program := filepath.Join(root, "atmcpd")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../../cmd/atmcpd")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	binary, err := elf.Open(program)
	if err != nil {
		require.Empty(t, os.Getenv("CI"), "CI builds for Linux")
		t.Skip("needs a Linux machine, for which the image is: ", err)
	}
	defer func() { _ = binary.Close() }()
	assert.False(t, slices.ContainsFunc(binary.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }), "it is static")

	if os.Getuid() != 0 {
		require.Empty(t, os.Getenv("CI"), "CI is root")
		t.Skip("needs a machine where the test is root: only root may change its root")
	}
	const user = 65532
	require.NoError(t, os.Mkdir(filepath.Join(root, "data"), 0o700))
	require.NoError(t, os.Chown(filepath.Join(root, "data"), user, user))
	require.NoError(t, os.Chmod(root, 0o755))
	inside := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "/atmcpd", args...)
		cmd.Dir = "/"
		cmd.Env = []string{"ATMCP_ADDR=127.0.0.1:0", "ATMCP_DATA_DIR=/data"}
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: user, Gid: user}}
		return cmd
	}
	server := inside()
	require.NoError(t, server.Start())
	healthy := func() bool { return inside("healthcheck").Run() == nil }
	assert.Eventually(t, healthy, 20*time.Second, 50*time.Millisecond)
	out, err = inside("team", "list").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "\ndefault ")
	require.NoError(t, server.Process.Signal(syscall.SIGTERM))
	require.NoError(t, server.Wait())
	assert.False(t, healthy())
}
