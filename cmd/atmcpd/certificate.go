package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// certificate is a certificate and its key, in two files that may be replaced while
// the server runs. Handshakes take up what the files have become; where that is no
// good pair, such as between the writing of one and of the other, the last good one
// stays in use and the log says so.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu   sync.Mutex
	good *tls.Certificate
	seen stamp // of the files that were read last, good or not
}

// stamp tells versions of the two files apart.
type stamp struct {
	certTime, keyTime time.Time
	certSize, keySize int64
}

// certificate reads the files that the configuration names; nil is plain HTTP.
func (c config) certificate(log *slog.Logger) (*certificate, error) {
	if c.tlsCert == "" {
		return nil, nil //nolint:nilnil // nil is: none, as the comment says
	}
	k := &certificate{certFile: c.tlsCert, keyFile: c.tlsKey, log: log}
	k.seen = k.stamp()
	if err := k.read(); err != nil {
		return nil, usageError{fmt.Errorf("ATMCP_TLS_CERT and ATMCP_TLS_KEY: %w", err)}
	}
	return k, nil
}

func (k *certificate) read() error {
	pair, err := tls.LoadX509KeyPair(k.certFile, k.keyFile)
	if err == nil {
		k.good = &pair
	}
	return err
}

func (k *certificate) stamp() stamp {
	var s stamp
	if info, err := os.Stat(k.certFile); err == nil {
		s.certTime, s.certSize = info.ModTime(), info.Size()
	}
	if info, err := os.Stat(k.keyFile); err == nil {
		s.keyTime, s.keySize = info.ModTime(), info.Size()
	}
	return s
}

// current is the certificate for one handshake.
func (k *certificate) current(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	now := k.stamp()
	k.mu.Lock()
	defer k.mu.Unlock()
	if now != k.seen {
		k.seen = now
		k.told(hello.Context(), k.read())
	}
	return k.good, nil
}

// reload reads the files again, changed or not.
func (k *certificate) reload(ctx context.Context) {
	now := k.stamp()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen = now
	k.told(ctx, k.read())
}

func (k *certificate) told(ctx context.Context, err error) {
	if err != nil {
		k.log.WarnContext(ctx, "the certificate cannot be read again; the one before stays in use", "error", err)
		return
	}
	k.log.InfoContext(ctx, "certificate read again", "expires", k.good.Leaf.NotAfter)
}

// over serves l by TLS; a nil certificate leaves it as it is.
func (k *certificate) over(l net.Listener) net.Listener {
	if k == nil {
		return l
	}
	return tls.NewListener(l, &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"},
		GetCertificate: k.current,
	})
}

// reloadOnHangup reads the files again with each SIGHUP, until the returned function
// is called. Without a certificate the signal ends the process, as it does any other.
func (k *certificate) reloadOnHangup(ctx context.Context) (stop func()) {
	if k == nil {
		return func() {}
	}
	hangups, ended := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		defer close(ended)
		for range hangups {
			k.reload(ctx)
		}
	}()
	return func() {
		signal.Stop(hangups) // nothing is sent any more when it returns
		close(hangups)
		<-ended
	}
}

// scheme is how clients begin the server's address.
func (c config) scheme() string {
	if c.tlsCert != "" {
		return "https"
	}
	return "http"
}

// agreeTLS checks that both files were named, or none.
func (c config) agreeTLS() error {
	if (c.tlsCert == "") != (c.tlsKey == "") {
		return usageError{errors.New("ATMCP_TLS_CERT and ATMCP_TLS_KEY go together: set both, or none for plain HTTP")}
	}
	return nil
}
