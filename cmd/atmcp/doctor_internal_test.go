package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
)

func TestADoctorThatLooksDeepSeesThatSilentFeedsAreEnded(t *testing.T) {
	t.Parallel()
	for state, ends := range map[string]bool{stateOK: false, stateWarn: true} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			defer func() { _ = conn.CloseNow() }()
			if conn.Write(r.Context(), websocket.MessageText, []byte(`{"type":"hello"}`)) == nil && !ends {
				<-conn.CloseRead(r.Context()).Done()
			}
		}))
		t.Cleanup(server.Close)
		c, err := client.New(client.Options{URL: server.URL})
		require.NoError(t, err)
		d := &doctor{client: c, silence: 300 * time.Millisecond}
		d.checkWebSocket(t.Context(), "crew")
		require.Len(t, d.found, 1)
		assert.Equal(t, state, d.found[0].State, "%+v", d.found)
		if ends {
			assert.Contains(t, d.found[0].Mend, "proxy_read_timeout")
		}
	}
}
