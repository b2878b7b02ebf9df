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
)

// version is a version of a resource, as a watch reported it.
type version struct {
	At         moment
	Name       string // namespace and name
	Subject    string // organization and person
	Generation int64
	// Members and Roles are a group's.
	Members map[string]bool
	Roles   string
	// Denies and Counts say how the claim affects active. A claim that is being deleted does not count.
	Denies, Counts bool
	// Gone is true for the deletion of the resource.
	Gone bool
}

// claims records the versions of resources about people, in the order of the API server.
type claims struct {
	run *run

	mu       sync.Mutex
	versions []version
	groups   []version // Subject is the organization alone
}

func (c *claims) all() (people, groups []version) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.versions), slices.Clone(c.groups)
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
			c.compare(from)
		}
		if last != "" {
			if watcher, err := clients.Watch(ctx, from, &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: last}}); err == nil {
				last = c.drain(watcher, last)
			}
		}
		pause(ctx, pollInterval/4)
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
		c.note(object, event.Type == watch.Deleted)
	}
	return last
}

// compare records the listed resources, and the deletion of those that are missing.
func (c *claims) compare(list client.ObjectList) {
	there := map[string]bool{}
	for _, object := range objectsIn(list) {
		there[nameOf(object)] = true
		c.note(object, false)
	}
	_, users := list.(*v1alpha1.LambdaTestUserList)
	c.mu.Lock()
	defer c.mu.Unlock()
	noted := &c.groups
	if users {
		noted = &c.versions
	}
	for name, v := range latest(*noted) {
		if !there[name] && !v.Gone {
			v.At, v.Gone, v.Counts, v.Denies, v.Members, v.Roles = c.run.now(), true, false, false, nil, ""
			*noted = append(*noted, v)
		}
	}
}

func latest(versions []version) map[string]version {
	last := map[string]version{}
	for _, v := range versions {
		last[v.Name] = v
	}
	return last
}

func nameOf(object client.Object) string { return object.GetNamespace() + "/" + object.GetName() }

func (c *claims) note(object client.Object, gone bool) {
	v := version{
		At: c.run.now(), Name: nameOf(object), Generation: object.GetGeneration(), Gone: gone,
		Counts: !gone && object.GetDeletionTimestamp().IsZero(),
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch object := object.(type) {
	case *v1alpha1.LambdaTestUser:
		v.Subject = object.Spec.OrganizationRef.Name + "/" + v1alpha1.FoldUserName(object.Spec.UserName)
		v.Denies = v.Counts && object.IsDenial()
		c.versions = append(c.versions, v)
	case *v1alpha1.LambdaTestGroup:
		v.Subject = object.Spec.OrganizationRef.Name
		if v.Counts {
			v.Roles, v.Members = fmt.Sprint(object.Spec.Roles), map[string]bool{}
			for _, member := range object.Spec.Members {
				v.Members[v1alpha1.FoldUserName(member)] = true
			}
		}
		c.groups = append(c.groups, v)
	}
}

// replicaWatch knows which replica leads and which ones serve, from their own answers.
type replicaWatch struct {
	run *run

	mu      sync.Mutex
	serving []int
	leader  int // -1 when nobody leads
	ballot  ballot
	since   moment
	terms   []period // Whom is the leading replica; empty when nobody led
}

// pollInterval is the precision of times without a leader.
const pollInterval = 200 * time.Millisecond

func newReplicaWatch(r *run) *replicaWatch {
	return &replicaWatch{run: r, leader: -1, ballot: ballot{saidBy: make([]int, replicas)}}
}

func (w *replicaWatch) follow(ctx context.Context) {
	for ctx.Err() == nil {
		w.look(ctx)
		pause(ctx, pollInterval)
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
		w.since = w.run.now()
		w.leader = leader
	}
}

// endTerm records the replica that led until now. The caller holds the lock.
func (w *replicaWatch) endTerm() {
	now := w.run.now()
	w.terms = append(w.terms, period{From: w.since, To: now, What: "leader", Whom: w.leaderName()})
	w.since = now
}

func (w *replicaWatch) leaderName() string {
	if w.leader < 0 {
		return ""
	}
	return w.run.env.Replicas[w.leader].Name()
}

// history returns which replica led when, until now.
func (w *replicaWatch) history() []period {
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
