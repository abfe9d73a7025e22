package clients

import (
	"encoding/base64"
	"net/url"
	"strings"
)

func cursor() *Client {
	entry := byKey("url", dollarEnv)
	return &Client{
		ID: "cursor", Name: "Cursor",
		auths: []Auth{AuthVariable, AuthInline, AuthBridge},
		form:  formJSON, path: []string{"mcpServers"}, owned: jsonKeys(),
		project: inProject(".cursor/mcp.json"), user: inHome(".cursor/mcp.json"),
		expand: expandEnv, entry: entry,
		link: func(s Setup) string {
			inner := layout{}.line(entry(s))
			config := url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(inner)))
			return "cursor://anysphere.cursor-deeplink/mcp/install?name=" + ServerName + "&config=" + config
		},
		hooks:  cursorHooks(),
		faults: []fault{wrongKey("httpUrl", "url"), wrongKey("serverUrl", "url"), plainVariable()},
		notes: []note{
			{
				"Variables are written ${env:VAR}; ${VAR} is sent as it stands.",
				"变量写作 ${env:VAR}；${VAR} 会原样发送。",
			},
			{
				"A Cursor that was started from the desktop does not see what your shell exports: start it from a shell, or use --auth bridge.",
				"从桌面启动的 Cursor 看不到 shell 导出的变量：请从 shell 启动，或使用 --auth bridge。",
			},
		},
		start: note{
			"Open Settings, MCP, and switch atmcp on; in the chat choose the prompt start of atmcp.",
			"打开 Settings → MCP，启用 atmcp；在对话中选择 atmcp 的提示词 start。",
		},
	}
}

func vscode() *Client {
	const input = "${input:atmcp-token}"
	ask := object{
		{"type", "promptString"}, {"id", "atmcp-token"}, {"description", "ATMcp token"}, {"password", true},
	}
	entry := func(s Setup) object {
		if s.Auth == AuthBridge {
			return append(object{{"type", "stdio"}}, bridge(s)...)
		}
		token := s.Token
		if s.Auth == AuthVariable {
			token = input
		}
		return object{{"type", "http"}, {"url", s.endpoint()}, {"headers", headers(token, s.headerName())}}
	}
	around := func(s Setup) object {
		if s.Auth == AuthVariable {
			return object{{"inputs", []any{ask}}}
		}
		return nil
	}
	whole := func(s Setup) object { return append(append(object{{"name", ServerName}}, around(s)...), entry(s)...) }
	return &Client{
		ID: "vscode", Name: "VS Code", also: []string{"vs-code", "code", "copilot"},
		auths: []Auth{AuthVariable, AuthInline, AuthBridge},
		form:  formJSON, path: []string{"servers"}, owned: jsonKeys(),
		project: inProject(".vscode/mcp.json"),
		user:    inConfig("Code/User/mcp.json", "Library/Application Support/Code/User/mcp.json", "Code/User/mcp.json"),
		expand:  expandInput, entry: entry, around: around,
		link: func(s Setup) string {
			return "vscode:mcp/install?" + strings.ReplaceAll(url.QueryEscape(layout{}.line(whole(s))), "+", "%20")
		},
		faults: []fault{missing("type", "http"), wrongKey("httpUrl", "url"), wrongKey("serverUrl", "url")},
		notes: []note{
			{
				"The servers stand below servers, not below mcpServers.",
				"服务器写在 servers 之下，而不是 mcpServers。",
			},
			{
				"VS Code asks for the token once and keeps it with your other secrets.",
				"VS Code 只询问一次令牌，并与其他机密一起保存。",
			},
		},
		start: note{
			"Press Start above the entry in mcp.json, then choose the agent mode and type /mcp.atmcp.start in the chat.",
			"在 mcp.json 中点击条目上方的 Start，然后选择 agent 模式并在对话中输入 /mcp.atmcp.start。",
		},
	}
}

func windsurf() *Client {
	return &Client{
		ID: "windsurf", Name: "Windsurf",
		auths: []Auth{AuthVariable, AuthInline, AuthBridge},
		form:  formJSON, path: []string{"mcpServers"}, owned: jsonKeys(),
		user:   inHome(".codeium/windsurf/mcp_config.json"),
		expand: expandEnv, entry: byKey("serverUrl", dollarEnv),
		faults: []fault{wrongKey("url", "serverUrl"), wrongKey("httpUrl", "serverUrl"), plainVariable()},
		notes: []note{
			{
				"serverUrl is the address; an entry with url, copied from elsewhere, does not connect.",
				"地址的键是 serverUrl；从别处复制来的 url 无法连接。",
			},
			{
				"There is one file for all projects, so that every window acts as the same agent.",
				"所有项目共用一个文件，因此每个窗口都是同一个智能体。",
			},
		},
		start: note{
			"Open the MCP panel of Cascade and refresh it; then tell Cascade to take part in its team.",
			"打开 Cascade 的 MCP 面板并刷新；然后让 Cascade 加入团队工作。",
		},
	}
}

func zed() *Client {
	return &Client{
		ID: "zed", Name: "Zed",
		auths: []Auth{AuthInline, AuthBridge},
		form:  formJSON, path: []string{"context_servers"}, owned: jsonKeys(),
		project: inProject(".zed/settings.json"),
		user:    inConfig("zed/settings.json", ".config/zed/settings.json", "Zed/settings.json"),
		expand:  expandNothing, entry: byKey("url", dollar),
		faults: []fault{wrongKey("httpUrl", "url"), wrongKey("serverUrl", "url")},
		notes: []note{
			{
				"Zed expands no variables: the token stands in the file. Do not commit it, or use --auth bridge.",
				"Zed 不展开变量：令牌会写在文件里。不要提交该文件，或使用 --auth bridge。",
			},
		},
		start: note{
			"Open the agent panel's settings: atmcp has a green dot. Then tell the agent to take part in its team.",
			"打开 agent 面板的设置：atmcp 旁应有绿点。然后让智能体加入团队工作。",
		},
	}
}

func stdio() *Client {
	return &Client{
		ID: "stdio", Name: "another client", also: []string{"other"},
		auths: []Auth{AuthBridge, AuthInline},
		form:  formJSON, path: []string{"mcpServers"}, owned: jsonKeys(),
		expand: expandNothing,
		entry: func(s Setup) object {
			if s.Auth == AuthInline {
				return append(bridge(s), member{"env", object{{TokenVariable, s.Token}}})
			}
			return bridge(s)
		},
		notes: []note{
			{
				"atmcp must be found by the client: give its whole path where the client has another PATH than your shell.",
				"客户端必须能找到 atmcp：如果它的 PATH 与 shell 不同，请写出完整路径。",
			},
		},
		start: note{
			"Put this where your client keeps its servers, and start the client anew.",
			"把它放到客户端保存服务器的地方，然后重新启动客户端。",
		},
	}
}
