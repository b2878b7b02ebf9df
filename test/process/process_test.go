// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package process_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/test/process"
)

// parentMode makes the test binary act as a parent that starts a child, prints its id and waits to be killed.
const parentMode = "PROCESS_TEST_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(parentMode) == "" {
		os.Exit(m.Run())
	}
	child := process.New(process.Command{Name: "sleep", Path: "sleep", Args: []string{"300"}})
	if err := child.Start(context.Background()); err != nil { //nolint:forbidigo // TestMain has no test context
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(child.PID())
	select {}
}

func TestStartReturnsWhenTheProgramIsReady(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "ready")
	p := process.New(process.Command{
		Name: "sh", Path: "sh", Args: []string{"-c", "touch " + marker + "; exec sleep 300"},
		Ready: func(context.Context) error { _, err := os.Stat(marker); return err },
	})
	t.Cleanup(p.Kill)

	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}

	if _, err := os.Stat(marker); err != nil {
		t.Errorf("Start returned before the program was ready: %v", err)
	}
}

func TestStartQuotesTheLogOfAProgramThatEnds(t *testing.T) {
	p := process.New(process.Command{
		Name: "sh", Path: "sh", Args: []string{"-c", "echo no such flag; exit 3"},
		LogPath: filepath.Join(t.TempDir(), "sh.log"),
		Ready:   func(context.Context) error { return errors.New("not yet") },
	})

	err := p.Start(t.Context())

	if err == nil || !strings.Contains(err.Error(), "no such flag") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("Start() = %v, want an error with the log and the exit status", err)
	}
}

func TestStopEndsTheProgramAndItCanStartAgain(t *testing.T) {
	p := process.New(process.Command{Name: "sleep", Path: "sleep", Args: []string{"300"}})
	t.Cleanup(p.Kill)
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := p.PID()

	p.Stop()
	if alive(first) || p.PID() != 0 {
		t.Errorf("process %d is alive after Stop", first)
	}
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if second := p.PID(); second == first || !alive(second) {
		t.Errorf("process %d does not run after the second Start", second)
	}
}

func TestChildHasAProcessGroupOfItsOwn(t *testing.T) {
	p := process.New(process.Command{Name: "sleep", Path: "sleep", Args: []string{"300"}})
	t.Cleanup(p.Kill)
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}

	group, err := syscall.Getpgid(p.PID())
	if err != nil || group != p.PID() {
		t.Errorf("process group = %d, %v; want %d, so that Ctrl-C does not reach it", group, err, p.PID())
	}
}

func TestChildDiesWithAKilledParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux kills a child when its parent is killed")
	}
	parent := exec.CommandContext(t.Context(), os.Args[0])
	parent.Env = append(os.Environ(), parentMode+"=1")
	output, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(output).ReadString('\n')
	child, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("the parent said %q, want the id of its child", line)
	}

	_ = parent.Process.Kill()
	_ = parent.Wait()

	for deadline := time.Now().Add(10 * time.Second); alive(child); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			_ = syscall.Kill(child, syscall.SIGKILL)
			t.Fatalf("child %d outlived its parent", child)
		}
	}
}

// alive reports whether a process runs; a zombie does not run.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}
