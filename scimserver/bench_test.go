// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"fmt"
	"net/http"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/index"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/token"
)

func BenchmarkRenderKeptUser(b *testing.B) {
	view, dst := indexedUser{shown(), newRenderings()}, make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		dst = view.appendWhole(dst[:0])
	}
}

var initech = types.NamespacedName{Namespace: "ns", Name: "initech"}

// hundredThousand is a server whose index has 100 000 users, and a request of their organization.
func hundredThousand() (*Server, *request) {
	s := &Server{rendered: newRenderings()}
	s.index = index.New(s.rendered.forget)
	for i := range 100_000 {
		user := &v1alpha1.LambdaTestUser{ObjectMeta: metav1.ObjectMeta{
			Namespace: initech.Namespace, Name: fmt.Sprintf("scim-%026d", i), ResourceVersion: "5",
			Labels: map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM}, CreationTimestamp: metav1.Unix(int64(i/100), 0),
		}}
		user.Spec.OrganizationRef.Name = initech.Name
		user.Spec.UserName = fmt.Sprintf("person.%d@example.com", i)
		user.Spec.Name = v1alpha1.PersonName{GivenName: "Ada", FamilyName: fmt.Sprintf("Lovelace%d", i)}
		s.index.StoreUser(user, true)
	}
	organization := &v1alpha1.LambdaTestOrganization{}
	organization.Namespace, organization.Name = initech.Namespace, initech.Name
	return s, &request{Request: &http.Request{Header: http.Header{}}, grant: &token.Grant{Organization: organization}, base: "http://x/scim/v2"}
}

func BenchmarkList100000(b *testing.B) {
	s, r := hundredThousand()
	last := cursor{position: index.PositionOf(s.index.Users(initech).All()[99_899])}.encode(initech, "/Users ")
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
