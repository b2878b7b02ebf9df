// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"net/http"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// checkTwice reads LambdaTest's record of all changes.
func (s *story) checkTwice() {
	s.step = "the whole story"
	created, off, on := map[string]int{}, map[string]int{}, map[string]int{}
	for _, change := range s.LambdaTest.Changes() {
		folded := v1alpha1.FoldUserName(change.After.UserName)
		p := s.people[folded]
		switch {
		case change.Call == "": // by an administrator
		case p == nil:
			s.violate("twice", folded, "%s changed an account that no resource claims", change.Call)
		case change.Before.ID == "":
			created[folded]++
		case change.Call == "POST /Users" && !p.raced:
			s.violate("twice", folded, "a POST for a person who has an account")
		case change.Before.Active && !change.After.Active:
			off[folded]++
		case !change.Before.Active && change.After.Active:
			on[folded]++
		}
	}
	for _, folded := range sorted(s.people) {
		p := s.people[folded]
		if created[folded] > 1 {
			s.violate("twice", folded, "%d accounts were created", created[folded])
		}
		if off[folded] > p.offs {
			s.violate("twice", folded, "the account was deactivated %d times, and there were %d reasons", off[folded], p.offs)
		}
		if on[folded] > p.ons {
			s.violate("twice", folded, "the account was activated %d times, and there were %d reasons", on[folded], p.ons)
		}
	}
	s.checkPosts()
}

// checkPosts counts the attempts to create an account, also those that LambdaTest refused. One that was refused for a part of what it asked
// is repeated without that part; one for the account of another organization is tried now and then.
func (s *story) checkPosts() {
	posts := map[string]int{}
	for _, call := range s.LambdaTest.Calls() {
		var body struct{ UserName string }
		if call.Route == "POST /Users" && json.Unmarshal([]byte(call.Body), &body) == nil {
			folded := v1alpha1.FoldUserName(body.UserName)
			if call.Status != http.StatusBadRequest {
				posts[folded]++
			}
		}
	}
	for folded, count := range posts {
		if count > 1 {
			s.violate("twice", folded, "%d times LambdaTest was asked to create the account", count)
		}
	}
}
