// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

const token = "a-token"

// noon is the time of the simulator's clock, so that answers are always the same.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func started(t *testing.T, options ...simulator.Option) *simulator.Server {
	t.Helper()
	clock := simulator.Clock(func() time.Time { return noon })
	sim := simulator.Start(append([]simulator.Option{clock, simulator.Token(token)}, options...)...)
	t.Cleanup(sim.Close)
	return sim
}

// answer is the response, with its body as text.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask makes a request as literal text; call is "GET /Users?count=2".
func ask(t *testing.T, sim *simulator.Server, call, body string) answer {
	t.Helper()
	method, path, _ := strings.Cut(call, " ")
	return send(t, method, sim.BaseURL()+path, token, body)
}

// admin makes a request outside of the API, without a token.
func admin(t *testing.T, sim *simulator.Server, call, body string) answer {
	t.Helper()
	method, path, _ := strings.Cut(call, " ")
	return send(t, method, sim.URL()+path, "", body)
}

func send(t *testing.T, method, url, token, body string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

// step is a request and its expected answer. An empty want is not compared.
type step struct {
	call   string
	body   string
	status int
	want   string
}

// play makes the requests of the steps, one after the other, against one simulator.
func play(t *testing.T, sim *simulator.Server, steps ...step) {
	t.Helper()
	for _, s := range steps {
		got := ask(t, sim, s.call, s.body)
		if got.status != s.status {
			t.Fatalf("%s %s\nanswered %d, want %d: %s", s.call, s.body, got.status, s.status, got.body)
		}
		if s.want != "" {
			sameJSON(t, s.call, s.want, got.body)
		}
	}
}

func sameJSON(t *testing.T, what, want, got string) {
	t.Helper()
	var wanted, gotten any
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		t.Fatalf("the expected answer is not JSON: %v", err)
	}
	if err := json.Unmarshal([]byte(got), &gotten); err != nil {
		t.Fatalf("%s: the answer is not JSON: %s", what, got)
	}
	if diff := cmp.Diff(wanted, gotten); diff != "" {
		t.Errorf("%s: unexpected answer (-want +got):\n%s", what, diff)
	}
}
