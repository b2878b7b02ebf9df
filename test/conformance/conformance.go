// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"sync/atomic"
	"time"
)

// requestTimeout bounds one request: providers give up after about as long.
const requestTimeout = 30 * time.Second

// Target is a running endpoint.
type Target struct {
	// BaseURLs of the replicas, with the SCIM path, such as "http://127.0.0.1:8082/scim/v2".
	BaseURLs []string
	// Token is the bearer token of an organization that takes e-mail addresses as userNames.
	Token string
	// Client to use; nil means one without keep-alive limits of its own.
	Client *http.Client

	turn atomic.Uint64
}

// Result is the result of one suite.
type Result struct {
	// Suite is its name.
	Suite string
	// Passed and Failed count requests.
	Passed, Failed int
	// Failures say what was wrong, a sentence each.
	Failures []string
}

// String is the line that `make conformance` prints.
func (r Result) String() string {
	return fmt.Sprintf("%s: %d passed, %d failed", r.Suite, r.Passed, r.Failed)
}

func (r *Result) passed() { r.Passed++ }

func (r *Result) failed(format string, args ...any) {
	r.Failed++
	r.Failures = append(r.Failures, fmt.Sprintf(format, args...))
}

// Run plays Okta's suite, and every transcript (*.json) of a folder in the order of their names. An error means that the transcripts
// cannot be read; what the endpoint does wrong is in the results.
func Run(ctx context.Context, target *Target, transcripts fs.FS) ([]Result, error) {
	results, err := RunTranscripts(ctx, target, transcripts)
	if err != nil {
		return nil, err
	}
	return append([]Result{RunOkta(ctx, target)}, results...), nil
}

// RunTranscripts plays every transcript of a folder, as Run does, and not Okta's suite.
func RunTranscripts(ctx context.Context, target *Target, transcripts fs.FS) ([]Result, error) {
	all, err := readTranscripts(transcripts)
	if err != nil {
		return nil, err
	}
	var results []Result
	for _, t := range all {
		results = append(results, t.play(ctx, target))
	}
	return results, nil
}

// nextURL alternates between the replicas.
func (t *Target) nextURL() string {
	return t.BaseURLs[int(t.turn.Add(1)-1)%len(t.BaseURLs)]
}

func (t *Target) client() *http.Client {
	if t.Client != nil {
		return t.Client
	}
	return http.DefaultClient
}
