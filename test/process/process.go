// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// stopTimeout is how long a program may take to end after SIGTERM before it is killed.
	stopTimeout = 15 * time.Second
	// readyInterval is the pause between two readiness checks.
	readyInterval = 50 * time.Millisecond
	// logTailBytes is how much of a program's log an error quotes.
	logTailBytes = 4096
)

// Command says what to run.
type Command struct {
	// Name is the name of the program in errors.
	Name string
	// Path and Args are the program and its arguments, without the program's own name.
	Path string
	Args []string
	// Env is the whole environment; nil inherits the parent's.
	Env []string
	// Dir is the working directory; empty is the parent's.
	Dir string
	// LogPath is the file to which output is appended; empty discards it.
	LogPath string
	// Ready returns nil when the program can be used. If Ready is nil, the program can be used as soon as it runs.
	Ready func(context.Context) error
}

// Process is a program that can be started, stopped, killed and started again. It is safe for concurrent use.
type Process struct {
	command Command

	mu      sync.Mutex
	current *run
}

// run is one life of a process.
type run struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// New returns a process that is not started yet.
func New(command Command) *Process {
	return &Process{command: command}
}

// Start runs the program and returns when it is ready. If it ends before, or ctx does, it is killed and the error
// quotes the end of its log. It is an error if the program runs already.
func (p *Process) Start(ctx context.Context) error {
	current, err := p.launch()
	if err != nil {
		return fmt.Errorf("starting %s: %w", p.command.Name, err)
	}
	if err := current.waitReady(ctx, p.command.Ready); err != nil {
		current.end(syscall.SIGKILL)
		return fmt.Errorf("starting %s: %w%s", p.command.Name, err, logTail(p.command.LogPath))
	}
	return nil
}

// Stop asks the program to end (SIGTERM), kills it after 15 seconds, and returns when it has ended.
// If the program does not run, Stop does nothing.
func (p *Process) Stop() {
	if current := p.running(); current != nil {
		current.end(syscall.SIGTERM)
	}
}

// Kill ends the program as a crash would (SIGKILL), and returns when it has ended.
func (p *Process) Kill() {
	if current := p.running(); current != nil {
		current.end(syscall.SIGKILL)
	}
}

// Restart kills the program and starts it again with the same arguments.
func (p *Process) Restart(ctx context.Context) error {
	p.Kill()
	return p.Start(ctx)
}

// Signal sends a signal, SIGSTOP and SIGCONT for example, to the program.
func (p *Process) Signal(signal syscall.Signal) error {
	current := p.running()
	if current == nil {
		return fmt.Errorf("signalling %s: %w", p.command.Name, os.ErrProcessDone)
	}
	if err := current.cmd.Process.Signal(signal); err != nil {
		return fmt.Errorf("signalling %s: %w", p.command.Name, err)
	}
	return nil
}

// WaitReady waits until the running program is ready. It returns an error if the program or ctx ends before.
func (p *Process) WaitReady(ctx context.Context) error {
	current := p.running()
	if current == nil {
		return fmt.Errorf("waiting for %s: %w", p.command.Name, os.ErrProcessDone)
	}
	if err := current.waitReady(ctx, p.command.Ready); err != nil {
		return fmt.Errorf("waiting for %s: %w", p.command.Name, err)
	}
	return nil
}

// PID is the program's process id, 0 when it does not run.
func (p *Process) PID() int {
	if current := p.running(); current != nil {
		return current.cmd.Process.Pid
	}
	return 0
}

// Ended returns a channel that is closed when the current run of the program ends, for any reason. For a program
// that was never started, it is closed.
func (p *Process) Ended() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == nil {
		ended := make(chan struct{})
		close(ended)
		return ended
	}
	return p.current.ended
}

// Name is the name of the program in errors.
func (p *Process) Name() string {
	return p.command.Name
}

// LogPath is the file to which the program's output is appended.
func (p *Process) LogPath() string {
	return p.command.LogPath
}

func (p *Process) running() *run {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == nil || p.current.over() {
		return nil
	}
	return p.current
}

func (p *Process) launch() (*run, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil && !p.current.over() {
		return nil, errors.New("it runs already")
	}
	output, err := openLog(p.command.LogPath)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(p.command.Path, p.command.Args...) //nolint:noctx // the program runs until Stop or Kill, longer than Start's context
	cmd.Env, cmd.Dir = p.command.Env, p.command.Dir
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = attributes()

	current := &run{cmd: cmd, ended: make(chan struct{})}
	if err := current.begin(output); err != nil {
		return nil, err
	}
	p.current = current
	return current, nil
}

// begin starts the program from a thread that stays until the program ends. The kernel kills a child when the thread
// that started it ends, and Go ends a thread when a goroutine that is locked to it returns.
func (r *run) begin(output *os.File) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := r.cmd.Start()
		_ = output.Close() // the child has its own
		started <- err
		if err == nil {
			_ = r.cmd.Wait() // how it ended is in cmd.ProcessState
			close(r.ended)
		}
	}()
	return <-started
}

func (r *run) over() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

func (r *run) waitReady(ctx context.Context, ready func(context.Context) error) error {
	if ready == nil {
		return nil
	}
	ticker := time.NewTicker(readyInterval)
	defer ticker.Stop()
	for {
		notReady := ready(ctx)
		if notReady == nil {
			return nil
		}
		select {
		case <-r.ended:
			return fmt.Errorf("it ended before it was ready: %s", r.cmd.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("%w while it was not ready: %w", ctx.Err(), notReady)
		case <-ticker.C:
		}
	}
}

// end signals the program, and returns when it has ended.
func (r *run) end(signal syscall.Signal) {
	// An error means that the program has ended already; then ended is closed.
	_ = r.cmd.Process.Signal(signal)
	select {
	case <-r.ended:
		return
	case <-time.After(stopTimeout):
	}
	_ = r.cmd.Process.Kill()
	<-r.ended
}

func openLog(path string) (*os.File, error) {
	if path == "" {
		path = os.DevNull
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening its log: %w", err)
	}
	return file, nil
}

func logTail(path string) string {
	if path == "" {
		return ""
	}
	content, err := os.ReadFile(path)
	if err != nil || len(content) == 0 {
		return ""
	}
	if len(content) > logTailBytes {
		content = content[len(content)-logTailBytes:]
	}
	return fmt.Sprintf("\nthe end of %s:\n%s", path, strings.TrimSpace(string(content)))
}
