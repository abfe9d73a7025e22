package searchtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/search"
)

func testInflections(t *testing.T, b bench) {
	b.noise(t)
	b.put(t,
		doc("plural", "", "two leases were renewed"),
		doc("verb", "", "claiming a task"),
		doc("part", "", "see claimedTasks of the board"))
	for text, want := range map[string]string{
		"lease": "plural", "renewing": "plural", "leasing renewal": "plural", "claims tasking": "verb", "claimed tasks board": "part",
	} {
		r := b.ask(t, search.Query{Text: text})
		if assert.NotEmpty(t, r.Hits, text) {
			assert.Equal(t, want, r.Hits[0].ID, text)
			assert.False(t, r.Relaxed, text)
			assert.NotEmpty(t, r.Hits[0].Spans, text)
		}
	}
	b.first(t, "waiters",
		doc("same", "", "the waiters come back"),
		doc("other", "", "the waiter comes back"))
}

func testTypos(t *testing.T, b bench) {
	b.noise(t)
	b.put(t,
		doc("wanted", "", "the transaction acquires a semaphore"),
		doc("identifier", "", "net/http.ListenAndServe blocks"),
		doc("near", "", "translation of a request"))
	for text, want := range map[string]string{
		"transacton": "wanted", "tarnsaction": "wanted", "semaphroe": "wanted", "rtansaction": "wanted",
		"transactions aquires": "wanted", "ListenAndSevre": "identifier", "listenandserv": "identifier",
	} {
		r := b.ask(t, search.Query{Text: text})
		if assert.NotEmpty(t, r.Hits, text) {
			assert.Equal(t, want, r.Hits[0].ID, text)
			assert.False(t, r.Relaxed, text)
			assert.NotEmpty(t, r.Hits[0].Spans, text)
		}
	}
	assert.Empty(t, b.find(t, "teo"), "short words are what they are")
	b.put(t, doc("meant", "", "a transacton"))
	assert.Equal(t, []string{"meant"}, b.find(t, "transacton"), "what is there is not a mistake")
}

func testSpellings(t *testing.T, b bench) {
	b.noise(t)
	b.put(t,
		doc("snake", "", "set db.max_open_conns to eight"),
		doc("camel", "", "set SetMaxIdleConns to four"),
		doc("path", "", "call net/http.ListenAndServe once"))
	for text, want := range map[string]string{
		"MaxOpenConns": "snake", "max_open_conns": "snake", "max-open-conns": "snake", "maxopenconns": "snake",
		"set_max_idle_conns": "camel", "http.ListenAndServe": "path", "ListenAndServe": "path",
	} {
		r := b.ask(t, search.Query{Text: text})
		require.NotEmpty(t, r.Hits, text)
		assert.Equal(t, want, r.Hits[0].ID, text)
		assert.False(t, r.Relaxed, text)
		assert.NotEmpty(t, r.Hits[0].Spans, text)
	}
}

func testFillers(t *testing.T, b bench) {
	b.put(t, doc("a", "", "renew a lease"), doc("b", "", "how the token grows"), doc("c", "", "the who"))
	for text, want := range map[string][]string{
		"how do I renew the lease": {"a"},
		"what is a token":          {"b"},
		"the who":                  {"c"},
	} {
		r := b.ask(t, search.Query{Text: text})
		assert.Equal(t, want, ids(r), text)
		assert.False(t, r.Relaxed, text)
	}
}
