package clients

import "strings"

// All are the clients that are known, the most common first.
func All() []*Client {
	return []*Client{
		claude(), cursor(), codex(), gemini(), qwen(), vscode(), windsurf(), zed(), opencode(), stdio(),
	}
}

// The keys of entries that are ours, in all clients: what is not written again is
// taken away, so that a change from one way to another leaves no half of the former.
func jsonKeys() []string {
	return []string{"type", "url", "httpUrl", "serverUrl", "headers", "command", "args", "env", "oauth"}
}

// headers are those that say who calls.
func headers(token, name string) object {
	return object{{"Authorization", "Bearer " + token}, {"X-ATMcp-Agent", name}}
}

// bridgeArgs are the arguments of the bridge.
func bridgeArgs(s Setup) []string { return []string{"mcp", "--url", s.URL, "--name", s.Agent} }

// bridge is an entry that starts the bridge, as most clients write it.
func bridge(s Setup) object { return object{{"command", s.Program}, {"args", bridgeArgs(s)}} }

// byKey is an entry of a client whose key for the address is key, and that reads
// variables as ref writes them.
func byKey(key string, ref func(string) string, more ...member) func(Setup) object {
	return func(s Setup) object {
		if s.Auth == AuthBridge {
			return append(bridge(s), more...)
		}
		token := s.Token
		if s.Auth == AuthVariable {
			token = ref(TokenVariable)
		}
		entry := append(object{{key, s.endpoint()}}, more...)
		return append(entry, member{"headers", headers(token, s.headerName())})
	}
}

// The ways in which clients write a variable.
func dollar(name string) string     { return "${" + name + "}" }
func dollarEnv(name string) string  { return "${env:" + name + "}" }
func bracketEnv(name string) string { return "{env:" + name + "}" }

// ShellQuote makes one word of a POSIX shell of a text.
func ShellQuote(s string) string {
	if strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@%_+=:,./-") == "" && s != "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// commandHeaders are the two headers as arguments of a command that adds a server. A
// variable is expanded by the shell that runs it; nothing else is.
func commandHeaders(s Setup) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`)
	token := escape.Replace(s.Token)
	if s.Auth == AuthVariable {
		token = "$" + TokenVariable
	}
	return `--header "Authorization: Bearer ` + token + `" --header "X-ATMcp-Agent: ` + escape.Replace(s.headerName()) + `"`
}
