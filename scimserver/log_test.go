// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver_test

import (
	"fmt"
	"strings"
	"sync"

	"github.com/go-logr/logr"
)

// logLines is a log that can be read.
type logLines struct {
	mu    sync.Mutex
	lines []string
}

func (l *logLines) Init(logr.RuntimeInfo)                 {}
func (l *logLines) Enabled(level int) bool                { return level == 0 }
func (l *logLines) WithValues(...any) logr.LogSink        { return l }
func (l *logLines) WithName(string) logr.LogSink          { return l }
func (l *logLines) Info(_ int, message string, kv ...any) { l.add(message, kv) }
func (l *logLines) Error(err error, message string, kv ...any) {
	l.add(message, append(kv, "error", err))
}

func (l *logLines) add(message string, kv []any) {
	var b strings.Builder
	b.WriteString(message)
	for i := 0; i+1 < len(kv); i += 2 {
		fmt.Fprintf(&b, " %v=%v", kv[i], kv[i+1])
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, b.String())
}

// with returns the lines that hold all of the words.
func (l *logLines) with(words ...string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for _, line := range l.lines {
		all := true
		for _, word := range words {
			all = all && strings.Contains(line, word)
		}
		if all {
			found = append(found, line)
		}
	}
	return found
}
