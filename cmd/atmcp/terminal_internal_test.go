//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
)

// terminal is a pseudo-terminal, and what was written to it.
type terminal struct {
	file *os.File // where the program writes
	seen *safeBuffer
}

// newTerminal makes a terminal of so many columns and lines.
func newTerminal(t *testing.T, columns, lines uint16) *terminal {
	t.Helper()
	control, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	var unlocked, number uint32
	ioctl(t, control, syscall.TIOCSPTLCK, unsafe.Pointer(&unlocked))
	ioctl(t, control, syscall.TIOCGPTN, unsafe.Pointer(&number))
	file, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	size := [4]uint16{lines, columns}
	ioctl(t, file, syscall.TIOCSWINSZ, unsafe.Pointer(&size))
	x := &terminal{file: file, seen: &safeBuffer{}}
	read := make(chan struct{})
	go func() {
		defer close(read)
		b := make([]byte, 4096)
		for {
			n, err := control.Read(b)
			_, _ = x.seen.Write(b[:n])
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		require.NoError(t, file.Close())
		<-read // a terminal that nobody has open ends
		require.NoError(t, control.Close())
	})
	return x
}

func ioctl(t *testing.T, file *os.File, request uintptr, arg unsafe.Pointer) {
	t.Helper()
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, file.Fd(), request, uintptr(arg))
	require.Zero(t, errno)
}

// runs runs the program on the terminal.
func (x *terminal) runs(ctx context.Context, w *world, args ...string) int {
	w.Helper()
	return run(ctx, args, program{getenv: w.getenv, in: strings.NewReader(""), out: x.file, err: x.file})
}

func TestAPersonSeesColoursAgesAndWhatFitsTheTerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("bob")
	w.good("task", "add", strings.Repeat("a very long title ", 12), "-p", "3")
	x := newTerminal(t, 60, 24)
	require.Equal(t, exitOK, x.runs(t.Context(), w, "tasks"))
	x.shows(t, "…")
	assert.Contains(t, x.seen.String(), "\x1b[1m#2\x1b[0m")
	for line := range strings.Lines(display.CleanText(x.seen.String())) {
		assert.LessOrEqual(t, display.Width(strings.TrimSpace(line)), 60, line)
	}
	assert.Regexp(t, `\d+s`, x.seen.String(), "an age, not a date")

	w.env["NO_COLOR"] = "1"
	plain := newTerminal(t, 60, 24)
	require.Equal(t, exitOK, plain.runs(t.Context(), w, "tasks"))
	plain.shows(t, "…")
	assert.NotContains(t, plain.seen.String(), "\x1b")
	delete(w.env, "NO_COLOR")
	w.env["TERM"] = "dumb"
	dumb := newTerminal(t, 60, 24)
	require.Equal(t, exitOK, dumb.runs(t.Context(), w, "tasks"))
	dumb.shows(t, "…")
	assert.NotContains(t, dumb.seen.String(), "\x1b")
}

// shows waits until the terminal has a text.
func (x *terminal) shows(t *testing.T, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(x.seen.String(), text) }, patience, patience/4000, "%q in %q", text, x.seen)
}

func TestAStatusThatIsWatchedIsDrawnInPlaceAndTheTerminalGivenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	x := newTerminal(t, 80, 10)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() { ended <- x.runs(ctx, w, "status", "--watch") }()
	x.shows(t, "nobody is in the team yet")
	w.join("bob")
	x.shows(t, "healthy")
	for n := range 20 {
		w.join(fmt.Sprintf("agent-%02d", n))
	}
	x.shows(t, "…\x1b[K") // more than fits
	stop()
	assert.Equal(t, exitInterrupted, <-ended)
	x.shows(t, "\x1b[?7h\x1b[?25h\x1b[?1049l")
	text := x.seen.String()
	assert.True(t, strings.HasPrefix(text, "\x1b[?1049h\x1b[?25l\x1b[?7l"))
	assert.Equal(t, strings.Count(text, "\x1b[?2026h"), strings.Count(text, "\x1b[?2026l"))
	for frame := range strings.SplitSeq(text, "\x1b[?2026h\x1b[H") {
		assert.Less(t, strings.Count(frame, "\n"), 10, "a frame scrolls")
	}
}
