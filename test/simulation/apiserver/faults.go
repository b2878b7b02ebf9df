// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"net/http"
	"time"
)

// Faults are what the server does wrong, each with a probability from 0 to 1. The zero value is none. They are fair: whatever the server
// answers is what a real one may answer, and an error says that nothing was written, except LostAnswer and Timeout.
type Faults struct {
	// Conflict answers 409 to an update or a patch, as if another writer had been faster.
	Conflict float64
	// TooMany answers 429 with Retry-After: 1.
	TooMany float64
	// Internal answers 500, Unavailable 503.
	Internal, Unavailable float64
	// Timeout answers 504; half of the writes that it hits were carried out.
	Timeout float64
	// LostRequest cuts the connection before the request is carried out, LostAnswer after it was.
	LostRequest, LostAnswer float64
	// Slow delays a request by Delay before it is carried out.
	Slow float64
	// WatchCut ends a watch in place of an event, WatchSlow delays an event by Delay, WatchGone answers the begin of a watch with 410.
	WatchCut, WatchSlow, WatchGone float64
	// PageGone answers 410 to a request for a further page.
	PageGone float64
	// Delay is that of Slow and WatchSlow.
	Delay time.Duration
	// Only says which requests may be hit. All may if it is nil. It must return at once.
	Only func(*http.Request) bool
}

// SetFaults replaces the faults.
func (s *Server) SetFaults(faults Faults) {}
