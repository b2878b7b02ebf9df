// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net/http"
	"path"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

const (
	idleSweeps         = 10
	afterRestartSweeps = 4
	// quietLead is time for writes right after everything agrees, such as the counts in an organization's status.
	quietLead = 8 * time.Second
	// sweepPatience is how long to wait for one sweep: sweeps whose lists cannot be believed come less often.
	sweepPatience = 2500 * time.Millisecond
)

// quietly waits for some sweeps. Meanwhile nothing may be written, at LambdaTest or in the API server.
func (s *story) quietly(ctx context.Context, sweeps int) error {
	s.settle(ctx)
	pause(ctx, quietLead)
	before, err := s.snapshot(ctx)
	if err != nil {
		return err
	}
	calls := len(s.LambdaTest.Calls())
	s.awaitSweeps(ctx, sweeps)
	after, err := s.snapshot(ctx)
	if err != nil {
		return err
	}
	s.compareVersions(before, after)
	s.checkWrites(after, s.LambdaTest.Calls()[calls:])
	return nil
}

// awaitSweeps waits until that many further sweeps have begun, or for as long as they may take.
func (s *story) awaitSweeps(ctx context.Context, sweeps int) {
	from := s.sweeps()
	for deadline := time.Now().Add(time.Duration(sweeps+1) * sweepPatience); time.Now().Before(deadline) && ctx.Err() == nil; {
		if s.sweeps() > from+sweeps {
			return
		}
		pause(ctx, sweepInterval/4)
	}
}

// sweeps counts the lists of all accounts that began.
func (s *story) sweeps() int {
	begun := 0
	for _, call := range s.LambdaTest.Calls() {
		if call.Route == "GET /Users" && call.Query.Get("startIndex") == "1" && !call.Query.Has("filter") {
			begun++
		}
	}
	return begun
}

// trying are the people for whom the operator says that it tries again by itself what LambdaTest sets back or refuses.
func (shot *snapshot) trying() map[string]bool {
	people := map[string]bool{}
	for i := range shot.users {
		user := &shot.users[i]
		ready := meta.FindStatusCondition(user.Status.Conditions, v1alpha1.ReadyCondition)
		if ready != nil && (ready.Reason == v1alpha1.SetBackReason || ready.Reason == v1alpha1.UpstreamRejectedReason) {
			people[v1alpha1.FoldUserName(user.Spec.UserName)] = true
		}
	}
	return people
}

// checkWrites looks for calls that wrote something at LambdaTest. A refused call wrote nothing.
func (s *story) checkWrites(shot *snapshot, calls []simulator.Call) {
	trying := shot.trying()
	for _, call := range calls {
		whom := s.ownerOf(path.Base(call.Path))
		if call.Method == http.MethodGet || call.Status >= http.StatusBadRequest || trying[v1alpha1.FoldUserName(whom)] {
			continue
		}
		s.violate("quiet at LambdaTest", whom, "%s %s while nothing changed: %s", call.Method, call.Path, call.Body)
	}
}

// ownerOf is the userName of an account, or the name of a group.
func (s *story) ownerOf(id string) string {
	for _, org := range []*simulator.Org{s.LambdaTest, s.europe} {
		for _, account := range org.Accounts() {
			if account.ID == id {
				return account.UserName
			}
		}
	}
	for _, group := range s.LambdaTest.Groups() {
		if group.ID == id {
			return "group " + group.DisplayName
		}
	}
	return ""
}

// compareVersions looks for writes in the API server.
func (s *story) compareVersions(before, after *snapshot) {
	trying := before.trying()
	versions := map[string]string{}
	for _, object := range before.objects() {
		versions[object.GetName()] = object.GetResourceVersion()
	}
	for _, object := range after.objects() {
		if user, ok := object.(*v1alpha1.LambdaTestUser); ok && trying[v1alpha1.FoldUserName(user.Spec.UserName)] {
			continue
		}
		if was := versions[object.GetName()]; was != object.GetResourceVersion() {
			s.violate("quiet in the API server", object.GetName(), "the resource was written while nothing changed: %s", conditionsOf(object))
		}
	}
}

func (shot *snapshot) objects() []client.Object {
	objects := []client.Object{&shot.organization}
	for i := range shot.users {
		objects = append(objects, &shot.users[i])
	}
	for i := range shot.groups {
		objects = append(objects, &shot.groups[i])
	}
	return objects
}
