// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/go-logr/logr"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

// prepare sets what is global in the process, once.
var prepare = sync.OnceFunc(func() {
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	// The other default handler remembers a time outside of the bubble, and sleeps until the bubble's clock has reached it: for years.
	utilruntime.ErrorHandlers = nil
	// A replica adapts the garbage collection of its process unless this is set.
	if os.Getenv("GOGC") == "" {
		_ = os.Setenv("GOGC", "200")
		debug.SetGCPercent(200)
	}
})

// Bubble runs f in a bubble, where the clock moves when everything waits. It returns the goroutines that are left at the end and that are not
// known to be left by a library.
func Bubble(t *testing.T, what string, f func(t *testing.T)) (leaks []string) {
	t.Helper()
	prepare()
	dog := newWatchdog(what)
	defer dog.stop()
	bubble := ""
	defer func() {
		switch reason := recover(); {
		case reason == nil:
		case strings.Contains(fmt.Sprint(reason), "main bubble goroutine has exited"):
			leaks = unknownLeaks(goroutines(bubble))
		default:
			panic(reason)
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		bubble = ownBubble()
		dog.beating(t)
		f(t)
	})
	return nil
}

var bubblePattern = regexp.MustCompile(`synctest bubble (\d+)`)

// ownBubble is the number of the bubble that this goroutine is in.
func ownBubble() string {
	header := make([]byte, 256)
	header = header[:runtime.Stack(header, false)]
	if found := bubblePattern.FindSubmatch(header); found != nil {
		return string(found[1])
	}
	return ""
}

// goroutines are the stacks of a bubble's goroutines.
func goroutines(bubble string) []string {
	stacks := make([]byte, 1<<20)
	for {
		n := runtime.Stack(stacks, true)
		if n < len(stacks) {
			stacks = stacks[:n]
			break
		}
		stacks = make([]byte, 2*len(stacks))
	}
	return slices.DeleteFunc(strings.Split(string(stacks), "\n\n"), func(stack string) bool {
		header, _, _ := strings.Cut(stack, "\n")
		found := bubblePattern.FindStringSubmatch(header)
		return found == nil || found[1] != bubble || strings.Contains(stack, "internal/synctest.Run(")
	})
}

// knownLeaks are goroutines that libraries leave behind, by what their stack contains.
var knownLeaks = []string{
	// client-go interrupts a watch of metadata without reading its last event.
	"k8s.io/apimachinery/pkg/watch.(*filteredWatch).loop",
}

func unknownLeaks(stacks []string) []string {
	return slices.DeleteFunc(stacks, func(stack string) bool {
		return slices.ContainsFunc(knownLeaks, func(known string) bool { return strings.Contains(stack, known) })
	})
}
