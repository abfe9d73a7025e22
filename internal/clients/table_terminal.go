package clients

func claude() *Client {
	return &Client{
		ID: "claude", Name: "Claude Code", also: []string{"claude-code", "claudecode"},
		auths: []Auth{AuthVariable, AuthInline, AuthBridge},
		form:  formJSON, path: []string{"mcpServers"}, owned: jsonKeys(),
		project: inProject(".mcp.json"), user: inHome(".claude.json"),
		expand: expandDollar,
		entry: func(s Setup) object {
			if s.Auth == AuthBridge {
				return append(object{{"type", "stdio"}}, bridge(s)...)
			}
			token, name := s.Token, s.headerName()
			if s.Auth == AuthVariable {
				token, name = dollar(TokenVariable), "${"+NameVariable+":-"+name+"}"
			}
			return object{{"type", "http"}, {"url", s.endpoint()}, {"headers", headers(token, name)}}
		},
		command: func(s Setup) string {
			scope := ""
			if s.Scope == ScopeUser {
				scope = "--scope user "
			}
			return "claude mcp add " + scope + "--transport http " + ServerName + " " + ShellQuote(s.endpoint()) + " " + commandHeaders(s)
		},
		hooks:  claudeHooks(),
		faults: []fault{wrongKey("httpUrl", "url"), wrongKey("serverUrl", "url"), missing("type", "http")},
		notes: []note{
			{
				"Without \"type\": \"http\" Claude Code takes the entry for a program to start.",
				"缺少 \"type\": \"http\" 时，Claude Code 会把该条目当作要启动的程序。",
			},
			{
				"Only ${VAR} and ${VAR:-default} are expanded, from the environment that claude was started in.",
				"只展开 ${VAR} 和 ${VAR:-默认值}，取自启动 claude 时的环境。",
			},
			{
				"A server from a project's .mcp.json is used once you have agreed to it: type /mcp in Claude Code.",
				"项目 .mcp.json 中的服务器需要你同意后才会启用：在 Claude Code 中输入 /mcp。",
			},
			{
				"~/.claude.json is rewritten by a Claude Code that runs: end it before you write there, or use its own command.",
				"运行中的 Claude Code 会改写 ~/.claude.json：写入之前先退出它，或使用它自己的命令。",
			},
		},
		start: note{
			"Start claude in the project, type /mcp to see atmcp connected, then /mcp__atmcp__start.",
			"在项目中启动 claude，输入 /mcp 确认 atmcp 已连接，然后输入 /mcp__atmcp__start。",
		},
	}
}

func codex() *Client {
	return &Client{
		ID: "codex", Name: "Codex", also: []string{"codex-cli"},
		auths: []Auth{AuthVariable, AuthInline, AuthBridge},
		form:  formTOML, path: []string{"mcp_servers"},
		owned: []string{
			"url", "bearer_token_env_var", "http_headers", "command", "args", "env", "headers", "bearer_token",
		},
		project: inProject(".codex/config.toml"), user: inDir("CODEX_HOME", ".codex", "config.toml"),
		expand: expandNothing,
		entry: func(s Setup) object {
			waits := object{{"startup_timeout_sec", 20}, {"tool_timeout_sec", 120}}
			switch s.Auth {
			case AuthBridge:
				return append(bridge(s), waits...)
			case AuthInline:
				return append(object{{"url", s.endpoint()}, {"http_headers", headers(s.Token, s.headerName())}}, waits...)
			default:
				return append(object{
					{"url", s.endpoint()},
					{"bearer_token_env_var", TokenVariable},
					{"http_headers", object{{"X-ATMcp-Agent", s.headerName()}}},
				}, waits...)
			}
		},
		hooks: codexHooks(),
		faults: []fault{
			wrongKey("headers", "http_headers"), wrongKey("bearer_token", "bearer_token_env_var"), wrongKey("httpUrl", "url"),
		},
		notes: []note{
			{
				"A key called headers is ignored without a word; it is http_headers.",
				"名为 headers 的键会被悄悄忽略；正确的是 http_headers。",
			},
			{
				"codex mcp add has no flag for headers, so that the agent's name would be missing.",
				"codex mcp add 没有设置请求头的参数，会缺少智能体的名字。",
			},
			{
				".codex/config.toml of a project is read only if the project is trusted.",
				"只有受信任的项目才会读取其 .codex/config.toml。",
			},
		},
		start: note{
			"Start codex and type /mcp to see atmcp connected; then tell it to take part in its team.",
			"启动 codex，输入 /mcp 确认 atmcp 已连接；然后让它加入团队工作。",
		},
	}
}

func gemini() *Client {
	return &Client{
		ID: "gemini", Name: "Gemini CLI", also: []string{"gemini-cli"},
		auths: []Auth{AuthVariable, AuthInline, AuthBridge},
		form:  formJSON, path: []string{"mcpServers"}, owned: jsonKeys(),
		project: inProject(".gemini/settings.json"), user: inHome(".gemini/settings.json"),
		expand: expandDollar, entry: byKey("httpUrl", dollar, member{"timeout", 120000}),
		command: func(s Setup) string {
			return "gemini mcp add --scope " + string(s.Scope) + " --transport http --timeout 120000 " + commandHeaders(s) + " " + ServerName + " " + ShellQuote(s.endpoint())
		},
		hooks:  geminiHooks(),
		faults: []fault{wrongKey("url", "httpUrl"), wrongKey("serverUrl", "httpUrl")},
		notes: []note{
			{
				"httpUrl is the address; url would mean the older SSE transport, which this server does not speak.",
				"地址的键是 httpUrl；url 表示旧的 SSE 传输，本服务器不支持。",
			},
			{
				"A variable that is not set is sent as it stands.",
				"未设置的变量会原样发送。",
			},
		},
		start: note{
			"Start gemini and type /mcp to see atmcp connected, then /start.",
			"启动 gemini，输入 /mcp 确认 atmcp 已连接，然后输入 /start。",
		},
	}
}

func qwen() *Client {
	return &Client{
		ID: "qwen", Name: "Qwen Code", also: []string{"qwen-code"},
		auths: []Auth{AuthVariable, AuthInline, AuthBridge},
		form:  formJSON, path: []string{"mcpServers"}, owned: jsonKeys(),
		project: inProject(".qwen/settings.json"), user: inHome(".qwen/settings.json"),
		expand: expandDollar, entry: byKey("httpUrl", dollar, member{"timeout", 120000}, member{"discoveryTimeoutMs", 15000}),
		command: func(s Setup) string {
			return "qwen mcp add --scope " + string(s.Scope) + " --transport http " + ServerName + " " + ShellQuote(s.endpoint()) + " " + commandHeaders(s)
		},
		hooks:  qwenHooks(),
		faults: []fault{wrongKey("url", "httpUrl"), wrongKey("serverUrl", "httpUrl")},
		notes: []note{
			{
				"httpUrl is the address; url would mean the older SSE transport, which this server does not speak.",
				"地址的键是 httpUrl；url 表示旧的 SSE 传输，本服务器不支持。",
			},
			{
				"Always give --scope to qwen mcp add: its default was not the same in all versions.",
				"使用 qwen mcp add 时总是给出 --scope：各版本的默认值不同。",
			},
		},
		start: note{
			"Start qwen and type /mcp to see atmcp connected, then /start.",
			"启动 qwen，输入 /mcp 确认 atmcp 已连接，然后输入 /start。",
		},
	}
}

func opencode() *Client {
	return &Client{
		ID: "opencode", Name: "OpenCode",
		auths: []Auth{AuthVariable, AuthInline, AuthBridge},
		form:  formJSON, path: []string{"mcp"}, owned: jsonKeys(),
		project: inProject("opencode.json", "opencode.jsonc"),
		user: func(p Places) []string {
			dir := inDir("XDG_CONFIG_HOME", ".config", "opencode")(p)[0]
			return []string{dir + "/opencode.json", dir + "/opencode.jsonc"}
		},
		expand: expandBracket,
		entry: func(s Setup) object {
			if s.Auth == AuthBridge {
				return object{{"type", "local"}, {"command", append([]string{s.Program}, bridgeArgs(s)...)}, {"enabled", true}}
			}
			token := s.Token
			if s.Auth == AuthVariable {
				token = bracketEnv(TokenVariable)
			}
			return object{
				{"type", "remote"},
				{"url", s.endpoint()},
				{"oauth", false},
				{"enabled", true},
				{"headers", headers(token, s.headerName())},
			}
		},
		faults: []fault{missing("type", "remote"), wrongKey("httpUrl", "url"), wrongKey("serverUrl", "url"), plainVariable()},
		notes: []note{
			{
				"Variables are written {env:VAR}, without a dollar.",
				"变量写作 {env:VAR}，没有美元符号。",
			},
			{
				"\"oauth\": false keeps OpenCode from looking for a sign-in that this server does not have.",
				"\"oauth\": false 可避免 OpenCode 去寻找本服务器没有的登录方式。",
			},
		},
		start: note{
			"Start opencode; opencode mcp list shows atmcp connected. Then tell it to take part in its team.",
			"启动 opencode；opencode mcp list 会显示 atmcp 已连接。然后让它加入团队工作。",
		},
	}
}
