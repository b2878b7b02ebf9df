// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"hash/maphash"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"weak"

	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// HasMember tells whether a person is a member of a group that was read from the cache; the userName is folded.
func HasMember(group *v1alpha1.LambdaTestGroup, userName string) bool {
	members := group.Spec.Members
	if len(members) <= fewMembers {
		return slices.ContainsFunc(members, func(member string) bool { return v1alpha1.FoldUserName(member) == userName })
	}
	return rosters.of(members).has(members, userName)
}

// roster finds a member in a long list. Each entry is a member: the upper 40 bits of the digest of the folded userName, then the place in
// the list in placeBits; the entries are sorted. It takes 8 bytes for each member. A set or an index of the cache takes hundreds: an account
// that may create groups in one namespace would fill the memory of every replica.
type roster []uint64

// placeBits are enough for 16 million members. What is left of a digest is alike for two of 25 000 members in one of 3 500 groups.
const placeBits = 24

// seed makes the digests unpredictable: an attacker cannot choose members with equal digests, which would make a lookup slow.
var seed = maphash.MakeSeed()

func newRoster(members []string) roster {
	entries := make(roster, len(members))
	for place, member := range members {
		entries[place] = digestOf(v1alpha1.FoldUserName(member)) | uint64(place)
	}
	slices.Sort(entries)
	return entries
}

func digestOf(folded string) uint64 { return maphash.String(seed, folded) >> placeBits << placeBits }

// shareCount is into how many shares the index of groups divides the people of an organization.
const shareCount = 256

// shareOf names the share of an organization's people that a person is in.
func shareOf(organization, folded string) string {
	return organization + separator + strconv.FormatUint(maphash.String(seed, folded)%shareCount, 10)
}

// sharesOf names the shares that the members of a group are in.
func sharesOf(group *v1alpha1.LambdaTestGroup) []string {
	shares := sets.New[string]()
	for _, member := range group.Spec.Members {
		if shares.Len() == shareCount {
			break
		}
		shares.Insert(shareOf(group.Spec.OrganizationRef.Name, v1alpha1.FoldUserName(member)))
	}
	return shares.UnsortedList()
}

// has tells whether a person is in the list that the roster was made of. The list decides: two people may have one digest.
func (r roster) has(members []string, folded string) bool {
	return r.hasDigest(digestOf(folded), members, folded)
}

func (r roster) hasDigest(digest uint64, members []string, folded string) bool {
	first, _ := slices.BinarySearch(r, digest)
	for _, entry := range r[first:] {
		if entry>>placeBits != digest>>placeBits {
			return false
		}
		if v1alpha1.FoldUserName(members[entry&(1<<placeBits-1)]) == folded {
			return true
		}
	}
	return false
}

// rosters are those of the lists that are in memory. A list of the cache never changes: another version of a group has another list.
var rosters rosterCache

type rosterCache struct {
	byList sync.Map // weak.Pointer[string], the first member, to roster
}

func (c *rosterCache) of(members []string) roster {
	list := weak.Make(&members[0])
	if known, ok := c.byList.Load(list); ok {
		return known.(roster)
	}
	known, loaded := c.byList.LoadOrStore(list, newRoster(members))
	if !loaded {
		runtime.AddCleanup(&members[0], func(list weak.Pointer[string]) { c.byList.Delete(list) }, list)
	}
	return known.(roster)
}
