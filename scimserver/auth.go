// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/token"
)

// gate decides who may ask, and how often.
type gate struct {
	tokens *token.Loader
	now    func() time.Time
	// perToken bounds what a provider sends; failed bounds guesses. A valid token is never measured against failed: whoever shares an
	// address with a guesser, behind a proxy for example, is not locked out.
	perToken *limiters
	failed   *limiters
}

func newGate(tokens *token.Loader, now func() time.Time, limits Limits) *gate {
	return &gate{
		tokens:   tokens,
		now:      now,
		perToken: newLimiters(rate.Limit(limits.RequestsPerSecond), limits.RequestBurst, failedAddresses),
		failed:   newLimiters(rate.Limit(float64(limits.FailedAttempts)/60), limits.FailedAttempts, failedAddresses),
	}
}

// admit returns the grant of the request's bearer token (RFC 6750).
func (g *gate) admit(r *http.Request) (*token.Grant, error) {
	now := g.now()
	token, presented := bearerToken(r)
	if found := g.tokens.Find(token); presented && found != nil {
		if wait, ok := g.perToken.allow(string(found.Token.Digest[:]), now); !ok {
			return found, problem.Later(http.StatusTooManyRequests, wait, "too many requests with this token: %g a second are allowed", float64(g.perToken.limit))
		}
		return found, nil
	}
	if wait, ok := g.failed.allow(clientNetwork(r), now); !ok {
		return nil, problem.Later(http.StatusTooManyRequests, wait, "too many requests without a valid token from this address")
	}
	if presented && !g.tokens.Complete() {
		return nil, problem.Later(http.StatusServiceUnavailable, retryAfter, "the operator is starting, and has not read every token yet: try again")
	}
	return nil, unauthorized(r.Header.Get("Authorization") != "")
}

// unauthorized names an error in its challenge only if the client presented something: RFC 6750, section 3.1.
func unauthorized(presented bool) error {
	challenge := `Bearer realm="scim"`
	if presented {
		challenge += `, error="invalid_token"`
	}
	p := problem.New(http.StatusUnauthorized, "", "the bearer token is missing, unknown, expired or in conflict. It is a token from the Secret "+
		"<organization>-scim-token in the cluster (kubectl lambdatest token list), not the one that LambdaTest gave, and the word Bearer is not part of it")
	p.Header = http.Header{"Www-Authenticate": {challenge}}
	return p
}

// bearerToken reads the Authorization header; the scheme is matched without regard to case (RFC 9110, section 11.1).
func bearerToken(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}

func clientAddress(r *http.Request) string {
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return address.Addr().Unmap().String()
}

// clientNetwork is what failed attempts are counted by: an IPv6 client has a /64 to itself and is counted as one.
func clientNetwork(r *http.Request) string {
	address, err := netip.ParseAddr(clientAddress(r))
	if err != nil || address.Is4() {
		return clientAddress(r)
	}
	network, err := address.WithZone("").Prefix(64)
	if err != nil {
		return clientAddress(r)
	}
	return network.String()
}
