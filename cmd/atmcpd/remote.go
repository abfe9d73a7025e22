package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/httpapi"
)

// askTime is how long a server may take to answer its operator.
const askTime = 30 * time.Second

// remoteOperator asks a running server over its operator's routes.
type remoteOperator struct {
	address, token string
	tokenFrom      string // for people: where the token was found
	client         *http.Client
}

// newRemote finds the admin token, and never makes one.
func newRemote(c config, address string, own bool) (*remoteOperator, error) {
	r := &remoteOperator{address: address, token: c.adminToken, tokenFrom: "the environment", client: newClient(own)}
	if r.token != "" {
		return r, nil
	}
	r.tokenFrom = adminFileOf(c)
	text, err := os.ReadFile(r.tokenFrom)
	if r.token = strings.TrimSpace(string(text)); err != nil || r.token == "" {
		return nil, fmt.Errorf("the server at %s wants its admin token, which is not in %s: put it into ATMCP_ADMIN_TOKEN, or name its file in ATMCP_ADMIN_TOKEN_FILE", address, r.tokenFrom)
	}
	return r, nil
}

// newClient makes a client that goes to the address and nowhere else. The server of
// a data directory, own, says in a file there where this machine can reach it. Its
// certificate is for other names than that; who can listen in between the two could
// read the directory.
func newClient(own bool) *http.Client {
	transport := &http.Transport{}
	if own {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // see above
	} else {
		transport.Proxy = http.ProxyFromEnvironment
	}
	return &http.Client{
		Transport:     transport,
		Timeout:       askTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// answer is what every answer of a server may have.
type answer struct {
	OK     *bool  `json:"ok"`
	Error  string `json:"error"`
	Hint   string `json:"hint"`
	Detail any    `json:"detail"` // a text, or a list of what is mistyped
}

func (a answer) detail() string {
	text, _ := a.Detail.(string)
	return text
}

// request is one thing to ask.
type request struct {
	method, path string
	body         any // nil: none
}

// ask sends a request and reads the result. A refusal is an error that says what to
// do about it.
func (r *remoteOperator) ask(ctx context.Context, q request, result any) error {
	var body bytes.Buffer
	if q.body != nil {
		if err := json.NewEncoder(&body).Encode(q.body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, q.method, r.address+q.path, &body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Admin-Token", r.token)
	res, err := r.client.Do(req)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err
		}
		return fmt.Errorf("the server at %s does not answer (%w): is it running there?", r.address, err)
	}
	defer res.Body.Close()
	var raw json.RawMessage
	if err := json.NewDecoder(res.Body).Decode(&raw); err != nil {
		return fmt.Errorf("what answers at %s is no atmcpd: status %d without JSON", r.address, res.StatusCode)
	}
	if err := r.refused(res.StatusCode, raw); err != nil {
		return err
	}
	return json.Unmarshal(raw, result)
}

// refused is the error of an answer that is no result.
func (r *remoteOperator) refused(status int, raw json.RawMessage) error {
	var a answer
	_ = json.Unmarshal(raw, &a) // what is no object has a status that says so
	switch {
	case status == http.StatusUnauthorized:
		return fmt.Errorf("the server at %s does not take the admin token from %s: was it started with another?", r.address, r.tokenFrom)
	case status == http.StatusNotFound:
		return &atmcp.RefusedError{Reason: atmcp.Code(strings.ReplaceAll(a.detail(), " ", "_"))}
	case status != http.StatusOK:
		return errors.New(cmp.Or(a.detail(), http.StatusText(status)))
	case a.OK != nil && !*a.OK:
		return errors.New(cmp.Or(a.Hint, a.Error))
	}
	return nil
}

func teamPath(name string, rest ...string) string {
	var path strings.Builder
	path.WriteString("/api/teams")
	for _, part := range append([]string{name}, rest...) {
		path.WriteString("/" + url.PathEscape(part))
	}
	return path.String()
}

// Teams implements [operator].
func (r *remoteOperator) Teams(ctx context.Context) ([]atmcp.TeamInfo, error) {
	all := []atmcp.TeamInfo{}
	for cursor := ""; ; {
		var page struct {
			Teams      []atmcp.TeamInfo `json:"teams"`
			NextCursor string           `json:"next_cursor"`
		}
		path := "/api/teams?limit=500&cursor=" + url.QueryEscape(cursor)
		if err := r.ask(ctx, request{method: http.MethodGet, path: path}, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Teams...)
		if cursor = page.NextCursor; cursor == "" {
			return all, nil
		}
	}
}

// TeamInfo implements [operator].
func (r *remoteOperator) TeamInfo(ctx context.Context, name string) (info atmcp.TeamInfo, err error) {
	err = r.ask(ctx, request{method: http.MethodGet, path: teamPath(name)}, &info)
	return info, err
}

// CreateTeam implements [operator].
func (r *remoteOperator) CreateTeam(ctx context.Context, req atmcp.CreateTeamRequest) (made httpapi.CreatedTeam, err error) {
	err = r.ask(ctx, request{http.MethodPost, "/api/teams", req}, &made)
	return made, err
}

// EditTeam implements [operator].
func (r *remoteOperator) EditTeam(ctx context.Context, req atmcp.EditTeamRequest) (info atmcp.TeamInfo, err error) {
	err = r.ask(ctx, request{http.MethodPatch, teamPath(req.TeamName), req}, &info)
	return info, err
}

// ListTokens implements [operator].
func (r *remoteOperator) ListTokens(ctx context.Context, req atmcp.ListTokensRequest) (list atmcp.ListTokensResult, err error) {
	path := teamPath(req.TeamName, "tokens") + "?limit=" + strconv.Itoa(req.Limit) + "&cursor=" + url.QueryEscape(req.Cursor)
	err = r.ask(ctx, request{method: http.MethodGet, path: path}, &list)
	return list, err
}

// CreateToken implements [operator].
func (r *remoteOperator) CreateToken(ctx context.Context, req atmcp.CreateTokenRequest) (made atmcp.CreateTokenResult, err error) {
	body := map[string]string{"role": string(req.Role), "name": req.Name}
	err = r.ask(ctx, request{http.MethodPost, teamPath(req.TeamName, "tokens"), body}, &made)
	return made, err
}

// RotateToken implements [operator].
func (r *remoteOperator) RotateToken(ctx context.Context, req atmcp.RotateTokenRequest) (made atmcp.RotateTokenResult, err error) {
	body := map[string]int{"overlap_s": req.OverlapS}
	err = r.ask(ctx, request{http.MethodPost, teamPath(req.TeamName, "tokens", req.TokenID, "rotate"), body}, &made)
	return made, err
}

// RevokeToken implements [operator].
func (r *remoteOperator) RevokeToken(ctx context.Context, req atmcp.RevokeTokenRequest) (ended atmcp.RevokeTokenResult, err error) {
	err = r.ask(ctx, request{method: http.MethodDelete, path: teamPath(req.TeamName, "tokens", req.TokenID)}, &ended)
	return ended, err
}

// signInLink asks for a link that signs a browser in as the operator, once and
// within a minute; team is the one that it opens with, if any.
func (r *remoteOperator) signInLink(ctx context.Context, team string) (link signInLink, err error) {
	if err := r.ask(ctx, request{method: http.MethodPost, path: "/api/session/codes", body: struct{}{}}, &link); err != nil {
		return signInLink{}, err
	}
	if team == "" {
		return link, nil
	}
	u, err := url.Parse(link.URL)
	if err != nil {
		return signInLink{}, fmt.Errorf("what answers at %s is no atmcpd: %w", r.address, err)
	}
	u.RawQuery = url.Values{"team": {team}}.Encode()
	link.URL = u.String()
	return link, nil
}

// signInLink is a link that is good once.
type signInLink struct {
	URL       string `json:"url"`
	ExpiresAt int64  `json:"expires_at"`
}
