package atmcp_test

import (
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/atmcp/atmcp"

func TestImportingTheRootAddsNoForeignModule(t *testing.T) {
	t.Parallel()
	for _, path := range goList(t, "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", module) {
		own := path == module || strings.HasPrefix(path, module+"/")
		assert.True(t, own, "every program that imports %s links %s", module, path)
	}
}

func TestAProgramOverABoltFileLinksBboltAndSysAlone(t *testing.T) {
	t.Parallel()
	modules := goList(t, "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", module, module+"/store/boltstore")
	slices.Sort(modules)
	modules = slices.DeleteFunc(slices.Compact(modules), func(m string) bool { return m == "" })
	assert.Equal(t, []string{module, "go.etcd.io/bbolt", "golang.org/x/sys"}, modules)
}

func TestImportsPointDown(t *testing.T) {
	t.Parallel()
	for _, line := range goList(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"/...") {
		from, imports, _ := strings.Cut(line, " ")
		for to := range strings.FieldsSeq(imports) {
			if to != module && !strings.HasPrefix(to, module+"/") {
				continue
			}
			assert.True(t, mayImport(floor(from), floor(to), from, to), "%s imports %s", from, to)
		}
	}
}

// The floors of the house, from the ground up.
const (
	leaf = iota
	backend
	internals
	root
	above // transports, local, atmcptest
	command
)

// floor tells where in the house a package is.
func floor(pkg string) int {
	parts := strings.Split(strings.TrimPrefix(strings.TrimPrefix(pkg, module), "/"), "/")
	switch parts[0] {
	case "store", "liveness", "search":
		return min(len(parts)-1, backend)
	case "internal":
		return internals
	case "":
		return root
	case "cmd", "examples", "integrations":
		return command
	default:
		return above
	}
}

// mayImport tells whether a package may import another of ours. The exact lists are depguard's; this holds the shape.
func mayImport(fromFloor, toFloor int, from, to string) bool {
	switch {
	case fromFloor == backend:
		return to == path.Dir(from)
	case fromFloor == internals && toFloor == internals, fromFloor == above && toFloor == above:
		return true
	case fromFloor == command && toFloor == command: // a part of the command itself
		parts := strings.SplitN(from, "/", 6)
		return len(parts) > 4 && strings.HasPrefix(to, strings.Join(parts[:5], "/")+"/internal/")
	case fromFloor == internals:
		return toFloor == leaf
	default:
		return toFloor < fromFloor
	}
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", append([]string{"list", "-e"}, args...)...)
	out, err := list.Output()
	require.NoError(t, err, "%s", list)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.NotEmpty(t, lines[0], "%s lists nothing", list)
	return lines
}
