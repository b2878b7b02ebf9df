// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package parties

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestWhatIsKnownOfARequestFollowsFromItsAnswer(t *testing.T) {
	cases := map[string]struct {
		status int
		body   string
		want   error
	}{
		"done":                  {status: http.StatusOK, body: `{"active": true}`},
		"refused":               {status: http.StatusNotFound, body: `{"detail": "no"}`},
		"a wrong token":         {status: http.StatusUnauthorized, want: ErrNotSent},
		"too many requests":     {status: http.StatusTooManyRequests, want: ErrNotSent},
		"a failure":             {status: http.StatusServiceUnavailable, want: ErrNoAnswer},
		"an answer cut short":   {status: http.StatusOK, body: `{"active":`, want: ErrNoAnswer},
		"a deletion, no body":   {status: http.StatusNoContent},
		"HTML in place of SCIM": {status: http.StatusOK, body: "<html>", want: ErrNoAnswer},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer secret" || r.Header.Get("If-Match") != `"1"` {
					t.Errorf("sent %v", r.Header)
				}
				w.Header().Set("Etag", `"2"`)
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			}))
			defer server.Close()

			reply, err := NewEndpoint(server.URL, server.Client()).Send(t.Context(), "secret", http.MethodPatch, "/Users/1", `"1"`, nil)

			if !errors.Is(err, c.want) || c.want == nil && (err != nil || reply.Status != c.status || reply.Tag != `"2"`) {
				t.Errorf("got %+v, %v, want %v", reply, err, c.want)
			}
		})
	}
}

func TestARequestThatNoReplicaTookHadNoEffect(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()

	_, err := NewEndpoint(server.URL, http.DefaultClient).Send(t.Context(), "secret", http.MethodGet, "/Users/1", "", nil)

	if !errors.Is(err, ErrNotSent) {
		t.Errorf("got %v", err)
	}
}
