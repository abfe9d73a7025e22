package main_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"
)

func TestATeamIsMadeOnTheFileAndServedLater(t *testing.T) {
	dir := t.TempDir()
	r := runs(t, nil, "create-team", "crew", "--data-dir", dir, "--join-token", "a token of our own")
	require.Equal(t, 0, r.code, r.err)
	assert.True(t, strings.HasPrefix(r.out, "{\n  \""), "indented by two: %s", r.out)
	var made map[string]string
	require.NoError(t, json.Unmarshal([]byte(r.out), &made))
	assert.Equal(t, "a token of our own", made["join_token"])
	assert.Equal(t, "http://127.0.0.1:8000/mcp", made["mcp_url"])
	for _, key := range []string{"team_id", "name", "dashboard_token", "dashboard_url"} {
		assert.NotEmpty(t, made[key], key)
	}

	again := runs(t, nil, "create-team", "crew", "--data-dir", dir)
	assert.Equal(t, 1, again.code)
	assert.Equal(t, "atmcpd: team exists: crew\n", again.err)

	more := runs(t, nil, "create-token", "crew", "--data-dir", dir)
	require.Equal(t, 0, more.code, more.err)
	var token map[string]string
	require.NoError(t, json.Unmarshal([]byte(more.out), &token))

	s := start(t, dir)
	for _, good := range []string{made["join_token"], token["token"]} {
		status, _ := s.ask("/api/teams/crew/heartbeat", good, `{"display_name":"alice"}`)
		assert.Equal(t, http.StatusOK, status)
	}
	s.stop()
}

// shell runs commands on a data directory.
type shell struct {
	t   *testing.T
	dir string
}

func (sh shell) run(args ...string) result {
	return runs(sh.t, nil, append(args, "--data-dir", sh.dir)...)
}

// onBoth runs a test against the file and against the server that has it: commands
// do not differ.
func onBoth(t *testing.T, test func(shell)) {
	t.Helper()
	for _, served := range []bool{false, true} {
		t.Run(map[bool]string{false: "file", true: "server"}[served], func(t *testing.T) {
			dir := t.TempDir()
			if served {
				s := start(t, dir)
				defer s.stop()
			} else {
				require.Equal(t, 0, runs(t, nil, "team", "create", "default", "--data-dir", dir).code)
			}
			test(shell{t, dir})
		})
	}
}

// decoded is the JSON that a command printed.
func decoded(t *testing.T, r result) map[string]any {
	t.Helper()
	require.Equal(t, 0, r.code, r.err)
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.out), &v), r.out)
	return v
}

func TestTeamsAreRunFromTheCommandLine(t *testing.T) {
	onBoth(t, func(sh shell) {
		t, run := sh.t, sh.run
		made := run("team", "create", "crew", "--join-token", "a token of our own")
		require.Equal(t, 0, made.code, made.err)
		assert.Regexp(t, `(?m)^Join token +a token of our own$`, made.out)
		again := run("team", "create", "crew")
		assert.Equal(t, 1, again.code)
		assert.Equal(t, "atmcpd: team exists: crew\n", again.err)

		assert.Equal(t, "gang", decoded(t, run("team", "rename", "crew", "gang", "--json"))["name"])
		assert.Equal(t, "ночная смена", decoded(t, run("team", "rename", "gang", "ночная смена", "--json"))["name"])
		require.Equal(t, 0, run("team", "rename", "ночная смена", "gang").code)
		assert.Equal(t, 1, run("team", "show", "crew").code)
		assert.Equal(t, "strict", decoded(t, run("team", "set", "gang", "--identity", "strict", "--json"))["identity"])
		set := decoded(t, run("team", "set", "gang", "--identity", "open", "--directives-from", "console", "--json"))
		assert.NotContains(t, set, "identity")
		assert.Equal(t, "console", set["directives_from"])
		assert.Equal(t, true, decoded(t, run("team", "archive", "gang", "--json"))["archived"])
		assert.Regexp(t, `(?m)^State +archived$`, run("team", "show", "gang").out)
		list := run("team", "list")
		assert.Regexp(t, `(?m)^default +active +open +open +\d`, list.out)
		assert.Regexp(t, `(?m)^gang +archived +open +console +\d`, list.out)
		assert.NotContains(t, decoded(t, run("team", "restore", "gang", "--json")), "archived")
		assert.InDelta(t, 2, decoded(t, run("team", "list", "--json"))["count"], 0)

		require.Equal(t, 0, run("team", "create", "held", "--identity", "strict", "--directives-from", "console").code)
		held := decoded(t, run("team", "show", "held", "--json"))
		assert.Equal(t, []any{"strict", "console"}, []any{held["identity"], held["directives_from"]}, "from its beginning")
		assert.Equal(t, 2, run("team", "create", "x", "--identity", "lax").code)
	})
}

func TestTokensAreRunFromTheCommandLine(t *testing.T) {
	onBoth(t, func(sh shell) {
		t, run := sh.t, sh.run
		minted := decoded(t, run("token", "mint", "default", "--role", "console", "--name", "ann", "--json"))
		assert.Regexp(t, "^atm_console_", minted["token"])
		id, _ := minted["token_id"].(string)
		assert.Regexp(t, `(?m)^`+id+` +console +ann +good +\d`, run("token", "list", "default").out)

		rotated := decoded(t, run("token", "rotate", "default", id, "--overlap", "1h", "--json"))
		assert.NotEqual(t, minted["token"], rotated["token"])
		assert.Regexp(t, `(?m)^`+id+` +console +ann +good, rotated +\d`, run("token", "list", "default").out)
		next, _ := rotated["token_id"].(string)
		assert.Equal(t, next+" revoked\n", run("token", "revoke", "default", next).out)
		assert.Equal(t, next+" had been revoked before\n", run("token", "revoke", "default", next).out)
		list := run("token", "list", "default")
		assert.Regexp(t, `(?m)^`+next+` +console +ann +revoked +\d`, list.out)
		assert.NotContains(t, list.out, "atm_", "no list shows a token")
	})
}

func TestRefusalsReadAlikeFromTheFileAndTheServer(t *testing.T) {
	var errs [2][]string
	round := 0
	onBoth(t, func(sh shell) {
		t, run := sh.t, sh.run
		for _, args := range [][]string{
			{"team", "create", "default"},
			{"team", "create", "de/fault"},
			{"team", "rename", "default", "console:x"},
			{"token", "mint", "default", "--role", "admin"},
			{"token", "mint", "default", "--role", "agent", "--name", "nobody"},
			{"token", "rotate", "default", "unknown"},
			{"token", "list", "nobody"},
		} {
			r := run(args...)
			assert.Equal(t, 1, r.code, "%v", args)
			assert.Equal(t, 1, strings.Count(r.err, "\n"), "%v: %s", args, r.err)
			errs[round] = append(errs[round], r.err)
		}
		round++
	})
	assert.Equal(t, errs[0], errs[1])
}

func TestACommandInTheWrongDirectoryMakesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	for _, args := range [][]string{{"team", "list"}, {"token", "list", "crew"}, {"dump"}, {"verify"}, {"open"}} {
		r := runs(t, nil, append(args, "--data-dir", dir)...)
		assert.Equal(t, 1, r.code, "%v", args)
		assert.Contains(t, r.err, dir, "%v", args)
		assert.NoDirExists(t, dir)
	}
	r := runs(t, nil, "healthcheck", "--data-dir", dir, "--addr", freeAddr(t))
	assert.Equal(t, 1, r.code)
	assert.NoDirExists(t, dir)
}

func TestAServerElsewhereIsAskedByItsAddress(t *testing.T) {
	s := start(t, t.TempDir(), "ATMCP_ADMIN_TOKEN=a token of the operator")
	elsewhere := filepath.Join(t.TempDir(), "none")
	ask := func(token string) result {
		return runs(t, []string{"ATMCP_ADMIN_TOKEN=" + token}, "create-team", "crew", "--url", s.url, "--data-dir", elsewhere)
	}
	assert.Contains(t, ask("").err, "put it into ATMCP_ADMIN_TOKEN")
	assert.Contains(t, ask("another token").err, "does not take the admin token from the environment")
	assert.Equal(t, s.url+"/mcp", decoded(t, ask("a token of the operator"))["mcp_url"])
	s.stop()
	assert.Contains(t, ask("a token of the operator").err, "is it running there?")
	assert.NoDirExists(t, elsewhere)
}

func TestALinkSignsABrowserInOnce(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	r := runs(t, nil, "open", "default", "--data-dir", dir)
	require.Equal(t, 0, r.code, r.err)
	link, err := url.Parse(strings.TrimSpace(r.out))
	require.NoError(t, err)
	assert.Equal(t, s.url+"/dashboard?team=default", strings.TrimSuffix(link.String(), "#"+link.Fragment))
	code := strings.TrimPrefix(link.Fragment, "code=")
	for _, want := range []int{http.StatusOK, http.StatusUnauthorized} {
		status, _ := s.ask("/api/session", "", `{"code":"`+code+`"}`)
		assert.Equal(t, want, status)
	}
	assert.Equal(t, 1, runs(t, nil, "open", "nobody", "--data-dir", dir).code)
	s.stop()
	assert.Contains(t, runs(t, nil, "open", "--data-dir", dir).err, "no server runs on "+dir)
}

func TestHealthIsAskedOfTheServerThatRuns(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	r := runs(t, nil, "healthcheck", "--data-dir", dir)
	assert.Equal(t, result{}, r)
	s.stop()
	assert.Equal(t, 1, runs(t, nil, "healthcheck", "--data-dir", dir).code)
}

func TestVerifyReadsWhatNoServerHas(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	assert.Equal(t, 1, runs(t, nil, "dump", "--data-dir", dir).code)
	r := runs(t, nil, "verify", "--data-dir", dir)
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.err, "stop that one")
	s.ask("/api/teams/default/heartbeat", s.joinToken(), `{"display_name":"alice"}`)
	s.stop()
	require.Equal(t, 0, runs(t, nil, "team", "create", "old", "--data-dir", dir).code)
	require.Equal(t, 0, runs(t, nil, "team", "archive", "old", "--data-dir", dir).code)

	before, err := os.ReadFile(filepath.Join(dir, "hub.db"))
	require.NoError(t, err)
	r = runs(t, nil, "verify", "--data-dir", dir)
	require.Equal(t, 0, r.code, r.err)
	after, err := os.ReadFile(filepath.Join(dir, "hub.db"))
	require.NoError(t, err)
	assert.True(t, bytes.Equal(before, after), "looking changes nothing")
	assert.Regexp(t, `(?m)^default +\d+ +1 to \d+ +ok +[0-9a-f]{64}$`, r.out)
	assert.Regexp(t, `(?m)^old +.*archived: restore it`, r.out)
}

func TestVerifyFindsAnEventThatWasEdited(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	s.ask("/api/teams/default/heartbeat", s.joinToken(), `{"display_name":"alice"}`)
	s.stop()
	file := filepath.Join(dir, "hub.db")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(text), `"agent_joined"`)
	text = bytes.ReplaceAll(text, []byte(`"agent_joined"`), []byte(`"agent_jilted"`))
	require.NoError(t, os.WriteFile(file, text, 0o600))
	r := runs(t, nil, "verify", "--data-dir", dir)
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.out+r.err, "does not follow from the event before it")
}

// rootPage is where the tree of a file's bucket begins, in bytes.
func rootPage(t *testing.T, file string) (at int64, size int) {
	t.Helper()
	db, err := bolt.Open(file, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bolt.Bucket) error { at = max(at, int64(b.Root())); return nil })
	}))
	require.NotZero(t, at, "a bucket that has a page of its own")
	size = db.Info().PageSize
	require.NoError(t, db.Close())
	return at * int64(size), size
}

func TestVerifyFindsADamagedPage(t *testing.T) {
	dir := t.TempDir()
	for i := range 12 { // more than fits into one page
		require.Equal(t, 0, runs(t, nil, "create-team", strconv.Itoa(i), "--data-dir", dir).code)
	}
	name := filepath.Join(dir, "hub.db")
	at, size := rootPage(t, name)
	good, err := os.ReadFile(name)
	require.NoError(t, err)
	for what, damage := range map[string]struct {
		at    int64
		bytes []byte
	}{
		"a page of ones":   {at, bytes.Repeat([]byte{0xff}, size)},
		"an unknown kind":  {at + 8, []byte{0xff, 0xff}},
		"a count of items": {at + 10, []byte{0xff, 0x7f}},
		"a child":          {at + 16 + 8, bytes.Repeat([]byte{1}, 8)},
	} {
		text := bytes.Clone(good)
		copy(text[damage.at:], damage.bytes)
		require.NoError(t, os.WriteFile(name, text, 0o600))
		r := runs(t, nil, "verify", "--data-dir", dir)
		assert.Equal(t, 1, r.code, what)
		assert.Contains(t, r.err, "is damaged", what)
		assert.Equal(t, 1, strings.Count(r.err, "\n"), "%s: %s", what, r.err)
	}
}

func TestADumpIsALineOfJSONForEveryRecord(t *testing.T) {
	dir := t.TempDir()
	require.Equal(t, 0, runs(t, nil, "create-team", "crew", "--data-dir", dir).code)
	require.Equal(t, 0, runs(t, nil, "create-team", "other", "--data-dir", dir).code)
	teams := map[string]int{}
	for _, args := range [][]string{{"dump", "--data-dir", dir}, {"dump", "--team", "crew", "--data-dir", dir}} {
		clear(teams)
		r := runs(t, nil, args...)
		require.Equal(t, 0, r.code, r.err)
		for line := range strings.Lines(r.out) {
			var record struct {
				Team  string `json:"team"`
				Table string `json:"table"`
				Key   string `json:"key"`
			}
			require.NoError(t, json.Unmarshal([]byte(line), &record), line)
			teams[record.Team]++
		}
		assert.Positive(t, teams["crew"])
	}
	assert.Len(t, teams, 1, "one team was asked for: %v", teams)
	assert.Equal(t, 1, runs(t, nil, "dump", "--team", "nobody", "--data-dir", dir).code)
}

func TestTheHelpOfACommandShowsItsOwnFlags(t *testing.T) {
	r := runs(t, nil, "token", "mint", "--help")
	require.Equal(t, 0, r.code, r.err)
	assert.Contains(t, r.out, "--role")
	assert.NotContains(t, r.out, "--lease-ttl-s")
	assert.Contains(t, runs(t, nil, "serve", "--help").out, "--lease-ttl-s")
}

func TestTheVersionIsPrinted(t *testing.T) {
	r := runs(t, nil, "version")
	assert.Equal(t, 0, r.code)
	assert.True(t, strings.HasPrefix(r.out, "atmcpd "), r.out)
}
