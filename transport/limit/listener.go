package limit

import (
	"net"
	"sync"
	"sync/atomic"
)

// Listener closes connections beyond the limits as soon as they are there. What is
// open goes on; who is refused sees a closed connection and can try again.
func (l *Limiter) Listener(inner net.Listener) net.Listener {
	if l == nil {
		return inner
	}
	return &listener{Listener: inner, limits: l.limits, all: &l.connections, open: make(map[string]int)}
}

type listener struct {
	net.Listener

	limits Limits
	all    *atomic.Int64 // connections of every listener of the limiter

	mu   sync.Mutex
	open map[string]int // by address
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		addr, _ := l.limits.connectionOf(conn.RemoteAddr().String())
		if l.take(addr) {
			return &admitted{Conn: conn, release: sync.OnceFunc(func() { l.release(addr) })}, nil
		}
		_ = conn.Close() // nothing was said yet
	}
}

// take counts a connection if there is room. Loopback has no address.
func (l *listener) take(addr string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if int(l.all.Load()) >= l.limits.Connections || (addr != "" && l.open[addr] >= l.limits.AddressConnections) {
		return false
	}
	l.all.Add(1)
	if addr != "" {
		l.open[addr]++
	}
	return true
}

func (l *listener) release(addr string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.Add(-1)
	if l.open[addr]--; l.open[addr] <= 0 {
		delete(l.open, addr)
	}
}

// admitted is a connection that makes room when it is closed.
type admitted struct {
	net.Conn

	release func()
}

// NetConn returns the connection below, for who sets its options.
func (c *admitted) NetConn() net.Conn { return c.Conn }

// Close implements [net.Conn].
func (c *admitted) Close() error {
	defer c.release()
	return c.Conn.Close()
}
