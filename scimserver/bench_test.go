// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/index"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/token"
)

var initech = types.NamespacedName{Namespace: "ns", Name: "initech"}

// indexOnly is a server that has nothing but an index, and a request of an organization.
func indexOnly() (*Server, *request) {
	return &Server{index: index.New()}, &request{
		Request: &http.Request{Header: http.Header{}}, grant: grantOf(initech.Name), base: "http://x/scim/v2", answers: newAnswers(),
	}
}

func grantOf(name string) *token.Grant {
	organization := &v1alpha1.LambdaTestOrganization{}
	organization.Namespace, organization.Name = initech.Namespace, name
	return &token.Grant{Organization: organization}
}

func storedMeta(name string, number int) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: initech.Namespace, Name: name, ResourceVersion: "5",
		Labels: map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM}, CreationTimestamp: metav1.Unix(int64(number/100), 0),
	}
}

func (s *Server) storeUser(number int, change ...func(*v1alpha1.LambdaTestUser)) {
	user := &v1alpha1.LambdaTestUser{}
	user.Spec.OrganizationRef.Name = initech.Name
	user.Spec.UserName = fmt.Sprintf("person.%d@example.com", number)
	user.Spec.Name = v1alpha1.PersonName{GivenName: "Ada", FamilyName: fmt.Sprintf("Lovelace%d", number)}
	user.ObjectMeta = storedMeta(v1alpha1.SCIMUserName(initech.Name, user.Spec.UserName), number)
	for _, c := range change {
		c(user)
	}
	s.index.StoreUser(user, true)
}

func BenchmarkList100000(b *testing.B) {
	s, r := indexOnly()
	for i := range 100_000 {
		s.storeUser(i)
	}
	last := cursor{position: index.PositionOf(s.index.Users(initech).All()[99_899])}.encode(initech, "/Users ")
	for name, query := range map[string]url.Values{
		"first page": {}, "last page": {"startindex": {"99901"}}, "first cursor": {"cursor": {""}}, "last cursor": {"cursor": {last}},
		"scan": {"filter": {`name.familyName co "x"`}}, "scan, no match": {"filter": {`name.familyName co "77777"`}},
		"scan of emails": {"filter": {`emails[type eq "work"].value eq "person.777@example.com"`}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := pageReply(r, query, s.users(r)); err != nil {
					b.Fatal(err)
				}
				r.endTurn()
			}
		})
	}
}
