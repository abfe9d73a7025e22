package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// keys is a certificate of the test's own making, in files.
type keys struct{ certFile, keyFile string }

// newKeys makes a place for a certificate and its key.
func newKeys(t *testing.T) keys {
	t.Helper()
	dir := t.TempDir()
	return keys{filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")}
}

func (k keys) env() []string {
	return []string{"ATMCP_TLS_CERT=" + k.certFile, "ATMCP_TLS_KEY=" + k.keyFile}
}

// write makes a new certificate with a serial number, and returns a client that
// trusts it alone.
func (k keys) write(t *testing.T, serial int64) *http.Client {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: "test"},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	require.NoError(t, os.WriteFile(k.certFile, cert, 0o600))
	require.NoError(t, os.WriteFile(k.keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	trusted := x509.NewCertPool()
	require.True(t, trusted.AppendCertsFromPEM(cert))
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: trusted}, DisableKeepAlives: true, ForceAttemptHTTP2: true,
	}}
}

// startTLS runs a server with the keys.
func startTLS(t *testing.T, dir string, k keys) *server {
	t.Helper()
	s := start(t, dir, k.env()...)
	s.url = regexp.MustCompile(`https://127.0.0.1:\d+`).FindString(s.banner)
	require.NotEmpty(t, s.url, s.banner)
	return s
}

// greeting is what of an answer the tests look at.
type greeting struct {
	status int
	proto  string
	serial int64
}

func greet(t *testing.T, client *http.Client, address string) (greeting, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/healthz", nil)
	require.NoError(t, err)
	res, err := client.Do(req)
	if err != nil {
		return greeting{}, err
	}
	defer res.Body.Close()
	g := greeting{status: res.StatusCode, proto: res.Proto}
	if res.TLS != nil {
		g.serial = res.TLS.PeerCertificates[0].SerialNumber.Int64()
	}
	return g, nil
}

func TestTLSIsServedByCertificateFiles(t *testing.T) {
	k, dir := newKeys(t), t.TempDir()
	client := k.write(t, 1)
	s := startTLS(t, dir, k)
	met, err := greet(t, client, s.url)
	require.NoError(t, err)
	assert.Equal(t, greeting{http.StatusOK, "HTTP/1.1", 1}, met, "though the client offers HTTP/2")

	conn, _, err := websocket.Dial(t.Context(), s.url+"/ws/default", &websocket.DialOptions{HTTPClient: client}) //nolint:bodyclose // the connection is
	require.NoError(t, err)
	_, hello, err := conn.Read(t.Context())
	require.NoError(t, err)
	assert.Contains(t, string(hello), `"hello"`)
	require.NoError(t, conn.CloseNow())

	old := &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10, InsecureSkipVerify: true}
	_, err = greet(t, &http.Client{Transport: &http.Transport{TLSClientConfig: old}}, s.url)
	require.ErrorContains(t, err, "protocol version")
	met, err = greet(t, http.DefaultClient, strings.Replace(s.url, "https:", "http:", 1))
	require.NoError(t, err)
	assert.Equal(t, http.StatusBadRequest, met.status)

	assert.Equal(t, 0, runs(t, k.env(), "healthcheck", "--data-dir", dir).code)
	assert.Equal(t, s.url+"/mcp", decoded(t, runs(t, k.env(), "create-team", "crew", "--data-dir", dir))["mcp_url"])
	s.stop()
}

func TestAReplacedCertificateIsTakenUp(t *testing.T) {
	k := newKeys(t)
	first := k.write(t, 1)
	s := startTLS(t, t.TempDir(), k)
	serves := func(client *http.Client, serial int64) {
		met, err := greet(t, client, s.url)
		require.NoError(t, err)
		assert.Equal(t, serial, met.serial)
	}
	serves(first, 1)
	good, err := os.ReadFile(k.keyFile)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(k.keyFile, []byte("half a ke"), 0o600))
	serves(first, 1) // the last good pair
	require.NoError(t, os.WriteFile(k.keyFile, good, 0o600))
	serves(first, 1)

	serves(k.write(t, 2), 2)
	_, err = greet(t, first, s.url)
	require.Error(t, err, "who trusts the first alone is not served by the second")
	s.stop()
	assert.Contains(t, s.errs.String(), "stays in use")
}

func TestAHangupReadsTheCertificateAgain(t *testing.T) {
	k := newKeys(t)
	k.write(t, 1)
	s := startTLS(t, t.TempDir(), k)
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGHUP))
	s.await("certificate read again")
	s.stop()

	hangups := make(chan os.Signal, 1) // who was started to ignore hangups hands that on, unless it listens to them
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	s = start(t, t.TempDir())
	require.Error(t, s.signal(syscall.SIGHUP), "without a certificate the signal is what it always was")
}

func TestACertificateThatIsNoneStopsTheServer(t *testing.T) {
	k := newKeys(t)
	k.write(t, 1)
	dir := filepath.Join(t.TempDir(), "data")
	for problem, env := range map[string][]string{
		"go together":    {"ATMCP_TLS_CERT=" + k.certFile},
		"no such file":   {"ATMCP_TLS_CERT=" + k.certFile, "ATMCP_TLS_KEY=" + k.keyFile + "x"},
		"failed to find": {"ATMCP_TLS_CERT=" + k.keyFile, "ATMCP_TLS_KEY=" + k.keyFile},
	} {
		r := runs(t, append(env, "ATMCP_ADDR=127.0.0.1:0", "ATMCP_DATA_DIR="+dir))
		assert.Equal(t, 2, r.code)
		assert.Contains(t, r.err, problem)
		assert.NoDirExists(t, dir)
	}
}
