// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"maps"
	"slices"
	"time"

	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
)

const (
	// settleTime is how long resources and LambdaTest may take to agree after the last fault. A person whom LambdaTest refused is tried again
	// after minutes, and a sweep that was about to begin takes its interval.
	settleTime = 30 * time.Minute
	// settlePause is the precision of that measurement.
	settlePause = 15 * time.Second
	// quietTime is how long nothing may be written while nothing changes.
	quietTime = time.Hour
	// guardWindow is how long the guard's limit counts.
	guardWindow = time.Hour
	// sweepBound is the default interval of sweeps, its jitter, and the reading of the list.
	sweepBound = 12 * time.Minute
)

// Judge waits until everything agrees, and then for an hour in which nothing may happen. It returns the promises that the end breaks, and the
// record of the whole run, whose Violations are to be looked for outside of the bubble.
func (w *World) Judge() ([]promises.Violation, *promises.Record) {
	found := w.settle()
	found = append(found, w.quiet()...)
	rest, record := w.judgeRecord()
	return append(found, rest...), record
}

// JudgeSoon is Judge without the hour.
func (w *World) JudgeSoon() ([]promises.Violation, *promises.Record) {
	found := w.settle()
	rest, record := w.judgeRecord()
	return append(found, rest...), record
}

func (w *World) judgeRecord() ([]promises.Violation, *promises.Record) {
	found := w.allServe()
	found = append(found, w.parties.ReadAll(w.ctx, w.organizations())...)
	if s, err := w.snapshot(); err != nil {
		found = append(found, promises.Violation{Check: "settled", Detail: err.Error()})
	} else {
		found = append(found, s.Duplicates()...)
	}
	people, groups := w.recorded()
	record := &promises.Record{
		Users: w.parties.Users.All(), Groups: w.parties.Groups.All(), People: people, GroupVersions: groups, Changes: w.changes(),
		Trouble: w.trouble.All(), Terms: w.termsSoFar(), End: w.Now(), Bounds: promises.Promised(sweepBound),
	}
	found = append(found, promises.Intruded(w.parties.Intrusions.Counts())...)
	return append(found, w.overGuard()...), record
}

// allServe waits until every slot has a replica that serves.
func (w *World) allServe() []promises.Violation {
	for slot := range w.slots {
		for began := time.Now(); !w.serves(slot); w.sleep(time.Second) {
			if time.Since(began) > settleTime {
				return []promises.Violation{{Check: "serves", Whom: w.current(slot).host.Name(), Detail: "does not serve SCIM"}}
			}
		}
	}
	return nil
}

func (w *World) snapshot() (*promises.Snapshot, error) {
	orgs := map[string]*simulator.Org{}
	for _, t := range w.tenants {
		orgs[t.Name] = t.LambdaTest
	}
	return promises.TakeSnapshot(w.ctx, w.cluster, orgs)
}

// settle waits until everything agrees, and returns the differences that remain.
func (w *World) settle() (found []promises.Violation) {
	for began := time.Now(); ; w.sleep(settlePause) {
		s, err := w.snapshot()
		if err != nil {
			return []promises.Violation{{Check: "settled", Detail: "reading everything: " + err.Error()}}
		}
		took := time.Since(began)
		if found = s.Differences(); len(found) == 0 || took > settleTime || w.ctx.Err() != nil {
			w.trace.add("event", "", "settled after %s: %d differences", took, len(found))
			return found
		}
	}
}

// quiet returns what was written while nothing changed.
func (w *World) quiet() []promises.Violation {
	w.sleep(2 * sweepBound) // what is repeated at each sweep has come to its end
	before, writes := w.resourceVersions(), w.upstreamWrites()
	w.sleep(quietTime)
	return append(promises.Moved(before, w.resourceVersions()), promises.Written(w.upstreamWrites()-writes)...)
}

func (w *World) upstreamWrites() int {
	writes := 0
	for _, t := range w.tenants {
		writes += t.LambdaTest.Writes()
	}
	return writes
}

// resourceVersions are those of all users and groups.
func (w *World) resourceVersions() map[string]string {
	versions := map[string]string{}
	for _, resource := range []string{"lambdatestusers", "lambdatestgroups"} {
		for _, object := range w.api.List(schema.GroupResource{Group: v1alpha1.SchemeGroupVersion.Group, Resource: resource}, "") {
			metadata, _ := object["metadata"].(map[string]any)
			versions[fmt.Sprint(resource, "/", metadata["namespace"], "/", metadata["name"])] = fmt.Sprint(metadata["resourceVersion"])
		}
	}
	return versions
}

// recorded are the versions of all users and groups.
func (w *World) recorded() (people, groups []promises.Version) {
	w.mu.Lock()
	writes := slices.Clone(w.versions)
	w.mu.Unlock()
	var versions promises.Versions
	for _, write := range writes {
		content, gone := write.New, write.New == nil
		if gone {
			content = write.Old
		}
		at := write.Time.Sub(w.began)
		if write.Key.Resource.Resource == "lambdatestgroups" {
			versions.Note(at, read[v1alpha1.LambdaTestGroup](content), gone)
		} else {
			versions.Note(at, read[v1alpha1.LambdaTestUser](content), gone)
		}
	}
	return versions.All()
}

// read converts an object of the API server.
func read[T any](content map[string]any) *T {
	object := new(T)
	if err := kruntime.DefaultUnstructuredConverter.FromUnstructured(content, object); err != nil {
		panic(fmt.Errorf("converting what the API server stores: %w", err)) // it was validated
	}
	return object
}

// changes are LambdaTest's records of accounts.
func (w *World) changes() map[string][]promises.AccountChange {
	all := map[string][]promises.AccountChange{}
	for _, t := range w.tenants {
		maps.Copy(all, promises.ChangesOf(t.Name, t.LambdaTest.Changes(), w.began))
	}
	return all
}

// overGuard compares each prune with what the guard lets go within an hour.
func (w *World) overGuard() []promises.Violation {
	w.mu.Lock()
	prunes := slices.Clone(w.prunes)
	w.mu.Unlock()
	var found []promises.Violation
	for _, p := range prunes {
		changes := map[string][]promises.AccountChange{}
		for subject, all := range w.changes() {
			changes[subject] = slices.DeleteFunc(all, func(c promises.AccountChange) bool { return c.At > p.at+guardWindow })
		}
		if !w.approvedBy(p.at + guardWindow) {
			found = append(found, promises.OverGuard(p.tenant.Name, p.tenant.Crew(), changes, p.at)...)
		}
	}
	return found
}

// approvedBy tells whether a person approved what the guard held.
func (w *World) approvedBy(at promises.Moment) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.approvedAt > 0 && w.approvedAt <= at
}
