// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"context"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

// Snapshot is the state of resources and LambdaTest at one time.
type Snapshot struct {
	Users         []v1alpha1.LambdaTestUser
	Groups        []v1alpha1.LambdaTestGroup
	Organizations []v1alpha1.LambdaTestOrganization
	// Accounts and Upstream are LambdaTest's accounts and groups by the name of the organization.
	Accounts map[string][]simulator.Account
	Upstream map[string][]simulator.Group
	// Explained are the reasons of users that the run itself has caused, such as Suspended: they explain a difference. An account of a denied
	// person that is on is explained by DeniedButActive alone. What the guard holds is always explained.
	Explained []string
}

// TakeSnapshot reads all resources, and the state of LambdaTest's organizations by the names of their resources.
func TakeSnapshot(ctx context.Context, cluster client.Reader, organizations map[string]*simulator.Org) (*Snapshot, error) {
	s := &Snapshot{Accounts: map[string][]simulator.Account{}, Upstream: map[string][]simulator.Group{}}
	var users v1alpha1.LambdaTestUserList
	var groups v1alpha1.LambdaTestGroupList
	var connections v1alpha1.LambdaTestOrganizationList
	for _, list := range []client.ObjectList{&users, &groups, &connections} {
		if err := cluster.List(ctx, list); err != nil {
			return nil, err
		}
	}
	s.Users, s.Groups, s.Organizations = users.Items, groups.Items, connections.Items
	for name, org := range organizations {
		s.Accounts[name], s.Upstream[name] = org.Accounts(), org.Groups()
	}
	return s, nil
}

// accounts are LambdaTest's by subject. Of several with one folded userName it keeps an active one.
func (s *Snapshot) accounts() map[string]simulator.Account {
	accounts := map[string]simulator.Account{}
	for organization, all := range s.Accounts {
		for _, account := range all {
			subject := organization + "/" + v1alpha1.FoldUserName(account.UserName)
			if !accounts[subject].Active {
				accounts[subject] = account
			}
		}
	}
	return accounts
}

// upstream are LambdaTest's groups by subject.
func (s *Snapshot) upstream() map[string]simulator.Group {
	groups := map[string]simulator.Group{}
	for organization, all := range s.Upstream {
		for _, group := range all {
			groups[organization+"/"+v1alpha1.FoldDisplayName(group.DisplayName)] = group
		}
	}
	return groups
}

// claims are the claims by subject, in order of precedence, and all groups, as versions.
func (s *Snapshot) claims() (people map[string][]Version, groups []Version) {
	people = map[string][]Version{}
	for i := range s.Users {
		v := UserVersion(0, &s.Users[i], false)
		people[v.Subject] = append(people[v.Subject], v)
	}
	for _, claims := range people {
		slices.SortFunc(claims, precedence)
	}
	for i := range s.Groups {
		groups = append(groups, GroupVersion(0, &s.Groups[i], false))
	}
	return people, groups
}
