package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// hostile is what somebody writes who wants the page to do something. Each would set
// __pwned, open a dialog or make an element if the page took it for more than text.
var hostile = []string{
	`<script>window.__pwned=1</script>`,
	`</script><script>window.__pwned=2</script>`,
	`<img src=x onerror=window.__pwned=3>`,
	`<img src="x" onerror="alert(4)">`,
	`"><img src=x onerror=alert(5)>`,
	`'><img src=x onerror=alert(6)>`,
	`" onmouseover="window.__pwned=7" x="`,
	`' onfocus='window.__pwned=8' autofocus='`,
	"` onload=`window.__pwned=9`",
	`<svg onload=window.__pwned=10>`,
	`<svg><script>window.__pwned=11</script></svg>`,
	`<svg><animate onbegin=window.__pwned=12 attributeName=x dur=1s>`,
	`<math><mi xlink:href="javascript:window.__pwned=13">x</mi></math>`,
	`javascript:window.__pwned=14`,
	`JaVaScRiPt:window.__pwned=15`,
	"java\tscript:window.__pwned=16",
	`data:text/html,<script>window.__pwned=17</script>`,
	`vbscript:msgbox(18)`,
	`<a href="javascript:window.__pwned=19">click</a>`,
	`<iframe src="javascript:parent.__pwned=20"></iframe>`,
	`<iframe srcdoc="<script>parent.__pwned=21</script>"></iframe>`,
	`<object data="javascript:window.__pwned=22"></object>`,
	`<embed src="javascript:window.__pwned=23">`,
	`<form action="javascript:window.__pwned=24"><button>go</button></form>`,
	`<input autofocus onfocus=window.__pwned=25>`,
	`<details open ontoggle=window.__pwned=26>`,
	`<video><source onerror=window.__pwned=27></video>`,
	`<body onload=window.__pwned=28>`,
	`<style>*{display:none!important}</style>`,
	`<link rel=stylesheet href=//evil.invalid/x.css>`,
	`<meta http-equiv=refresh content="0;url=//evil.invalid">`,
	`<base href=//evil.invalid/>`,
	`<template><img src=x onerror=window.__pwned=33></template>`,
	`<noscript><p title="</noscript><img src=x onerror=window.__pwned=34>">`,
	`<!--><img src=x onerror=window.__pwned=35>-->`,
	`<![CDATA[<img src=x onerror=window.__pwned=36>]]>`,
	`&lt;img src=x onerror=window.__pwned=37&gt;`,
	`&#60;script&#62;window.__pwned=38&#60;/script&#62;`,
	`\u003cscript\u003ewindow.__pwned=39\u003c/script\u003e`,
	`\x3cscript\x3ewindow.__pwned=40\x3c/script\x3e`,
	`${window.__pwned=41}`,
	"${`${window.__pwned=42}`}",
	`{{constructor.constructor("window.__pwned=43")()}}`,
	`<%= window.__pwned=44 %>`,
	`#{window.__pwned=45}`,
	`html` + "`<script>window.__pwned=46</script>`",
	`<${Img} src=x onerror=${() => window.__pwned = 47} />`,
	`{"type":"script","props":{"dangerouslySetInnerHTML":{"__html":"<img src=x onerror=window.__pwned=48>"}}}`,
	`__proto__`,
	`constructor`,
	`toString`,
	`{"__proto__":{"innerHTML":"<img src=x onerror=window.__pwned=52>"}}`,
	"line\u2028separator\u2029window.__pwned=53",
	"right\u202eot tfel\u202c and \u2066isolate\u2069",
	"zero\u200bwidth\ufeffbom",
	"bell\a escape\x1b[31mred\x1b[0m",
	"\x1b]8;;javascript:window.__pwned=57\a link \x1b]8;;\a",
	"combining" + strings.Repeat("\u0301", 60),
	"emoji 👩‍👩‍👧‍👦 and 𝕳𝖊𝖑𝖑𝖔 \U0001F3F4",
	"long " + strings.Repeat("A", 200),
}

// inert fails the test if anything became more than text.
func (p *tab) inert(where string) {
	p.t.Helper()
	found := js[[]string](p, `(() => {
		const bad = [];
		if ("__pwned" in window) bad.push("__pwned is " + window.__pwned);
		if (({}).innerHTML) bad.push("the prototype of all objects was changed");
		for (const e of document.querySelectorAll("*")) {
			if (["IMG", "IFRAME", "OBJECT", "EMBED", "VIDEO", "BASE", "MATH", "TEMPLATE", "STYLE"].includes(e.tagName.toUpperCase())) bad.push(e.outerHTML.slice(0, 200));
			if (e.tagName === "SCRIPT" && !(e.src && new URL(e.src).origin === location.origin)) bad.push(e.outerHTML.slice(0, 200));
			for (const a of e.attributes) {
				if (/^on/i.test(a.name)) bad.push(a.name + " of " + e.tagName);
				if (["href", "src", "action", "xlink:href"].includes(a.name) && !/^(https?:|\/|\.|#|[\w-]+\/|data:image\/)/i.test(a.value) && /^\s*[a-z\s]+:/i.test(a.value)) bad.push(a.name + "=" + a.value.slice(0, 80));
			}
			for (const c of e.childNodes) if (c.nodeType === 3 && /[\u202a-\u202e\u2066\u2067]/.test(c.data)) bad.push("a hidden control in " + e.tagName + " " + e.parentElement.outerHTML.slice(0, 300));
		}
		return bad.slice(0, 5);
	})()`)
	require.Empty(p.t, found, where)
}

// infest puts every hostile text into every field that takes it.
func infest(t *testing.T, s *site) *client {
	t.Helper()
	agent := s.connect(t, "mallory")
	for i, text := range hostile {
		agent.try("heartbeat", map[string]any{"status_summary": text})
		goal := agent.try("create_goal", map[string]any{"title": text, "description": text})
		made := agent.do("create_task", map[string]any{"title": clip(text, 256), "description": text, "priority": i, "goal_id": goal["goal_id"], "required_capabilities": []string{}})
		held := agent.do("claim_task", map[string]any{"task_id": made["task_id"]})
		lease := map[string]any{"task_id": made["task_id"], "fencing_token": held["fencing_token"]}
		agent.do("update_task_progress", join(lease, map[string]any{"note": text, "checkpoint": text}))
		switch i % 3 {
		case 0:
			agent.do("complete_task", join(lease, map[string]any{"result_summary": text}))
		case 1:
			agent.do("fail_task", join(lease, map[string]any{"error": text, "retryable": false}))
		}
		agent.do("post_knowledge", map[string]any{"title": clip(text, 256), "body": fmt.Sprint(i, " ", text), "tags": []string{clip(text, 15)}})
		agent.do("set_memory", map[string]any{"key": clip(text, 100), "value": map[string]any{text: text}})
		agent.do("append_output", map[string]any{"text": text + "\n"})
		sent, err := s.console.SendDirective(t.Context(), atmcp.SendDirectiveRequest{ToAgent: "mallory", Instruction: text, Thread: clip(text, 15), Payload: payload(t, text)})
		require.NoError(t, err)
		agent.do("claim_directive", map[string]any{"directive_id": sent.DirectiveID})
		if i%2 == 0 {
			agent.do("report_directive", map[string]any{"directive_id": sent.DirectiveID, "status": []string{"done", "failed"}[i/2%2], "result_summary": text, "output": text})
		}
	}
	for _, text := range hostile {
		_, _, err := s.team.Join(t.Context(), atmcp.JoinRequest{DisplayName: clip(text, 64), Capabilities: []string{"x"}})
		if err != nil {
			continue // a name is letters, digits and a few signs: most are refused
		}
	}
	status, _, _ := s.call(t, http.MethodGet, "/api/teams/"+teamName+"/status", nil, http.Header{"X-Atmcp-Token": {s.view}, "User-Agent": {hostile[0]}})
	require.Less(t, status, 500)
	return agent
}

func payload(t *testing.T, text string) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(map[string]string{text: text})
	require.NoError(t, err)
	return raw
}

func clip(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n])
	}
	return text
}

func join(a, b map[string]any) map[string]any {
	all := map[string]any{}
	for _, m := range []map[string]any{a, b} {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}

func TestHostileTextStaysTextInEveryField(t *testing.T) { // B13
	s := newSite(t, wiring{})
	agent := infest(t, s)
	p := s.open(t, s.steer, look{height: 1600})
	p.live("")
	for _, v := range slices.Concat(views, []string{"/tasks?view=list&status=failed", "/tasks?view=list&status=done", "/directives?id=64", "/activity?q=pwned"}) {
		p.goes(v)
		p.inert(v)
	}
	// It comes alive, too: over the feed while the page is open.
	for _, text := range hostile {
		agent.do("create_task", map[string]any{"title": clip(text, 256), "priority": 999_999})
	}
	p.live("/tasks")
	shown := js[[]string](p, `[...document.querySelectorAll("[data-col=ready] .title > span[dir=auto]")].map((e) => e.textContent)`)
	require.NotEmpty(t, shown)
	literal := make([]string, 0, len(hostile))
	for _, text := range hostile {
		literal = append(literal, js[string](p, `import(new URL("ansi.js", document.querySelector("script[type=module]").src)).then((m) => m.visible(%s))`, clip(text, 256)))
	}
	for _, text := range shown {
		require.Contains(t, literal, text, "it is shown as it was written")
	}
	for i := 1; i <= len(hostile); i += 3 {
		p.goes("/tasks/" + js[string](p, `[...atmcp.store.tasks.values()][%s].number.slice(1)`, i-1))
		p.until(`document.querySelector(".drawer h2")`, "the drawer is open")
		p.inert(fmt.Sprint("drawer ", i))
	}
}

func TestHugeTextIsRefusedNotSwallowed(t *testing.T) { // B13
	s := newSite(t, wiring{})
	agent := s.connect(t, "mallory")
	const megabyte = 1 << 20
	bomb := strings.Repeat(hostile[2], megabyte/len(hostile[2])+1)[:megabyte]
	answer := agent.try("create_task", map[string]any{"title": bomb[:megabyte/2]}) // more is no request of MCP at all
	require.NotEqual(t, true, answer["ok"])
	answer = agent.try("post_knowledge", map[string]any{"title": "big", "body": strings.Repeat("<b>", 40_000)})
	require.Equal(t, true, answer["ok"], "what is within the bounds is kept")
	p := s.open(t, s.steer, look{})
	p.live("/knowledge")
	p.sees("big")
	p.inert("/knowledge")

	// The form sends it all the same, and shows why it was not taken.
	p.live("/tasks")
	p.key("n")
	p.until(`document.querySelector("dialog[open] form input")`, "the form is open")
	p.run(`(() => { const e = document.querySelector("dialog[open] form input"); e.removeAttribute("maxlength"); e.value = %s.repeat(%s).slice(0, %s); e.dispatchEvent(new Event("input", {bubbles: true})) })()`, hostile[2], megabyte/len(hostile[2])+1, megabyte)
	require.Equal(t, megabyte, js[int](p, `document.querySelector("dialog[open] form input").value.length`))
	p.run(`document.querySelector("dialog[open] form").requestSubmit()`)
	p.until(`[...document.querySelectorAll("[role=alert]")].some((e) => e.innerText.includes("body too large"))`, "why it was refused is told")
	p.inert("a refused megabyte")
	status, err := s.team.Status(t.Context())
	require.NoError(t, err)
	require.Zero(t, status.TotalWeight, "nothing was made of it")
}
