// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

func BenchmarkRenderKeptUser(b *testing.B) {
	view, dst := indexedUser{shown(), newRenderings()}, make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		dst = view.appendWhole(dst[:0])
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
