// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package parties

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
)

const (
	// currentPeople and currentGroups are how many subjects of an organization clients work on at a time; several clients share each.
	currentPeople = 6
	currentGroups = 2
	// lifeOperations and lifeUnknown bound the history of one person or group: the checker's work grows with the first, and doubles
	// with each of the second.
	lifeOperations = 70
	lifeUnknown    = 8
)

// Organization is an organization as the parties know it: a namespace, a simulated LambdaTest, and whom they work on.
type Organization struct {
	Name, Namespace string
	LambdaTest      *simulator.Org
	// Token is the token that the identity provider presents.
	Token atomic.Pointer[string]

	mu                  sync.Mutex
	number              int
	people, groups      []*Subject
	everyone, allGroups []*Subject
	crew                []string // people whom only Git declares, and who are pruned
}

// NewOrganization returns an organization without people.
func NewOrganization(name, namespace string, lambdaTest *simulator.Org, token string) *Organization {
	o := &Organization{Name: name, Namespace: namespace, LambdaTest: lambdaTest}
	o.Token.Store(&token)
	return o
}

// Subject is a person or group that parties work on, until its history is long enough.
type Subject struct {
	// Key is the organization and the folded name, Name the userName or displayName, ID a person's id at the endpoint.
	Key, Name, ID string

	operations atomic.Int32
	unknown    atomic.Int32
	// leaver is true for a person who may be deleted. Others may be members of groups.
	leaver bool
	// there is true for a person who may have been created, sure for one who certainly was.
	there, sure atomic.Bool
	tag         atomic.Pointer[string]
	// groupID is the id that the group was last created under.
	groupID atomic.Pointer[string]
}

// GroupID is the id that a group was last created under; empty before.
func (s *Subject) GroupID() string {
	if id := s.groupID.Load(); id != nil {
		return *id
	}
	return ""
}

func (s *Subject) spent() bool {
	return s.operations.Load() >= lifeOperations || s.unknown.Load() >= lifeUnknown
}

// Person returns a person to work on. A person with a long history is replaced by a new one.
func (o *Organization) Person(random *rand.Rand) *Subject {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.people = slices.DeleteFunc(o.people, (*Subject).spent)
	for len(o.people) < currentPeople {
		o.people = append(o.people, o.hire("user"))
	}
	return o.people[random.IntN(len(o.people))]
}

// hire invents a person. The caller holds the lock.
func (o *Organization) hire(what string) *Subject {
	o.number++
	userName := o.address(fmt.Sprintf("%s-%04d", what, o.number))
	s := &Subject{Key: o.Name + "/" + userName, Name: userName, ID: v1alpha1.SCIMUserName(o.Name, userName), leaver: o.number%2 == 0}
	o.everyone = append(o.everyone, s)
	return s
}

func (o *Organization) address(local string) string {
	return strings.ToLower(local) + "@" + o.Name + ".example.com"
}

// Group returns a group to work on.
func (o *Organization) Group(random *rand.Rand) *Subject {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.groups = slices.DeleteFunc(o.groups, (*Subject).spent)
	for len(o.groups) < currentGroups {
		o.number++
		name := fmt.Sprintf("Group %d", o.number)
		s := &Subject{Key: o.Name + "/" + v1alpha1.FoldDisplayName(name), Name: name}
		o.groups = append(o.groups, s)
		o.allGroups = append(o.allGroups, s)
	}
	return o.groups[random.IntN(len(o.groups))]
}

// members returns ids of people who exist and will not be deleted.
func (o *Organization) members(random *rand.Rand) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var ids []string
	for _, person := range o.people {
		if !person.leaver && person.sure.Load() && random.IntN(2) == 0 {
			ids = append(ids, person.ID)
		}
	}
	return promises.SetOf(ids)
}

// Known returns all people and groups so far, but for the crew.
func (o *Organization) Known() (people, groups []*Subject) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.everyone), slices.Clone(o.allGroups)
}

// wave makes up many new people, and returns those who are worked on already, too.
func (o *Organization) wave(size int) (wave, earlier []*Subject) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for range size {
		wave = append(wave, o.hire("wave"))
	}
	return wave, slices.Clone(o.people)
}

// Crew returns the userNames of the people whom only Git declares.
func (o *Organization) Crew() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.crew)
}
