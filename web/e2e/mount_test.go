package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/dashboard"
	"github.com/atmcp/atmcp/transport/httpapi"
)

// below are the ways in which somebody serves the page below a path of theirs.
var below = map[string]func(*atmcp.Hub, string) (http.Handler, *httpapi.Handler){
	"StripPrefix": func(hub *atmcp.Hub, home string) (http.Handler, *httpapi.Handler) {
		mux := http.NewServeMux()
		site := dashboard.Handler(hub, dashboard.Options{Routes: httpapi.Options{PublicURL: home + "/tools/atmcp", AdminToken: adminToken}})
		mux.Handle("/tools/atmcp/", http.StripPrefix("/tools/atmcp", site))
		return mux, nil
	},
	"reverse proxy": func(hub *atmcp.Hub, home string) (http.Handler, *httpapi.Handler) {
		upstream, api := handlers(hub, home, false)
		target, _ := url.Parse(home) // the address that this test listens on
		proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
			r.Out.URL.Path = strings.TrimPrefix(r.In.URL.Path, "/tools/atmcp")
			r.Out.URL.RawPath = ""
		}}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/tools/atmcp/") {
				proxy.ServeHTTP(w, r)
				return
			}
			upstream.ServeHTTP(w, r)
		}), api
	},
}

func TestPageWorksBelowAnyPath(t *testing.T) { // B25
	for name, mount := range below {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, wiring{mount: mount})
			ui := "/tools/atmcp/"
			if name == "reverse proxy" {
				ui += "ui/"
			}
			made, err := s.console.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "Far below"})
			require.NoError(t, err)
			p := s.open(t, "", look{})
			p.load(ui + "t/" + teamName + "/tasks/" + made.Number[1:])
			p.fill("dialog[open] #token", s.steer)
			p.key("Enter")
			p.until(`atmcp.app.conn?.name === "live" && document.querySelector(".drawer h2")?.innerText === "Far below"`, "a deep link works")
			require.Equal(t, "ws", js[string](p, `atmcp.app.conn.transport`))
			p.press("nav a", "Activity")
			p.until(`location.pathname === %s && document.querySelectorAll(".fitem").length`, "so do links", ui+"t/"+teamName+"/activity")
			require.Empty(t, js[[]string](p, `performance.getEntriesByType("resource").filter((e) => e.responseStatus >= 400 && !e.name.includes("/api/")).map((e) => e.name)`))
			for _, asked := range p.requests {
				require.True(t, strings.HasPrefix(asked, "/tools/atmcp/"), asked)
			}
		})
	}
}

func TestConnectPagesSnippetReallyConnects(t *testing.T) { // B32
	s := newSite(t, wiring{})
	p := s.open(t, s.steer, look{})
	p.live("/connect?client=claude&agent=newcomer")
	clients := js[[]map[string]string](p, `fetch(%s).then((r) => r.json()).then((x) => x.clients)`, "/api/teams/"+teamName+"/connect")
	require.GreaterOrEqual(t, len(clients), 9)
	addresses := map[string]bool{}
	for _, c := range clients {
		p.goes("/connect?agent=newcomer&client=" + c["id"])
		snippets := js[[]map[string]string](p, `fetch(%s).then((r) => r.json()).then((x) => x.snippets)`, fmt.Sprintf("/api/teams/%s/connect?agent=newcomer&client=%s", teamName, c["id"]))
		require.NotEmpty(t, snippets, c["id"])
		for _, x := range snippets {
			p.until(`document.querySelector("main").innerText.replace(/\s+/g, "").includes(%s.replace(/\s+/g, ""))`, c["id"]+" shows "+x["label"], x["text"])
			require.NotContains(t, x["text"], s.join)
			if x["language"] == "json" {
				require.True(t, json.Valid([]byte(x["text"])), "%s: %s", c["id"], x["text"])
			}
			if strings.Contains(x["text"], s.url+"/mcp") {
				addresses[s.url+"/mcp"] = true
			}
		}
	}
	require.Len(t, addresses, 1, "every snippet names the same endpoint")

	// What it says is what a client does.
	p.goes("/connect?client=claude&agent=newcomer")
	for address := range addresses {
		client := mcp.NewClient(&mcp.Implementation{Name: "newcomer", Version: "1"}, nil)
		session, err := client.Connect(context.Background(), &mcp.StreamableClientTransport{
			Endpoint: address, HTTPClient: &http.Client{Transport: signed{s.join, "newcomer"}},
		}, nil)
		require.NoError(t, err)
		defer func() { _ = session.Close() }()
		for _, step := range []struct{ tool, says string }{
			{"heartbeat", "newcomer is in the team. Still to come: Inbox fetched."}, {"inbox", "newcomer is connected."},
		} {
			_, err = session.CallTool(context.Background(), &mcp.CallToolParams{Name: step.tool, Arguments: map[string]any{}})
			require.NoError(t, err)
			p.sees(step.says)
		}
	}
	p.until(`document.querySelectorAll(".marks li.ok, .marks li.done, .marks .ok").length >= 5`, "five marks turn green")
}

func TestNewerServerIsToldAndABrokenPanelLeavesTheOthers(t *testing.T) { // B34
	s := newSite(t, wiring{mount: func(hub *atmcp.Hub, home string) (http.Handler, *httpapi.Handler) {
		mux := http.NewServeMux()
		api := httpapi.New(hub, httpapi.Options{PublicURL: home, Assets: "another", Version: "2.0.0"})
		mux.Handle("/", api)
		dashboard.Mount(mux, hub, dashboard.Options{})
		return mux, api
	}})
	p := s.open(t, s.steer, look{})
	p.live("")
	p.until(`/newer version/i.test(document.querySelector(".banner")?.innerText)`, "the page says that it is old")
	p.run(`(atmcp.store.goals.set("bad", {goal_id: "bad", number: "#0", created_at: 1, get title() { throw new Error("a row that breaks") }}), atmcp.store.touch("goals"))`)
	p.until(`document.querySelector(".panel.broken")`, "the panel says that it broke")
	made, err := s.console.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "Still here"})
	require.NoError(t, err)
	p.until(`document.querySelector(".latest").innerText.includes(%s)`, "the others go on", made.Number)
}
