package mcpapi

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/atmcp/atmcp"
)

// The headers by which a request says who it is.
const (
	headerToken   = "X-ATMcp-Token" //nolint:gosec // the name of a header
	headerAgent   = "X-ATMcp-Agent"
	headerSession = "Mcp-Session-Id"
)

// agentTokenPrefix begins a token that names its agent.
const agentTokenPrefix = "atm_agent_"

// credentialOf reads what one request showed of itself. It looks at this request
// alone, never at a connection or a context that outlives it.
func credentialOf(h http.Header, client *mcp.Implementation) atmcp.Credential {
	c := atmcp.Credential{
		Token:  tokenOf(h),
		Name:   headerText(h, headerAgent),
		Handle: h.Get(headerSession),
		Client: atmcp.ClientInfo{
			Instance: headerText(h, "X-ATMcp-Instance"),
			Client:   h.Get("User-Agent"),
			Host:     headerText(h, "X-ATMcp-Host"),
			Cwd:      headerText(h, "X-ATMcp-Cwd"),
			Branch:   headerText(h, "X-ATMcp-Branch"),
		},
	}
	if client != nil && client.Name != "" {
		c.Client.Client = strings.TrimSpace(client.Name + " " + client.Version)
	}
	return c
}

func headerOf(req mcp.Request) http.Header {
	if extra := req.GetExtra(); extra != nil {
		return extra.Header
	}
	return nil
}

// tokenOf reads the token; another scheme than Bearer is not for us.
func tokenOf(h http.Header) string {
	scheme, token, ok := strings.Cut(h.Get("Authorization"), " ")
	if ok && strings.EqualFold(scheme, "Bearer") {
		if token = strings.TrimSpace(token); token != "" {
			return token
		}
	}
	return strings.TrimSpace(h.Get(headerToken))
}

// expanded refuses a token that is the placeholder in some client's configuration.
func expanded(token string) error {
	if !strings.HasPrefix(token, "${") {
		return nil
	}
	return &atmcp.RefusedError{
		Reason: atmcp.CodeNotJoined,
		Hint:   "the token is a placeholder: variable not expanded; set the variable where your client runs",
	}
}

// headerText reads a header in UTF-8 or percent-encoded: many clients can send
// ASCII only.
func headerText(h http.Header, name string) string {
	v := strings.TrimSpace(h.Get(name))
	if decoded, err := url.PathUnescape(v); err == nil {
		return decoded
	}
	return v
}

// namesAgent tells whether every request of this client will say which agent it
// is, without a handle in the arguments: by its headers, or by the session id
// that the client repeats.
func namesAgent(h http.Header) bool {
	if strings.HasPrefix(h.Get(headerSession), sessionPrefix) {
		return true
	}
	return headersName(h)
}

// headersName tells whether the headers alone say who calls.
func headersName(h http.Header) bool {
	token := tokenOf(h)
	return strings.HasPrefix(token, agentTokenPrefix) || (token != "" && h.Get(headerAgent) != "")
}
