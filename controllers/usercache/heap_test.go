// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package usercache

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// maxUserBytes is what the largest user that the schema admits takes in the cache.
const maxUserBytes = 24 << 10

func TestTheLargestUserTakesABoundedAmountOfMemory(t *testing.T) {
	const users = 200
	took := heapOf(func() any {
		all := make([]*v1alpha1.LambdaTestUser, users)
		for i := range all {
			all[i] = compacted(t, largestUser(i))
		}
		return all
	}) / users
	t.Logf("%d bytes for the largest user", took)
	if took > maxUserBytes {
		t.Errorf("%d bytes for the largest user, at most %d", took, maxUserBytes)
	}
}

// A group of no organization costs the cache next to nothing, however many members it names.
func TestAGroupWithoutOrganizationTakesLittleMemory(t *testing.T) {
	const groups, members = 20, 25_000
	whole := heapOf(func() any { return repeat(groups, func() any { return fullGroup(members) }) })
	left := heapOf(func() any { return repeat(groups, func() any { return compactedTwice(t, fullGroup(members)) }) })
	t.Logf("%d bytes for a group of %d members, %d without them", whole/groups, members, left/groups)
	if left > whole/100 {
		t.Errorf("%d of %d bytes are left", left/groups, whole/groups)
	}
}

func repeat(count int, build func() any) (all []any) {
	for range count {
		all = append(all, build())
	}
	return all
}

// largestUser has the longest text that the schema and the controllers admit, of four bytes a character, in every field.
func largestUser(i int) *v1alpha1.LambdaTestUser {
	text := func(name string, characters int) string {
		name = fmt.Sprintf("%d-%s-", i, name)
		return name + strings.Repeat("😀", characters-len(name))
	}
	user := fullUser()
	user.Name, user.Spec.UserName = text("name", 253/4), text("userName", 254)
	user.Spec.OrganizationRef.Name = text("organization", 253)
	user.Spec.Name = v1alpha1.PersonName{GivenName: text("given", 256), FamilyName: text("family", 256)}
	user.Spec.DisplayName, user.Spec.ExternalID, user.Spec.ConcurrencyGroup = text("display", 256), text("external", 256), text("concurrency", 256)
	user.Spec.Emails = nil
	for n := range 10 {
		user.Spec.Emails = append(user.Spec.Emails, v1alpha1.Email{Value: text(fmt.Sprint("email", n), 4096/10/4)})
	}
	user.Status.Account.ConcurrencyGroup, user.Status.Account.Role = text("account", 1100/4), text("role", 1100/4)
	user.Status.Account.GivenName, user.Status.Account.FamilyName = text("first", 1100/4), text("last", 1100/4)
	user.Status.Conditions[0].Message = text("message", 1024/4)
	return user
}

// heapOf is how many bytes what is made keeps.
func heapOf(build func() any) int64 {
	before := heap()
	made := build()
	after := heap()
	runtime.KeepAlive(made)
	return after - before
}

func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
