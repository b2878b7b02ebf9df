// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
	"github.com/lambdatest-operator/lambdatest-operator/test/parties"
	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
)

// claims records the versions of resources about people.
type claims struct {
	run *run
	promises.Versions
}

// follow watches both kinds until ctx ends, also across restarts of the API server.
func (c *claims) follow(ctx context.Context, clients client.WithWatch) {
	var both sync.WaitGroup
	both.Go(func() { c.followKind(ctx, clients, func() client.ObjectList { return &v1alpha1.LambdaTestUserList{} }) })
	both.Go(func() {
		c.followKind(ctx, clients, func() client.ObjectList { return &v1alpha1.LambdaTestGroupList{} })
	})
	both.Wait()
}

// followKind continues where the last watch ended. If the API server no longer has that version, it lists instead; the generation numbers
// show how many changes it missed.
func (c *claims) followKind(ctx context.Context, clients client.WithWatch, list func() client.ObjectList) {
	last := ""
	for ctx.Err() == nil {
		from := list()
		if last == "" && clients.List(ctx, from) == nil {
			last = from.GetResourceVersion()
			c.Missed(c.run.world.Now(), from)
		}
		if last != "" {
			if watcher, err := clients.Watch(ctx, from, &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: last}}); err == nil {
				last = c.drain(watcher, last)
			}
		}
		parties.Pause(ctx, pollInterval/4)
	}
}

// drain records the events of a watch, and returns the resourceVersion to continue from; "" if the API server no longer has it.
func (c *claims) drain(watcher watch.Interface, last string) string {
	defer watcher.Stop()
	for event := range watcher.ResultChan() {
		object, ok := event.Object.(client.Object)
		if !ok {
			return ""
		}
		last = object.GetResourceVersion()
		c.Note(c.run.world.Now(), object, event.Type == watch.Deleted)
	}
	return last
}

// replicaWatch knows which replica leads and which ones serve, from their own answers.
type replicaWatch struct {
	run *run

	mu      sync.Mutex
	serving []int
	leader  int // -1 when nobody leads
	ballot  ballot
	since   promises.Moment
	terms   []promises.Period // Whom is the leading replica; empty when nobody led
}

// pollInterval is the precision of times without a leader.
const pollInterval = 200 * time.Millisecond

func newReplicaWatch(r *run) *replicaWatch {
	return &replicaWatch{run: r, leader: -1, ballot: ballot{saidBy: make([]int, replicas)}}
}

func (w *replicaWatch) follow(ctx context.Context) {
	for ctx.Err() == nil {
		w.look(ctx)
		parties.Pause(ctx, pollInterval)
	}
}

func (w *replicaWatch) look(ctx context.Context) {
	var all sync.WaitGroup
	answers, serves := make([]answer, replicas), make([]bool, replicas)
	for i, replica := range w.run.env.Replicas {
		all.Go(func() { answers[i], serves[i] = ask(ctx, replica) })
	}
	all.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serving = w.serving[:0]
	for i := range serves {
		if serves[i] {
			w.serving = append(w.serving, i)
		}
	}
	if leader := w.ballot.count(answers); leader != w.leader {
		if w.since > 0 || w.leader >= 0 { // the time before the first leader is the start of the environment
			w.endTerm()
		}
		w.since = w.run.world.Now()
		w.leader = leader
	}
}

// endTerm records the replica that led until now. The caller holds the lock.
func (w *replicaWatch) endTerm() {
	now := w.run.world.Now()
	w.terms = append(w.terms, promises.Period{From: w.since, To: now, What: "leader", Whom: w.leaderName()})
	w.since = now
}

func (w *replicaWatch) leaderName() string {
	if w.leader < 0 {
		return ""
	}
	return w.run.env.Replicas[w.leader].Name()
}

// history returns which replica led when, until now.
func (w *replicaWatch) history() []promises.Period {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.endTerm()
	return slices.Clone(w.terms)
}

// current is the number of the leader; -1 if there is none.
func (w *replicaWatch) current() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.leader
}

// ready returns the replicas that are ready to serve.
func (w *replicaWatch) ready() []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.serving)
}

var leads = regexp.MustCompile(`(?m)^leader_election_master_status\{[^}]*\} 1$`)

func ask(ctx context.Context, replica *environment.Replica) (leading answer, serving bool) {
	pid := replica.PID()
	if pid == 0 {
		return answer{}, false
	}
	page, err := fetch(ctx, replica.MetricsURL)
	_, notReady := fetch(ctx, replica.HealthURL+"/readyz")
	return answer{pid: pid, heard: err == nil, leads: err == nil && leads.MatchString(page)}, notReady == nil
}

// answer is a replica's answer about itself; a paused replica gives none.
type answer struct {
	pid          int
	heard, leads bool
}

// ballot knows which replica was elected last. That replica leads as long as it reports so. A replica that was paused until another took
// over also reports so for some seconds, but does not lead.
type ballot struct {
	saidBy  []int // for each replica that reports to lead: its process when it began to report so
	elected int
}

// count returns the number of the leader; -1 if there is none.
func (b *ballot) count(answers []answer) int {
	for i, a := range answers {
		switch {
		case !a.heard:
		case !a.leads:
			b.saidBy[i] = 0
		case b.saidBy[i] != a.pid:
			b.saidBy[i], b.elected = a.pid, i
		}
	}
	if !answers[b.elected].leads {
		return -1
	}
	return b.elected
}

// fetch does not wait for a replica that is paused.
func fetch(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", url, response.Status)
	}
	return string(page), err
}
