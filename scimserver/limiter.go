// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiters hand out one rate limiter per name, and forget the oldest beyond a number of names.
type limiters struct {
	limit rate.Limit
	burst int
	most  int

	mu     sync.Mutex
	byName map[string]*allowance
	names  []string // in the order of first use: a ring
	next   int
}

// allowance is what is left to a name, and how often it was refused since it was last allowed.
type allowance struct {
	*rate.Limiter
	refused int
}

func newLimiters(limit rate.Limit, burst, most int) *limiters {
	return &limiters{limit: limit, burst: burst, most: most, byName: map[string]*allowance{}}
}

// allow takes one from the name's budget, or says how long until there is one again.
func (l *limiters) allow(name string, now time.Time) (wait time.Duration, ok bool) {
	_, wait, ok = l.take(name, now)
	return wait, ok
}

// sample does the same for a line of the log, and says how many were left out since the last one.
func (l *limiters) sample(name string, now time.Time) (leftOut int, ok bool) {
	leftOut, _, ok = l.take(name, now)
	return leftOut, ok
}

func (l *limiters) take(name string, now time.Time) (refusedBefore int, wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.of(name)
	if !of.AllowN(now, 1) {
		of.refused++
		return 0, time.Duration((1 - of.TokensAt(now)) / float64(l.limit) * float64(time.Second)), false
	}
	refusedBefore, of.refused = of.refused, 0
	return refusedBefore, 0, true
}

func (l *limiters) of(name string) *allowance {
	if known, ok := l.byName[name]; ok {
		return known
	}
	fresh := &allowance{Limiter: rate.NewLimiter(l.limit, l.burst)}
	l.byName[name] = fresh
	if len(l.names) < l.most {
		l.names = append(l.names, name)
		return fresh
	}
	delete(l.byName, l.names[l.next])
	l.names[l.next] = name
	l.next = (l.next + 1) % l.most
	return fresh
}
