// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"
	"pgregory.net/rapid"

	"github.com/lambdatest-operator/lambdatest-operator/test/controlplane"
	"github.com/lambdatest-operator/lambdatest-operator/test/simulation/apiserver"
)

const (
	// sequencesVariable asks for that many sequences with a random seed; without it there are defaultSequences with a fixed one, so that
	// `make test` fails because of a change and not by chance.
	sequencesVariable = "APISERVER_SEQUENCES"
	defaultSequences  = "60"
	defaultSeed       = "7"
	longestSequence   = 40
	root              = "../../.."
	admin             = "admin"
	operator          = "system:serviceaccount:lambdatest-operator-system:lambdatest-operator"
)

// TestDifferences sends random sequences of requests to a real API server and to the one in memory, and compares answers and watches. A
// sequence ends at its first deviation. It fails for each that is not in the table of known ones, and prints the shortest sequence to it.
func TestDifferences(t *testing.T) {
	real, memory := realSide(t), memorySide(t)
	configureRapid(t)
	number := 0
	rapid.Check(t, func(rt *rapid.T) {
		number++
		run := &comparison{ctx: t.Context(), rt: rt, sides: [2]*side{real, memory}, namespace: fmt.Sprintf("n%d", number)}
		run.begin()
		defer run.end()
		for range rapid.IntRange(1, longestSequence).Draw(rt, "steps") {
			if !run.compare(drawStep(rt)) {
				return
			}
		}
		run.compareWatches()
	})
	t.Logf("%d requests, known deviations met: %v", real.requests, known.met())
}

func configureRapid(t *testing.T) {
	t.Helper()
	settings := map[string]string{"rapid.checks": defaultSequences, "rapid.seed": defaultSeed, "rapid.nofailfile": "true"}
	if sequences := os.Getenv(sequencesVariable); sequences != "" {
		settings["rapid.checks"], settings["rapid.seed"] = sequences, "0"
	}
	for name, value := range settings {
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
}

func realSide(t *testing.T) *side {
	t.Helper()
	plane, err := controlplane.Start(t.Context(), controlplane.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(plane.Stop)
	if err := plane.InstallCRDs(filepath.Join(root, "config", "crd", "bases")); err != nil {
		t.Fatal(err)
	}
	if err := plane.Apply(t.Context(), filepath.Join(root, "config", "policy")); err != nil {
		t.Fatal(err)
	}
	s := &side{name: "real", clients: map[string]*http.Client{}, base: plane.Config().Host}
	for _, user := range []string{admin, operator} {
		config, err := plane.ConfigFor(user, "system:masters")
		if err != nil {
			t.Fatal(err)
		}
		if s.clients[user], err = rest.HTTPClientFor(config); err != nil {
			t.Fatal(err)
		}
	}
	s.awaitPolicy(t)
	s.awaitWatches(t)
	return s
}

// awaitWatches returns when each definition can be watched, which a real server answers 429 until its cache is filled.
func (s *side) awaitWatches(t *testing.T) {
	t.Helper()
	for _, kind := range []testKind{users, groups, organizations} {
		watch := step{user: admin, method: http.MethodGet, path: kind.path, query: "watch=1&resourceVersion=0&timeoutSeconds=1"}
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
			answer, err := s.do(t.Context(), watch, "default")
			if err == nil && answer.code == http.StatusOK {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s cannot be watched: %+v %v", kind.path, answer, err)
			}
		}
	}
}

// awaitPolicy returns when the policy is enforced, which takes about a second; by then the definitions are old enough for creates, too.
func (s *side) awaitPolicy(t *testing.T) {
	t.Helper()
	s.forget()
	probe := step{user: admin, method: http.MethodPost, path: users.path, query: "dryRun=All", kind: users, name: "scim-probe", base: fromTemplate}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		answer, err := s.do(t.Context(), probe, "default")
		if err == nil && answer.code == http.StatusForbidden {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the policy is not enforced: %+v %v", answer, err)
		}
	}
}

func memorySide(t *testing.T) *side {
	t.Helper()
	server, err := apiserver.New(apiserver.Options{
		CRDDir:     filepath.Join(root, "config", "crd", "bases"),
		PolicyFile: filepath.Join(root, "config", "policy", "operator_owned.yaml"),
	})
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	return &side{name: "memory", clients: map[string]*http.Client{admin: http.DefaultClient, operator: http.DefaultClient}, base: listener.URL}
}

// comparison is one sequence.
type comparison struct {
	ctx       context.Context
	rt        *rapid.T
	sides     [2]*side
	namespace string
	steps     []step
	stop      context.CancelFunc
}

func (c *comparison) begin() {
	ctx, stop := context.WithCancel(c.ctx)
	c.stop = stop
	plans := rapid.SliceOfN(rapid.SampledFrom(watchPlans), 1, 2).Draw(c.rt, "watches")
	for _, s := range c.sides {
		s.forget()
		create := step{user: admin, method: http.MethodPost, path: "/api/v1/namespaces", body: fmt.Sprintf(`{"metadata":{"name":%q}}`, c.namespace)}
		if answer, err := s.do(ctx, create, c.namespace); err != nil || answer.code != http.StatusCreated {
			c.rt.Fatalf("%s does not create the namespace: %v %v", s.name, answer, err)
		}
		for _, plan := range plans {
			if err := s.watch(ctx, plan, c.namespace); err != nil {
				c.rt.Fatalf("%s does not watch: %v", s.name, err)
			}
		}
	}
}

func (c *comparison) end() { c.stop() }

// compare sends a step to both sides; it returns false if they deviate in a known way.
func (c *comparison) compare(next step) bool {
	c.steps = append(c.steps, next)
	answers := [2]answer{}
	for i, s := range c.sides {
		var err error
		if answers[i], err = s.do(c.ctx, next, c.namespace); err != nil {
			c.rt.Fatalf("%s does not answer %s: %v", s.name, next, err)
		}
	}
	return c.same(next, answers[0], answers[1])
}

func (c *comparison) same(next step, real, memory answer) bool {
	difference := cmp.Diff(real, memory, cmp.AllowUnexported(answer{}))
	if difference == "" {
		return true
	}
	if known.explains(next, real, memory) {
		return false
	}
	c.rt.Fatalf("the API server in memory deviates (- real, + memory):\n%s\nafter\n%s", difference, c.story())
	return false
}

func (c *comparison) story() string {
	lines := []string{}
	for _, s := range c.steps {
		lines = append(lines, "  "+s.String())
	}
	return strings.Join(lines, "\n")
}

// compareWatches waits until the real server has sent as many events as the one in memory.
func (c *comparison) compareWatches() {
	real, memory := c.sides[0], c.sides[1]
	time.Sleep(5 * time.Millisecond) // the server in memory sends at once
	for i, stream := range memory.streams {
		expected := stream.count()
		for deadline := time.Now().Add(2 * time.Second); real.streams[i].count() < expected && time.Now().Before(deadline); {
			time.Sleep(2 * time.Millisecond)
		}
		got := [2]answer{real.normalized(real.streams[i]), memory.normalized(stream)}
		if !c.same(step{method: "WATCH", path: stream.plan.path, query: stream.plan.query}, got[0], got[1]) {
			return
		}
	}
}

// TestCompaction compares what follows when etcd has forgotten the past.
func TestCompaction(t *testing.T) {
	server, err := apiserver.New(apiserver.Options{CRDDir: filepath.Join(root, "config", "crd", "bases")})
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server)
	defer listener.Close()
	plane, err := controlplane.Start(t.Context(), controlplane.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer plane.Stop()
	// The watch cache of a definition begins with it; those of Kubernetes' kinds begin with the history of etcd.
	if err := plane.InstallCRDs(filepath.Join(root, "config", "crd", "bases")); err != nil {
		t.Fatal(err)
	}
	client, err := rest.HTTPClientFor(plane.Config())
	if err != nil {
		t.Fatal(err)
	}
	real := &side{name: "real", clients: map[string]*http.Client{admin: client}, base: plane.Config().Host}
	memory := &side{name: "memory", clients: map[string]*http.Client{admin: http.DefaultClient}, base: listener.URL}
	real.forget()
	memory.forget()
	current := real.revision(t)
	if err := plane.CompactEtcd(t.Context(), current); err != nil {
		t.Fatal(err)
	}
	server.Compact()

	const token = "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6Mywic3RhcnQiOiJhXHUwMDAwIn0" // revision 3, key "a\0"
	for _, query := range []string{
		"limit=1&continue=" + token, "resourceVersion=3&resourceVersionMatch=Exact", "resourceVersion=3&limit=1",
		"watch=1&resourceVersion=1&timeoutSeconds=1",
	} {
		s := step{user: admin, method: http.MethodGet, path: users.path, query: query}
		answers := [2]answer{}
		for i, side := range []*side{real, memory} {
			if answers[i], err = side.do(t.Context(), s, "default"); err != nil {
				t.Fatal(err)
			}
		}
		if difference := cmp.Diff(answers[0], answers[1], cmp.AllowUnexported(answer{})); difference != "" {
			t.Errorf("%s (- real, + memory):\n%s", s, difference)
		}
		if text, _ := json.Marshal(answers[1].content); answers[1].code != http.StatusGone && !strings.Contains(string(text), `"code":410`) {
			t.Errorf("%s is answered %d %s, not 410", s, answers[1].code, text)
		}
	}
}
