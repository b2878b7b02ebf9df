// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

func (s *Server) storeGroup(number, members int) {
	group := &v1alpha1.LambdaTestGroup{}
	group.Spec.OrganizationRef.Name = initech.Name
	group.Spec.DisplayName = fmt.Sprintf("Group %d", number)
	for i := range members {
		group.Spec.Members = append(group.Spec.Members, fmt.Sprintf("person.%d@example.com", i))
	}
	group.ObjectMeta = storedMeta(v1alpha1.SCIMGroupName(initech.Name, group.Spec.DisplayName, 0), number)
	s.index.StoreGroup(group, true)
}

// listed is a decoded answer.
type listed struct {
	Total, ItemsPerPage, StartIndex int
	NextCursor                      string
	Resources                       []shownResource
	bytes                           int
}

type shownResource struct {
	ID      string            `json:"id"`
	Members []json.RawMessage `json:"members"`
	bytes   int
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *shownResource) UnmarshalJSON(text []byte) error {
	type plain shownResource
	defer func() { r.bytes = len(text) }()
	return json.Unmarshal(text, (*plain)(r))
}

func (r *request) lists(t *testing.T, query url.Values, c searchable) listed {
	t.Helper()
	answer, err := pageReply(r, query, c)
	if err != nil {
		t.Fatal(err)
	}
	r.endTurn()
	text := slices.Concat(answer.prefix, answer.body)
	page := listed{bytes: len(text)}
	if err := json.Unmarshal([]byte(strings.Replace(string(text), "totalResults", "total", 1)), &page); err != nil {
		t.Fatal(err)
	}
	if page.ItemsPerPage != len(page.Resources) {
		t.Errorf("itemsPerPage %d of a page of %d", page.ItemsPerPage, len(page.Resources))
	}
	return page
}

// A page ends when it is large enough, and both ways of paging still show every resource once, with all its members.
func TestAPageHasABoundInBytes(t *testing.T) {
	const people, groups = 8000, 20
	s, r := indexOnly()
	for i := range people {
		s.storeUser(i, func(u *v1alpha1.LambdaTestUser) {
			if i < 2000 {
				u.Spec.Emails = []v1alpha1.Email{{Value: strings.Repeat("x", 4000)}}
			}
		})
	}
	for i := range groups {
		s.storeGroup(i, people/(1+i%3))
	}
	for name, test := range map[string]struct {
		collection searchable
		all        int
	}{"users": {s.users(r), people}, "groups": {s.groups(r), groups}} {
		for _, filter := range []string{"", "id pr"} {
			t.Run(name+" "+filter, func(t *testing.T) {
				byNumber, byCursor := map[string]int{}, map[string]int{}
				early, largest := false, 0
				see := func(page listed, seen map[string]int) {
					defer func() {
						if page.bytes > maxPageBytes+largest+smallAnswerBytes {
							t.Errorf("a page of %d bytes, of resources of at most %d", page.bytes, largest)
						}
					}()
					if page.Total != test.all || len(page.Resources) == 0 {
						t.Fatalf("%d of %d resources, want some of %d", len(page.Resources), page.Total, test.all)
					}
					early = early || len(page.Resources) < maxPageSize && page.bytes >= maxPageBytes
					for _, resource := range page.Resources {
						seen[resource.ID]++
						largest = max(largest, resource.bytes)
						if group := s.index.Group(initech, resource.ID); group != nil && len(resource.Members) != len(group.Spec.Members) {
							t.Errorf("%d members of %d", len(resource.Members), len(group.Spec.Members))
						}
					}
				}
				query := url.Values{"count": {strconv.Itoa(maxPageSize)}}
				if filter != "" {
					query.Set("filter", filter)
				}
				for start := 1; start <= test.all; {
					query.Set("startindex", strconv.Itoa(start))
					page := r.lists(t, query, test.collection)
					see(page, byNumber)
					start += page.ItemsPerPage
				}
				query.Del("startindex")
				for cursor, more := "", true; more; more = cursor != "" {
					query.Set("cursor", cursor)
					page := r.lists(t, query, test.collection)
					see(page, byCursor)
					cursor = page.NextCursor
				}
				for way, seen := range map[string]map[string]int{"number": byNumber, "cursor": byCursor} {
					if len(seen) != test.all {
						t.Errorf("%d of %d resources are shown by %s", len(seen), test.all, way)
					}
					for id, times := range seen {
						if times != 1 {
							t.Fatalf("%s is shown %d times by %s", id, times, way)
						}
					}
				}
				if !early {
					t.Error("no page ended early")
				}
			})
		}
	}
}

func TestAScanEndsWhenTheClientIsGone(t *testing.T) {
	s, r := indexOnly()
	s.storeUser(1)
	gone, leave := context.WithCancel(t.Context())
	leave()
	r.Request = r.WithContext(gone)
	for _, filter := range []string{"", "userName co \"x\""} {
		_, err := pageReply(r, url.Values{"filter": {filter}}, s.users(r))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%q: %v", filter, err)
		}
	}
}

// What clients do not read is bounded for all organizations together, and one of them leaves memory for the others.
func TestAnswersThatAreNotRead(t *testing.T) {
	_, r := indexOnly()
	large := reply{status: http.StatusOK, body: make([]byte, maxPageBytes)}
	var releases []func()
	for {
		admitted, release := r.admit(large)
		if admitted.status != http.StatusOK {
			if admitted.status != http.StatusServiceUnavailable || admitted.header.Get("Retry-After") == "" || len(admitted.body) > smallAnswerBytes {
				t.Errorf("%d, %v", admitted.status, admitted.header)
			}
			break
		}
		releases = append(releases, release)
	}
	if got := len(releases) * len(large.body); got > maxAnswersBytes/2 || got < maxAnswersBytes/2-len(large.body) {
		t.Errorf("one organization has %d bytes that are not read", got)
	}
	created, _ := r.admit(reply{status: http.StatusCreated, header: http.Header{"Location": {"x"}}, body: large.body})
	if created.status != http.StatusCreated || len(created.body) > 0 || created.header.Get("Location") != "x" {
		t.Errorf("a POST that was carried out is answered with %d, %d bytes", created.status, len(created.body))
	}
	if small, _ := r.admit(reply{status: http.StatusOK, body: make([]byte, smallAnswerBytes)}); small.status != http.StatusOK {
		t.Errorf("a small answer is answered with %d", small.status)
	}
	other := *r
	other.grant = grantOf("other")
	if admitted, release := other.admit(large); admitted.status != http.StatusOK {
		t.Errorf("another organization gets %d", admitted.status)
	} else {
		release()
	}
	for _, release := range releases {
		release()
	}
	if r.answers.memory.taken != 0 || len(r.answers.memory.by) != 0 {
		t.Errorf("%d bytes are still taken after all was read", r.answers.memory.taken)
	}
	if largest, _ := r.admit(reply{status: http.StatusOK, body: make([]byte, maxAnswersBytes)}); largest.status != http.StatusOK {
		t.Error("an answer that is too large for the budget is never sent")
	}
}

func TestARequestWithATurnWaitsForMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, r := indexOnly()
		r.Request = r.WithContext(t.Context())
		large := reply{status: http.StatusOK, body: make([]byte, maxAnswersBytes/2)}
		_, release := r.admit(large)
		if err := r.takeTurn(); err != nil {
			t.Fatal(err)
		}
		go func() {
			time.Sleep(answerWait / 2)
			release()
		}()
		if admitted, _ := r.admit(large); admitted.status != http.StatusOK {
			t.Errorf("answered with %d", admitted.status)
		}
	})
}

// One request of an organization scans at a time; others of it wait for their turn, for a while, and those of other organizations do not.
func TestTurnsOfAnOrganization(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, first := indexOnly()
		first.Request = first.WithContext(t.Context())
		second, other := *first, *first
		other.grant = grantOf("other")
		for range 2 { // a request has one turn, however often it asks
			if err := first.takeTurn(); err != nil {
				t.Fatal(err)
			}
		}
		if err := other.takeTurn(); err != nil {
			t.Errorf("another organization waits: %v", err)
		}
		begun := time.Now()
		if err := second.takeTurn(); problem.As(err) == nil || problem.As(err).Status != http.StatusServiceUnavailable || time.Since(begun) != answerWait {
			t.Errorf("after %s: %v", time.Since(begun), err)
		}
		go func() {
			time.Sleep(answerWait / 2)
			first.admit(reply{status: http.StatusOK})
		}()
		if err := second.takeTurn(); err != nil {
			t.Error(err)
		}
		second.endTurn()
		other.endTurn()
		if len(first.answers.turns.by) > 0 {
			t.Errorf("%d organizations are kept", len(first.answers.turns.by))
		}
	})
}

// However organizations take memory and give it back, the bound holds, and one that has none can take some.
func TestSharesLeaveSomeForEverybody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const most = 1000
		budget, model := newShares(most, most), map[string]int64{}
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			name := rapid.StringMatching("[a-d]").Draw(t, "organization")
			organization := types.NamespacedName{Name: name}
			if rapid.Bool().Draw(t, "gives") && model[name] > 0 {
				budget.give(organization, model[name])
				model[name] = 0
				continue
			}
			size := rapid.Int64Range(1, most/2).Draw(t, "size")
			if taken, _ := budget.take(organization, size); taken {
				model[name] += size
			}
			var sum int64
			for _, taken := range model {
				sum += taken
			}
			if sum != budget.taken || sum >= most || model[name] > most/2 {
				t.Fatalf("%d of %d are taken, %d of them by one", sum, most, model[name])
			}
		}
	})
}
