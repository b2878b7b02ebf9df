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
	byName map[string]*rate.Limiter
	names  []string // in the order of first use: a ring
	next   int
}

func newLimiters(limit rate.Limit, burst, most int) *limiters {
	return &limiters{limit: limit, burst: burst, most: most, byName: map[string]*rate.Limiter{}}
}

// allow takes one from the name's budget, or says how long until there is one again.
func (l *limiters) allow(name string, now time.Time) (wait time.Duration, ok bool) {
	limiter := l.of(name)
	if limiter.AllowN(now, 1) {
		return 0, true
	}
	missing := 1 - limiter.TokensAt(now)
	return time.Duration(missing / float64(l.limit) * float64(time.Second)), false
}

func (l *limiters) of(name string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if limiter, ok := l.byName[name]; ok {
		return limiter
	}
	limiter := rate.NewLimiter(l.limit, l.burst)
	l.byName[name] = limiter
	if len(l.names) < l.most {
		l.names = append(l.names, name)
		return limiter
	}
	delete(l.byName, l.names[l.next])
	l.names[l.next] = name
	l.next = (l.next + 1) % l.most
	return limiter
}
