package clients

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Fault is a mistake in a client's file, and what mends it. Where Mend is empty, it is
// to write the configuration anew.
type Fault struct {
	What string `json:"what"`
	Mend string `json:"mend,omitempty"`
}

// fault looks for one mistake in an entry; empty is none.
type fault func(entry map[string]any) Fault

// Check looks for the mistakes that are often made in the client's entry for us. A
// file that cannot be read is one too. That our server is not in it is none.
func (c *Client) Check(file []byte) []Fault {
	entry, err := c.found(file)
	if err != nil {
		if errors.Is(err, ErrAbsent) {
			return nil
		}
		return []Fault{{What: err.Error(), Mend: "mend it by hand; " + c.Name + " itself may not read it either"}}
	}
	var out []Fault
	for _, look := range slices.Concat(c.faults, []fault{badHeaders(c)}) {
		if f := look(entry); f.What != "" {
			out = append(out, f)
		}
	}
	return out
}

// isBridge tells whether an entry starts a program.
func isBridge(entry map[string]any) bool { return entry["command"] != nil }

// wrongKey is a key of another client, which this one ignores.
func wrongKey(key, right string) fault {
	return func(entry map[string]any) Fault {
		if _, ok := entry[key]; !ok {
			return Fault{}
		}
		return Fault{What: fmt.Sprintf("the key %s does not do here what it does elsewhere: it is %s", key, right)}
	}
}

// missing is a key without which the client takes the entry for something else.
func missing(key, value string) fault {
	return func(entry map[string]any) Fault {
		if isBridge(entry) || entry[key] == value {
			return Fault{}
		}
		return Fault{What: fmt.Sprintf("%s is not %q", key, value)}
	}
}

var bareVariable = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*\}`)

// plainVariable is a variable as shells write it, in a client that writes it otherwise.
func plainVariable() fault {
	return func(entry map[string]any) Fault {
		for _, v := range sortedTexts(entry["headers"]) {
			if ref := bareVariable.FindString(v); ref != "" {
				return Fault{What: ref + " is not expanded by this client, and sent as it stands"}
			}
		}
		return Fault{}
	}
}

// badHeaders are headers that cannot say who calls.
func badHeaders(c *Client) fault {
	key := "headers"
	if c.form == formTOML {
		key = "http_headers"
	}
	return func(entry map[string]any) Fault {
		if isBridge(entry) {
			return Fault{}
		}
		o, _ := entry[key].(map[string]any)
		var token, name bool
		for header, v := range o {
			text, _ := v.(string)
			switch {
			case strings.EqualFold(header, "Authorization"):
				token = true
				if !strings.HasPrefix(text, "Bearer ") {
					return Fault{What: "the header Authorization does not begin with Bearer"}
				}
				if text == "Bearer "+Placeholder {
					return Fault{What: "the token is still the placeholder " + Placeholder}
				}
			case strings.EqualFold(header, "X-ATMcp-Token"):
				token = true
			case strings.EqualFold(header, "X-ATMcp-Agent"):
				name = true
			}
		}
		switch {
		case !token && entry["bearer_token_env_var"] == nil:
			return Fault{What: "no header carries a token"}
		case !name && !strings.Contains(fmt.Sprint(o), "atm_agent_"):
			return Fault{What: "no header X-ATMcp-Agent names the agent"}
		}
		return Fault{}
	}
}

func sortedTexts(v any) []string {
	o, _ := v.(map[string]any)
	var out []string
	for _, one := range o {
		if s, ok := one.(string); ok {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return out
}
