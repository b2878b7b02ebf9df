// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"net/http"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// maxVisits is how many members one request may have compared with filters that do not name members by id: ten filters on the largest group.
const maxVisits = 10 * maxMembers

// roster is the members of a group with their ids, which are digests: they are computed once for all requests that are applied together.
type roster struct {
	userNames, ids []string
	has            map[string]bool // by id
}

func (r GroupRules) rosterOf(userNames []string) *roster {
	ids := make([]string, len(userNames))
	for i, userName := range userNames {
		ids[i] = r.ID(userName)
	}
	return &roster{userNames, ids, setOf(ids)}
}

func setOf(ids []string) map[string]bool {
	set := make(map[string]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// memberSet is the members of a group while one request is applied. It implements scim.Set: every operation notes ids, and result looks up what
// has to be known about them, once.
type memberSet struct {
	stored func() *roster
	// given are the ids that were added, since the last replacement; order is the order in which they came, with repeats.
	given map[string]bool
	order scim.IDs
	// gone are the ids that were removed.
	gone map[string]bool
	// replaced means that of the stored members only those stay whom the provider is not shown, unless they are given.
	replaced bool
	changed  bool
	visits   int
}

func newMemberSet(stored func() *roster) *memberSet {
	return &memberSet{stored: stored, given: map[string]bool{}, gone: map[string]bool{}}
}

// Add implements scim.Set.
func (s *memberSet) Add(ids scim.IDs) {
	for _, id := range ids {
		s.given[id] = true
		delete(s.gone, id)
	}
	s.order, s.changed = append(s.order, ids...), true
}

// Remove implements scim.Set.
func (s *memberSet) Remove(ids scim.IDs) {
	for _, id := range ids {
		s.gone[id] = true
		delete(s.given, id)
	}
	s.changed = true
}

// Replace implements scim.Set.
func (s *memberSet) Replace(ids scim.IDs) {
	s.given, s.order, s.replaced = make(map[string]bool, len(ids)), nil, true
	s.Add(ids)
}

// RemoveWhere implements scim.Set.
func (s *memberSet) RemoveWhere(matches scim.Predicate) error {
	stored := s.stored()
	if s.visits += len(stored.ids) + len(s.order); s.visits > maxVisits {
		return problem.New(http.StatusRequestEntityTooLarge, "", "too many operations compare all members with a filter: name the members by value")
	}
	var matching scim.IDs
	for i, id := range stored.ids {
		if matches(memberElement{member: &Member{id, stored.userNames[i]}}) {
			matching = append(matching, id)
		}
	}
	for id := range s.given {
		if !stored.has[id] && matches(memberElement{member: &Member{ID: id}}) {
			matching = append(matching, id)
		}
	}
	s.Remove(matching)
	return nil
}

// result is the roster afterwards, and replaces the stored one, which lends it what did not change. Stored members keep their order, so
// that a PUT in another order writes nothing; new members follow. An id that the group has already is not looked up: that was done when it came,
// and a PUT that echoes an old list must not fail for ever.
func (s *memberSet) result(rules GroupRules) (*roster, error) {
	stored := s.stored()
	after, err := s.kept(stored, rules)
	if err != nil {
		return nil, err
	}
	fresh := s.fresh(stored)
	if len(fresh) == 0 {
		return after, nil
	}
	if len(fresh)+len(after.ids) > maxMembers {
		return nil, problem.New(http.StatusRequestEntityTooLarge, "", "a group has at most %d members", maxMembers)
	}
	userNames, err := rules.UserNames(fresh)
	if err != nil {
		return nil, err
	}
	after = &roster{after.userNames, append(after.ids, fresh...), after.has}
	for _, id := range fresh {
		after.userNames = append(after.userNames, userNames[id])
		after.has[id] = true
	}
	return after, nil
}

// kept is what stays of the stored members.
func (s *memberSet) kept(stored *roster, rules GroupRules) (*roster, error) {
	hidden, err := s.hidden(stored, rules)
	if err != nil || len(s.gone) == 0 && !s.replaced {
		return stored, err
	}
	var kept roster
	for i, id := range stored.ids {
		if s.given[id] || !s.gone[id] && (!s.replaced || hidden[id]) {
			kept.userNames, kept.ids = append(kept.userNames, stored.userNames[i]), append(kept.ids, id)
		}
	}
	if len(kept.ids) == len(stored.ids) {
		return stored, nil
	}
	kept.has = setOf(kept.ids)
	return &kept, nil
}

// fresh are the ids that the group does not have yet, in the order in which they were given.
func (s *memberSet) fresh(stored *roster) []string {
	var fresh []string
	for _, id := range s.order {
		if s.given[id] && !stored.has[id] {
			fresh = append(fresh, id)
			delete(s.given, id) // order has repeats
		}
	}
	return fresh
}

// hidden finds those of the replaced members whom the provider is not shown: it did not ask for their removal.
func (s *memberSet) hidden(stored *roster, rules GroupRules) (map[string]bool, error) {
	var replaced []string
	for _, id := range stored.ids {
		if s.replaced && !s.given[id] && !s.gone[id] {
			replaced = append(replaced, id)
		}
	}
	if len(replaced) == 0 {
		return nil, nil
	}
	return rules.Hidden(replaced)
}
