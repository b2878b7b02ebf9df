// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
)

// trace is what happened in a run, to read after a failure.
type trace struct {
	began time.Time
	mu    sync.Mutex
	lines []line
}

// line is one thing that happened.
type line struct {
	at              promises.Moment
	who, whom, what string
}

func (l line) String() string {
	return fmt.Sprintf("%12s  %-11s %-34s %s", l.at, l.who, l.whom, l.what)
}

func (t *trace) add(who, whom, format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, line{time.Since(t.began), who, whom, fmt.Sprintf(format, args...)})
}

// timeline is the trace with requests, versions and calls beside it, in the order of time.
func (w *World) timeline() []line {
	w.trace.mu.Lock()
	lines := slices.Clone(w.trace.lines)
	w.trace.mu.Unlock()
	for _, o := range w.parties.Users.All() {
		lines = append(lines, line{o.Call, "SCIM", o.Subject, fmt.Sprintf("%+v -> %+v at %s", o.In, o.Out, until(o.Return))})
	}
	for _, o := range w.parties.Groups.All() {
		lines = append(lines, line{o.Call, "SCIM", o.Subject, fmt.Sprintf("%+v -> %+v at %s", o.In, o.Out, until(o.Return))})
	}
	people, groups := w.recorded()
	for _, v := range slices.Concat(people, groups) {
		lines = append(lines, line{v.At, "resource", v.Subject, fmt.Sprintf("%s generation %d denies %v role %q members %d deleting %v gone %v: %s %s",
			v.Name, v.Generation, v.Denies, cmp.Or(v.Role, v.Roles), len(v.Members), v.Deleting, v.Gone, v.Ready.Reason, v.Ready.Message)})
	}
	for _, t := range w.tenants {
		for _, call := range t.LambdaTest.Calls() {
			if call.Method != "GET" {
				lines = append(lines, line{call.Time.Sub(w.began), "call", t.Name, fmt.Sprintf("%s %s %s -> %d %s", call.Method, call.Path, call.Body, call.Status, call.Fault)})
			}
		}
	}
	for subject, changes := range w.changes() {
		for _, c := range changes {
			lines = append(lines, line{c.At, "account", subject, fmt.Sprintf("active %v role %s by %q lost %v", c.After.Active, c.After.Role, c.Call, c.Lost)})
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.at, b.at) })
	return lines
}

func until(at promises.Moment) string {
	if at == promises.Forever {
		return "no time"
	}
	return at.String()
}

// write prints the lines that concern a subject, or all when it is empty. Faults, replicas and leaders concern everybody.
func write(to io.Writer, lines []line, subject string) {
	organization := promises.OrganizationOf(subject)
	for _, l := range lines {
		general := slices.Contains([]string{"event", "fault", "replica", "leader"}, l.who)
		if subject == "" || general || l.whom == subject || l.whom == organization && l.who != "call" || l.who == "call" && strings.Contains(l.what, personOf(subject)) {
			fmt.Fprintln(to, l)
		}
	}
}

// personOf is the second part of a subject.
func personOf(subject string) string {
	return strings.TrimPrefix(subject, promises.OrganizationOf(subject)+"/")
}
