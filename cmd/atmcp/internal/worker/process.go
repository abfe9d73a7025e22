package worker

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
)

// job is a command to run and where what it writes goes.
type job struct {
	command

	dir    string
	env    []string
	grace  time.Duration // between asking it to end and ending it
	stdout io.Writer
	stderr io.Writer
}

// linger is how long what a command wrote is still read after its end, if something
// that it left behind keeps the pipe open.
const linger = 2 * time.Second

// run runs a job to its end and returns how it ended: nil, or exec's error. When
// ctx ends the job's whole process group is interrupted, and killed after the
// grace. Nothing of the group outlives the job.
func (j job) run(ctx context.Context) error {
	// Where the system ends a child with the thread that made it, the thread must
	// not end before.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command(j.argv[0], j.argv[1:]...) //nolint:gosec,noctx // what the worker was made for; ended below, by its group
	cmd.Dir, cmd.Env = j.dir, j.env
	ownGroup(cmd)
	pipes, err := j.connect(cmd)
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return errors.Join(err, pipes.abandon())
	}
	pipes.begin()
	stop := j.watch(ctx, cmd)
	err = cmd.Wait()
	stop()
	killGroup(cmd)
	pipes.end()
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil // it ended well, without reading all of its input
	}
	return err
}

// watch ends the group when ctx ends. What it returns stops the watch and waits
// for it.
func (j job) watch(ctx context.Context, cmd *exec.Cmd) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		select {
		case <-done:
			return
		case <-ctx.Done():
		}
		select {
		case <-done: // at the same moment: there is no group any more
			return
		default:
		}
		interruptGroup(cmd)
		timer := time.NewTimer(j.grace)
		defer timer.Stop()
		select {
		case <-done:
		case <-timer.C:
			killGroup(cmd)
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}

// pipes carry what a command writes. They are files, so that waiting for the
// command does not wait for whoever else has them.
type pipes struct {
	read, write []*os.File
	to          []io.Writer
	wg          sync.WaitGroup
}

func (j job) connect(cmd *exec.Cmd) (*pipes, error) {
	if j.stdin != "" {
		cmd.Stdin = strings.NewReader(j.stdin)
		// Who does not read its input is not waited for.
		cmd.WaitDelay = linger
	}
	p := &pipes{to: []io.Writer{j.stdout, j.stderr}}
	for range p.to {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, errors.Join(err, p.abandon())
		}
		p.read, p.write = append(p.read, r), append(p.write, w)
	}
	cmd.Stdout, cmd.Stderr = p.write[0], p.write[1]
	return p, nil
}

// begin reads, once the command has its own ends.
func (p *pipes) begin() {
	for i, r := range p.read {
		_ = p.write[i].Close() // the command has a copy
		p.wg.Go(func() { _, _ = io.Copy(p.to[i], r) })
	}
}

// end reads what is left, for as long as anything can come of it.
func (p *pipes) end() {
	for _, r := range p.read {
		_ = r.SetReadDeadline(time.Now().Add(linger))
	}
	p.wg.Wait()
	for _, r := range p.read {
		_ = r.Close() // read to its end, or given up
	}
}

func (p *pipes) abandon() error {
	var errs []error
	for _, f := range append(p.read, p.write...) {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}
