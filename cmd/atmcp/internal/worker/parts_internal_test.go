package worker

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFailuresThatPassAreToldFromThoseThatStay(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"API Error: 529 {\"type\":\"overloaded_error\"}", "Error: Too Many Requests", "rate_limit_error: try later", "HTTP 429",
		"status code: 503", "http status=502", "error 500", "read tcp: connection reset by peer", "ECONNREFUSED 127.0.0.1:443",
		"net/http: TLS handshake timeout", "getaddrinfo EAI_AGAIN api.example", "context deadline exceeded", "TypeError: fetch failed",
		"Please retry your request", "Temporary failure in name resolution", "err: 504", "the service is temporarily unavailable",
		"API error (500)", "api_error code 529",
	} {
		assert.True(t, transient(text), text)
	}
	for _, text := range []string{
		"", "exit status 1", "panic at line 500", "expected 429 rows, got 2", "HTTP 404", "status code: 401", "no such file or directory",
		"credit balance is too low", "invalid API key", "5000 errors found", "error: 5030 lines", "terror 500",
	} {
		assert.False(t, transient(text), text)
	}
}

func TestASessionThatAProgramDoesNotKnowIsToldFromOtherFailures(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"No conversation found with session ID: 8f1c", "error: no rollout found for thread id 0199a213", "Session 8f1c not found",
		"Invalid session identifier \"7\"", "no saved session found with ID q-1", "the conversation has expired",
	} {
		assert.True(t, sessionGone(text), text)
	}
	for _, text := range []string{"", "exit status 1", "file not found", "the session ended well", "invalid API key"} {
		assert.False(t, sessionGone(text), text)
	}
}

func TestPausesDoubleUpToAMinuteAndAreSpread(t *testing.T) {
	t.Parallel()
	seen := map[time.Duration]bool{}
	for n, base := range []time.Duration{2, 4, 8, 16, 32, 60, 60, 60} {
		for range 20 {
			d := delay(2*time.Second, n+1)
			assert.GreaterOrEqual(t, d, base*time.Second/2)
			assert.LessOrEqual(t, d, base*time.Second*3/2)
			seen[d] = true
		}
	}
	assert.Greater(t, len(seen), 100)
}

func TestACommandIsFilled(t *testing.T) {
	t.Parallel()
	claude := []string{"claude", "-p", "--resume", "{session}", "{text}"}
	codex := []string{"codex", "exec", "resume", "{session}", "{text}"}
	for _, c := range []struct {
		template []string
		f        filling
		want     command
	}{
		{claude, filling{text: "a b", session: "s"}, command{argv: []string{"claude", "-p", "--resume", "s", "a b"}}},
		{claude, filling{text: "a b"}, command{argv: []string{"claude", "-p", "a b"}}},
		{codex, filling{text: "x", session: "s"}, command{argv: []string{"codex", "exec", "resume", "s", "x"}}},
		{codex, filling{text: "x"}, command{argv: []string{"codex", "exec", "x"}}},
		{[]string{"x", "--resume={session}", "-"}, filling{text: "in"}, command{argv: []string{"x", "-"}, stdin: "in"}},
		{[]string{"{session}", "{session}"}, filling{text: "in"}, command{argv: []string{"{session}"}, stdin: "in"}},
		{[]string{"x", "--task={id}: {text}", "{session}"}, filling{text: "y", id: "7"}, command{argv: []string{"x", "--task=7: y"}}},
		{[]string{"x", "{text}"}, filling{text: "a\x00b{session}"}, command{argv: []string{"x", "a\uFFFDb{session}"}}},
	} {
		assert.Equal(t, c.want, fill(c.template, c.f), "%q", c.template)
	}
}

// What the command lines of agents write, as they are documented.
func TestTheWordsOfAgentsAreFoundInTheirJSON(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in, shown, words, session string
		failed                    bool
		used                      usage
	}{
		"plain text": {
			in: "one\ntwo\n{not json\n", shown: "one\ntwo\n{not json\n", words: "one\ntwo\n{not json",
		},
		"JSON of another": {
			in: `{"level":"info","msg":"built"}` + "\n[1,2]\n", shown: `{"level":"info","msg":"built"}` + "\n[1,2]\n",
			words: `{"level":"info","msg":"built"}` + "\n[1,2]",
		},
		"Claude Code, json": {
			in: `{"type":"result","subtype":"success","is_error":false,"duration_ms":1200,"num_turns":2,"result":"All done.","session_id":"8f1c","total_cost_usd":0.0312,` +
				`"usage":{"input_tokens":4,"cache_creation_input_tokens":100,"cache_read_input_tokens":2000,"output_tokens":50}}`,
			shown: "All done.\n", words: "All done.", session: "8f1c",
			used: usage{InputTokens: 4, OutputTokens: 50, CacheRead: 2000, CacheCreation: 100, CostUSD: 0.0312},
		},
		"Claude Code, an error": {
			in:    `{"type":"result","subtype":"error_during_execution","is_error":true,"result":"API Error: Overloaded","session_id":"8f1c","total_cost_usd":0}`,
			shown: "API Error: Overloaded\n", words: "API Error: Overloaded", session: "8f1c", failed: true,
		},
		"Codex, --json": {
			in: `{"type":"thread.started","thread_id":"0199a213"}` + "\n" + `{"type":"turn.started"}` + "\n" +
				`{"type":"item.completed","item":{"id":"item_0","type":"command_execution","command":"ls","exit_code":0}}` + "\n" +
				`{"type":"item.completed","item":{"id":"item_1","type":"agent_message","text":"Looked."}}` + "\n" +
				`{"type":"item.completed","item":{"id":"item_2","type":"agent_message","text":"Repaired."}}` + "\n" +
				`{"type":"turn.completed","usage":{"input_tokens":24763,"cached_input_tokens":24448,"output_tokens":122}}` + "\n",
			shown: "$ ls\nLooked.\nRepaired.\n", words: "Repaired.", session: "0199a213",
			used: usage{InputTokens: 24763, OutputTokens: 122, CacheRead: 24448},
		},
		"Codex, an error that it got over": {
			in: `{"type":"error","message":"Reconnecting... 1/5"}` + "\n" +
				`{"type":"item.completed","item":{"type":"agent_message","text":"Done."}}` + "\n",
			shown: "Reconnecting... 1/5\nDone.\n", words: "Done.",
		},
		"Claude Code, too many turns": {
			in:     `{"type":"result","subtype":"error_max_turns","is_error":false,"session_id":"8f1c","num_turns":5}`,
			failed: true, session: "8f1c",
		},
		"Codex, a failure": {
			in:    `{"type":"thread.started","thread_id":"0199a213"}` + "\n" + `{"type":"turn.failed","error":{"message":"stream disconnected"}}` + "\n",
			shown: "stream disconnected\n", words: "stream disconnected", session: "0199a213", failed: true,
		},
		"Gemini CLI, json": {
			in:    "{\n  \"session_id\": \"g-1\",\n  \"response\": \"It is Paris.\",\n  \"stats\": {\"models\": {}}\n}\n",
			shown: "It is Paris.\n", words: "It is Paris.", session: "g-1",
		},
		"Gemini CLI, stream-json": {
			in: `{"type":"init","timestamp":"t","session_id":"g-1","model":"gemini-pro"}` + "\n" +
				`{"type":"message","role":"user","content":"where?","timestamp":"t"}` + "\n" +
				`{"type":"tool_use","tool_name":"read_file","tool_id":"r","parameters":{}}` + "\n" +
				`{"type":"message","role":"assistant","content":"It is ","delta":true}` + "\n" +
				`{"type":"message","role":"assistant","content":"Paris.","delta":true}` + "\n" +
				`{"type":"result","status":"success","stats":{"total_tokens":10}}` + "\n",
			shown: "It is Paris.", words: "It is Paris.", session: "g-1", used: usage{Model: "gemini-pro"},
		},
		"Qwen Code, json": {
			in: `[{"type":"system","subtype":"session_start","session_id":"q-1","model":"qwen3"},` +
				`{"type":"assistant","session_id":"q-1","message":{"role":"assistant","content":[{"type":"text","text":"Found it."}]}},` +
				`{"type":"result","subtype":"success","session_id":"q-1","is_error":false,"result":"Found it.","usage":{"input_tokens":7,"output_tokens":3}}]` + "\n",
			shown: "Found it.\n", words: "Found it.", session: "q-1", used: usage{Model: "qwen3", InputTokens: 7, OutputTokens: 3},
		},
		"Cursor, json": {
			in:    `{"type":"result","subtype":"success","is_error":false,"duration_ms":5,"result":"ok then","session_id":"c-1","request_id":"r"}`,
			shown: "ok then\n", words: "ok then", session: "c-1",
		},
		"a document that is none": {in: "{\n half", shown: "{\n half", words: "{\n half"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, size := range []int{1, 7, 1 << 20} { // as it may come through a pipe
				var shown strings.Builder
				r := &transcript{show: func(s string) { shown.WriteString(s) }}
				for rest := []byte(c.in); len(rest) > 0; rest = rest[min(size, len(rest)):] {
					n, err := r.Write(rest[:min(size, len(rest))])
					assert.NoError(t, err)
					assert.Equal(t, min(size, len(rest)), n)
				}
				r.end()
				assert.Equal(t, c.shown, shown.String())
				assert.Equal(t, c.words, r.words())
				assert.Equal(t, c.session, r.session)
				assert.Equal(t, c.failed, r.failed)
				assert.Equal(t, c.used, r.usage)
			}
		})
	}
}

func TestOfALongOutputTheEndIsKept(t *testing.T) {
	t.Parallel()
	r := &transcript{show: func(string) {}}
	for range 100 {
		_, _ = r.Write([]byte(strings.Repeat("ä", 10_000) + "\n"))
	}
	_, _ = r.Write([]byte("the end"))
	r.end()
	words := r.words()
	assert.Less(t, len(words), maxText+10)
	assert.True(t, strings.HasSuffix(words, "ä\nthe end"))
	assert.True(t, strings.HasPrefix(words, "… ä"))
	_, _ = r.Write([]byte("{" + strings.Repeat("x", 2*maxLine)))
	r.end()
	assert.LessOrEqual(t, len(r.words()), maxText+len("… "), "a line without an end too")
}

// recorder takes chunks, or fails to.
type recorder struct {
	mu     sync.Mutex
	chunks []string
	fail   bool
	hang   bool
}

func (r *recorder) send(ctx context.Context, text string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail {
		return errors.New("no")
	}
	r.chunks = append(r.chunks, text)
	if r.hang {
		<-ctx.Done()
	}
	return ctx.Err()
}

func TestOutputGoesInChunksOfWholeCharacters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		s := newStream(t.Context(), r.send)
		for range 3 { // letter by letter, within the pause
			s.add("ab")
		}
		_, _ = s.Write([]byte("\xc3")) // half of an ä
		time.Sleep(chunkPause + 1)
		synctest.Wait()
		assert.Equal(t, []string{"ababab"}, r.chunks)
		_, _ = s.Write([]byte("\xa4\x00\xff"))
		s.add(strings.Repeat("ö", 2*chunkSize))
		s.close(time.Minute)
		assert.Equal(t, "ä\uFFFD\uFFFD", string([]rune(r.chunks[1])[:3]))
		all := strings.Join(r.chunks, "")
		assert.Equal(t, 6+3+2*chunkSize, len([]rune(all)))
		for _, chunk := range r.chunks {
			assert.LessOrEqual(t, len(chunk), chunkSize+4)
		}
	})
}

func TestACommandIsNeverMadeToWaitForTheServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := recorder{hang: true}
		s := newStream(t.Context(), r.send)
		for range 3 {
			s.add(strings.Repeat("x", maxWaiting))
		}
		s.mu.Lock()
		assert.Equal(t, []int{maxWaiting, 2 * maxWaiting}, []int{len(s.waiting), s.dropped})
		s.mu.Unlock()
		began := time.Now()
		s.close(3 * time.Second)
		assert.Equal(t, 3*time.Second, time.Since(began))
		require.Len(t, r.chunks, 1)
		assert.Equal(t, "[2097152 bytes of output were dropped: the server did not take them in time]", strings.Split(r.chunks[0], "\n")[0])
	})
}

func TestAChunkThatTheServerRefusesIsNotWorthARun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := recorder{fail: true}
		s := newStream(t.Context(), r.send)
		s.add("lost")
		time.Sleep(time.Second)
		synctest.Wait()
		r.fail = false
		s.add("kept")
		s.close(time.Minute)
		assert.Equal(t, []string{"kept"}, r.chunks)
	})
}
