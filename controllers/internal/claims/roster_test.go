// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// Whatever the list, it has whom MembersOf names and nobody else.
func TestHasMemberIsWhatTheListSays(t *testing.T) {
	userNames := rapid.SampledFrom([]string{"ada@example.com", "ADA@example.com", "grace@example.com", "ss@example.com", "ß@example.com", "alan@example.com"})
	rapid.Check(t, func(t *rapid.T) {
		group := MakeGroup("QA").With(rapid.SliceOfN(userNames, 0, 3*fewMembers).Draw(t, "members")...).Obj()
		members := map[string]bool{}
		for _, member := range MembersOf(group) {
			members[member] = true
		}
		asked := v1alpha1.FoldUserName(userNames.Draw(t, "asked"))
		if got := HasMember(group, asked); got != members[asked] {
			t.Fatalf("%s of %q: %t", asked, group.Spec.Members, got)
		}
	})
}

// A digest alone would give a role to somebody else, once in a while.
func TestTwoPeopleOfOneDigestAreNotOne(t *testing.T) {
	members := []string{"Ada@example.com", "grace@example.com"}
	same := digestOf("anything")
	colliding := roster{same, same | 1}
	for user, want := range map[string]bool{"ada@example.com": true, "grace@example.com": true, "mallory@example.com": false} {
		if got := colliding.hasDigest(same, members, user); got != want {
			t.Errorf("%s is a member: %t, want %t", user, got, want)
		}
	}
}

func TestARosterGoesWithItsList(t *testing.T) {
	known := func() (count int) {
		rosters.byList.Range(func(any, any) bool { count++; return true })
		return count
	}
	before := known()
	for i := range 10 {
		group := manyGroups(1, 100+i)[0]
		HasMember(group, "ada@example.com")
	}
	for range 100 {
		runtime.GC()
		if known() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d rosters are kept for lists that are gone", known()-before)
}

// BenchmarkRoleOfAMember is what one person's roles cost, by the number of groups that give roles in the organization.
func BenchmarkRoleOfAMember(b *testing.B) {
	for _, groups := range []int{1, 30, 1000} {
		b.Run(fmt.Sprintf("%d groups", groups), func(b *testing.B) {
			cache := cached(manyGroups(groups, 100))
			key := PersonKey{Namespace: "ns", Organization: "default", UserName: "person-00-00007@example.com"}
			for b.Loop() {
				if role, err := (GroupRoles{Reader: cache}).Of(b.Context(), key, nil); err != nil || role.Group == nil {
					b.Fatal(role, err)
				}
			}
		})
	}
}
