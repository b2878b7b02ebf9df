// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/filter"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

func BenchmarkParseFilter(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_, _ = filter.Parse(`userName eq "ada@example.com"`)
	}
}

func BenchmarkRenderUser(b *testing.B) {
	view, dst := ada(), make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		dst = userType.Append(dst[:0], view, scim.Projection{})
	}
}

func BenchmarkRenderKeptUser(b *testing.B) {
	view, dst := indexedUser{ada(), newRenderings()}, make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		dst = view.appendWhole(dst[:0])
	}
}

func BenchmarkMatchUser(b *testing.B) {
	parsed, _ := filter.Parse(`name.familyName co "x"`)
	match, _ := userType.Match(parsed)
	view := ada()
	b.ReportAllocs()
	for b.Loop() {
		match(view)
	}
}

func BenchmarkPatchUser(b *testing.B) {
	body, _ := scim.Decode([]byte(deny), 1<<20)
	view := ada()
	b.ReportAllocs()
	for b.Loop() {
		operations, _ := scim.ReadPatch(body)
		_, _, _ = patchUser(operations).on(view.user, userRules{})
	}
}

func BenchmarkPatchGroup10000(b *testing.B) {
	group := &v1alpha1.LambdaTestGroup{Spec: v1alpha1.LambdaTestGroupSpec{DisplayName: "G"}}
	for i := range 10_000 {
		group.Spec.Members = append(group.Spec.Members, fmt.Sprintf("member%d@example.com", i))
	}
	add := patchGroup([]scim.Operation{{Verb: scim.Add, Path: "members", Value: []any{map[string]any{"value": "new"}}}})
	b.ReportAllocs()
	for b.Loop() {
		_, _ = add.on(group, fuzzRules(), func(string) bool { return false })
	}
}

// hundredThousand is a server whose index has 100 000 users, and a request of their organization.
func hundredThousand() (*Server, *request) {
	s := &Server{rendered: newRenderings()}
	s.index = newIndex(s.rendered.forget)
	for i := range 100_000 {
		user := storedUser(fmt.Sprintf("scim-%026d", i), i/100)
		user.Spec.UserName = fmt.Sprintf("person.%d@example.com", i)
		user.Spec.Name = v1alpha1.PersonName{GivenName: "Ada", FamilyName: fmt.Sprintf("Lovelace%d", i)}
		s.index.storeUser(user, true)
	}
	organization := &v1alpha1.LambdaTestOrganization{}
	organization.Namespace, organization.Name = acme.Namespace, acme.Name
	return s, &request{Request: &http.Request{Header: http.Header{}}, grant: &grant{organization: organization}, base: "http://x/scim/v2"}
}

func BenchmarkList100000(b *testing.B) {
	s, r := hundredThousand()
	last := cursor{position: positionOf(s.index.users(acme).all()[99_899])}.encode(acme, "")
	for name, query := range map[string]listQuery{
		"first page": {start: 1, count: 100}, "last page": {start: 99_901, count: 100},
		"first cursor": {hasCursor: true, count: 100}, "last cursor": {hasCursor: true, cursor: last, count: 100},
		"scan": {start: 1, count: 100, filter: `name.familyName co "x"`}, "scan, no match": {start: 1, count: 100, filter: `name.familyName co "77777"`},
		"scan of emails": {start: 1, count: 100, filter: `emails[type eq "work"].value eq "person.777@example.com"`},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := pageReply(r, query, s.users(r)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
