// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"cmp"
	"slices"
	"time"
)

// PendingDenial is a denial that LambdaTest has not confirmed: the person can still sign in, or may be able to.
type PendingDenial struct {
	// Since is when the claim that By names denied the person.
	Since time.Time
	By    string
	// warned says that an event was recorded about it.
	warned bool
}

// Await notes that a denial is pending. Record ends it when the person does not stand denied any more.
func (l *Census) Await(user string, denial PendingDenial) {
	l.mu.Lock()
	defer l.mu.Unlock()
	denial.warned = l.pending[user].warned
	l.pending[user] = denial
}

// Warn says, once for each pending denial, that an event is due.
func (l *Census) Warn(user string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	denial, pending := l.pending[user]
	if !pending || denial.warned {
		return false
	}
	denial.warned = true
	l.pending[user] = denial
	return true
}

// Overdue lists the denials that have been pending for DenialOverdue, the oldest first. It returns when the next one will be overdue; zero is
// that none is pending.
func (l *Census) Overdue(now time.Time) (overdue []PendingDenial, next time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, denial := range l.pending {
		left := denial.Since.Add(DenialOverdue).Sub(now)
		switch {
		case left <= 0:
			overdue = append(overdue, denial)
		case next == 0 || left < next:
			next = left
		}
	}
	slices.SortFunc(overdue, func(a, b PendingDenial) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.By, b.By)) })
	return overdue, next
}
