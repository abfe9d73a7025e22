package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/login"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/proof"
	"github.com/atmcp/atmcp/internal/clients"
)

// checkLogin looks at what commands would use. It tells whether there is a server to
// look at.
func (d *doctor) checkLogin() bool {
	const check = "login"
	file := login.Path(d.getenv)
	info, err := os.Stat(file)
	switch {
	case err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		d.fail(check, fmt.Sprintf("%s can be read by others (mode %04o)", file, info.Mode().Perm()), "chmod 600 "+file)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		d.fail(check, err.Error(), "atmcp login")
	}
	d.set, err = d.settings()
	if err != nil {
		d.fail(check, err.Error(), "set it to the token itself, or unset it and atmcp login")
		return false
	}
	if d.client, err = d.clientOf(d.set); err != nil {
		d.fail(check, err.Error(), "atmcp login --url http://HOST:8000")
		return false
	}
	if d.set.Token == "" {
		d.warn(check, "there is no token, for "+d.client.URL(), "atmcp login")
		return true
	}
	d.ok(check, "%s, token from %s", d.client.URL(), d.set.TokenFrom)
	return true
}

// answer is what came back, read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

// get makes one bare request, without a token.
func (d *doctor) get(ctx context.Context, path string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.client.URL()+path, nil)
	if err != nil {
		return answer{}, err
	}
	res, err := d.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	return answer{res.StatusCode, res.Header, string(body)}, err
}

// checkServer looks whether an atmcpd answers, and whether clocks agree.
func (d *doctor) checkServer(ctx context.Context) bool {
	const check = "server"
	began := time.Now()
	res, err := d.get(ctx, "/healthz")
	took := time.Since(began)
	switch {
	case err != nil:
		d.fail(check, d.client.URL()+" is not reached: "+reason(err), "start it (atmcpd), or name another one with --url or ATMCP_URL")
		return false
	case res.status != http.StatusOK || !strings.Contains(res.body, `"ok"`):
		d.fail(check, fmt.Sprintf("%s answers %d, which is not as an atmcpd does", d.client.URL(), res.status), "look at the address, and at what stands before the server")
		return false
	}
	d.ok(check, "%s is alive, %d ms away", d.client.URL(), took.Milliseconds())
	if at, err := http.ParseTime(res.header.Get("Date")); err == nil {
		if skew := time.Since(at); skew > time.Minute || skew < -time.Minute {
			d.warn("clock", fmt.Sprintf("this machine's is %s apart from the server's: times will look odd, leases do not care", skew.Round(time.Second)), "set both by NTP")
		}
	}
	return true
}

// reason is the innermost of an error of the network, which is what people know.
func reason(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// checkSignIn looks for what makes clients leave their token for a sign-in that the
// server does not have. What stands before a server often answers such addresses.
func (d *doctor) checkSignIn(ctx context.Context) {
	const check = "sign-in"
	for _, path := range []string{
		"/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-authorization-server",
		"/.well-known/openid-configuration", "/register",
	} {
		res, err := d.get(ctx, path)
		if err != nil {
			d.fail(check, path+": "+reason(err), "look at what stands before the server")
			return
		}
		if res.status != http.StatusNotFound {
			d.fail(check, fmt.Sprintf("%s answers %d: clients will look for OAuth and drop their token", path, res.status),
				"let the proxy answer that path with 404, as atmcpd does")
			return
		}
	}
	res, err := d.get(ctx, "/api/whoami")
	if err == nil && res.status == http.StatusUnauthorized {
		if got := res.header.Values("WWW-Authenticate"); len(got) != 1 || got[0] != "Bearer" {
			d.fail(check, fmt.Sprintf("a 401 carries WWW-Authenticate %q, not Bearer alone", got), "let the proxy pass that header as it is")
			return
		}
	}
	d.ok(check, "nothing pretends to offer OAuth")
}

// checkToken asks whom the token stands for.
func (d *doctor) checkToken(ctx context.Context) bool {
	const check = "token"
	if d.set.Token == "" {
		return false // it has been told
	}
	who, err := d.client.WhoAmI(ctx)
	if err != nil {
		d.fail(check, err.Error(), "atmcp login, with a token that is good; a proxy must pass the header Authorization")
		return false
	}
	text := who.Value.Role + " token"
	if who.Value.Name != "" {
		text += " of " + who.Value.Name
	}
	if who.Value.Team != "" {
		text += ", team " + who.Value.Team
	}
	if d.set.Team != "" && who.Value.Team != "" && d.set.Team != who.Value.Team {
		d.fail(check, fmt.Sprintf("%s, but the team asked for is %s", text, d.set.Team), "unset ATMCP_TEAM, or atmcp login with a token of that team")
		return false
	}
	d.ok(check, "%s", text)
	return true
}

// checkMCP begins a session as a client of the team would.
func (d *doctor) checkMCP(ctx context.Context) {
	const check = "mcp"
	who, err := d.client.WhoAmI(ctx)
	if err != nil {
		d.fail(check, err.Error(), "")
		return
	}
	if who.Value.Role != "agent" && who.Value.Role != "join" {
		d.skip(check, "the "+who.Value.Role+" token lets no agent in", "atmcp doctor --token-file FILE, with the token of an agent, tries it")
		return
	}
	name, token := d.set.Name, d.set.Token
	if who.Value.Role == "join" && name == "" {
		if name, token = d.agentHere(); name == "" {
			d.skip(check, "no configuration here says for which agent", "atmcp doctor --name NAME tries it as that agent")
			return
		}
	}
	headers := map[string]string{"Authorization": "Bearer " + token}
	if name != "" {
		headers["X-ATMcp-Agent"] = clients.HeaderName(name)
	}
	report, err := proof.Connect(ctx, clients.Target{URL: d.client.URL() + "/mcp", Headers: headers}, proof.Options{Version: version()})
	if err != nil {
		mend := "look at what stands before the server: it must pass POST /mcp and stream the answer"
		if refused, ok := errors.AsType[*proof.NotJoinedError](err); ok && strings.Contains(refused.Hint, "token") {
			mend = "use the agent's own token: atmcp connect CLIENT --write keeps it"
		}
		d.fail(check, err.Error(), mend)
		return
	}
	d.ok(check, "%s %s, protocol %s, %d tools", report.Server, report.Version, report.Protocol, report.Tools)
}

// agentHere is an agent that a client on this machine is configured for, and its own
// token. One without a token that is kept is left alone: trying it would have it join.
func (d *doctor) agentHere() (name, token string) {
	file, err := login.Load(d.set.File)
	if err != nil || !sameServer(file.URL, d.set.URL) {
		return "", ""
	}
	for _, c := range clients.All() {
		for _, scope := range c.Scopes() {
			name := agentIn(d.configured(c, scope))
			if token := file.Agents[name]; token != "" {
				return name, token
			}
		}
	}
	return "", ""
}

// checkFeeds looks whether streams get through what stands before the server.
func (d *doctor) checkFeeds(ctx context.Context) {
	team, err := d.client.Team(ctx)
	if err != nil {
		return // the token has been told about
	}
	d.checkWebSocket(ctx, team)
	d.checkStream(ctx)
}

// feedTime is how long the first word of a feed may take.
const feedTime = 10 * time.Second

func (d *doctor) bearer() http.Header {
	return http.Header{"Authorization": {"Bearer " + d.set.Token}}
}

func (d *doctor) checkWebSocket(ctx context.Context, team string) {
	const check = "websocket"
	opening, stop := context.WithTimeout(ctx, feedTime)
	defer stop()
	address := "ws" + strings.TrimPrefix(d.client.URL(), "http") + "/ws/" + team + "?v=2"
	conn, res, err := websocket.Dial(opening, address, &websocket.DialOptions{HTTPHeader: d.bearer()})
	if res != nil && res.Body != nil {
		defer res.Body.Close()
	}
	if err == nil {
		_, _, err = conn.Read(opening)
		defer func() { _ = conn.CloseNow() }()
	}
	if err != nil {
		d.warn(check, "it does not open: "+reason(err), "let the proxy pass Upgrade and Connection; until then pages and commands use other feeds")
		return
	}
	if d.silence == 0 {
		d.ok(check, "opens")
		return
	}
	d.checkSilence(ctx, conn)
}

// checkSilence looks whether a feed stays open on which nothing happens. The server's
// pings are to keep it so.
func (d *doctor) checkSilence(ctx context.Context, conn *websocket.Conn) {
	const check = "websocket"
	began := time.Now()
	conn.SetReadLimit(1 << 20) // what happens meanwhile is no fault
	quiet, stop := context.WithTimeout(ctx, d.silence)
	defer stop()
	var err error
	for err == nil {
		_, _, err = conn.Read(quiet)
	}
	if lived := time.Since(began); quiet.Err() == nil {
		d.warn(check, fmt.Sprintf("it opens, and is ended after %s: %s", lived.Round(time.Second), reason(err)),
			"let the proxy wait longer for a word than the 20 seconds between the server's pings (nginx: proxy_read_timeout 75s)")
		return
	}
	d.ok(check, "opens, and stays so for %s", d.silence)
}

func (d *doctor) checkStream(ctx context.Context) {
	const check = "stream"
	ctx, stop := context.WithTimeout(ctx, feedTime)
	defer stop()
	path, err := d.client.TeamPath(ctx, "stream")
	if err != nil {
		return
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.client.URL()+path, nil)
	if err != nil {
		return
	}
	req.Header = d.bearer()
	began := time.Now()
	res, err := d.http.Do(req)
	if err == nil {
		defer res.Body.Close()
		_, err = bufio.NewReader(res.Body).ReadByte()
	}
	if err != nil {
		d.warn(check, "nothing comes at once: "+reason(err), "switch buffering off for text/event-stream (nginx: proxy_buffering off)")
		return
	}
	d.ok(check, "its first word came after %d ms", time.Since(began).Milliseconds())
}
