// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// known are the rules of an organization in which each userName of one letter is somebody, and x is not shown to the provider.
func known() GroupRules {
	people := map[string]string{}
	for letter := 'a'; letter <= 'z'; letter++ {
		people[acmeID(string(letter))] = string(letter)
	}
	return GroupRules{
		ID: acmeID, Hidden: onlyHidden(acmeID("x")), CheckDisplayName: func(string) error { return nil },
		UserNames: func(ids []string) (map[string]string, error) {
			for _, id := range ids {
				if people[id] == "" {
					return nil, problem.BadValue("members: there is no user with the id %q", id)
				}
			}
			return people, nil
		},
	}
}

// withIDs writes an id for each letter between backquotes in JSON.
func withIDs(text string) string {
	for letter := 'a'; letter <= 'z'; letter++ {
		text = strings.ReplaceAll(text, fmt.Sprintf("<%c>", letter), acmeID(string(letter)))
	}
	return text
}

// What a request says of the members of the group a, b, x, of whom the provider is not shown x, and who is in it afterwards. The same values in a
// PATCH, with and without a path, in a PUT and in a POST mean the same.
func TestWhoIsInAGroupAfterwards(t *testing.T) {
	const refused = "refused"
	values := []struct {
		value, replaced, added, removed string
	}{
		{`[]`, "x", "abx", "abx"},
		{`null`, "x", "abx", refused},
		{`[{"value":"<c>"}]`, "xc", "abxc", "abx"},
		{`{"value":"<c>"}`, "xc", "abxc", "abx"},
		{`"<c>"`, "xc", "abxc", "abx"},
		{`["<c>"]`, "xc", "abxc", "abx"},
		{`[[{"value":"<c>"}]]`, "xc", "abxc", "abx"},
		{`[{"value":["<c>"]}]`, "xc", "abxc", "abx"},
		{`[{"VALUE":"<c>","$ref":null,"display":"C","type":"User"}]`, "xc", "abxc", "abx"},
		{`[{"value":"<c>"},{"value":"<c>"},{"value":"<b>"}]`, "bxc", "abxc", "ax"},
		{`[{"value":"<b>"},{"value":"<a>"}]`, "abx", "abx", "x"},
		{`[{"value":"<x>"}]`, "x", "abx", "ab"},

		{`{}`, refused, refused, refused},
		{`[{}]`, refused, refused, refused},
		{`""`, refused, refused, refused},
		{`[""]`, refused, refused, refused},
		{`[null]`, refused, refused, refused},
		{`[[]]`, refused, refused, refused},
		{`0`, refused, refused, refused},
		{`[{"value":7}]`, refused, refused, refused},
		{`[{"value":null}]`, refused, refused, refused},
		{`[{"value":""}]`, refused, refused, refused},
		{`[{"display":"a"}]`, refused, refused, refused},
		{`[{"$ref":"https://scim.example.com/scim/v2/Users/<a>"}]`, refused, refused, refused},
		{`[{"display":"a"},{"value":"<b>"}]`, refused, refused, refused},
		{`[{"value":"<b>"},{"display":"a"}]`, refused, refused, refused},
		{`[{"value":"<a>","Value":"<b>"}]`, refused, refused, refused},
		{`[{"value":"<a>","value":"<b>"}]`, refused, refused, refused},
		{`"everybody"`, refused, refused, "abx"},
	}
	check := func(t *testing.T, what, want string, work *GroupWork, change func() (GroupChange, error)) {
		t.Helper()
		before := work.Group.DeepCopy()
		wanted, err := change()
		if err == nil {
			_, err = work.Apply(t.Context(), wanted)
		}
		if want == refused {
			if p := problem.As(err); p == nil || p.Kind != problem.KindInvalidValue || !strings.Contains(p.Detail, "members") && !strings.Contains(p.Detail, "must have a value") {
				t.Errorf("%s: got %v, want invalidValue about members", what, err)
			}
			if !cmp.Equal(before, work.Group) {
				t.Errorf("%s is refused and changes the group:\n%s", what, cmp.Diff(before, work.Group))
			}
			return
		}
		if got := strings.Join(work.Group.Spec.Members, ""); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", what, got, err, want)
		}
	}
	group := func() *GroupWork {
		return WorkOn(&v1alpha1.LambdaTestGroup{Spec: v1alpha1.LambdaTestGroupSpec{DisplayName: "G", Members: []string{"a", "b", "x"}}}, known())
	}
	patch := func(operation string) func() (GroupChange, error) {
		return func() (GroupChange, error) {
			operations, err := scim.ReadPatch(decoded(t, withIDs(`{"Operations":[`+operation+`]}`)))
			return PatchGroup(operations), err
		}
	}
	for _, v := range values {
		for verb, want := range map[string]string{"add": v.added, "replace": v.replaced, "Remove": v.removed} {
			check(t, verb+" "+v.value, want, group(), patch(`{"op":"`+verb+`","path":"members","value":`+v.value+`}`))
			if verb == "Remove" {
				continue
			}
			check(t, verb+" without a path "+v.value, want, group(), patch(`{"op":"`+verb+`","value":{"Members":`+v.value+`}}`))
			check(t, verb+" in a list of one "+v.value, want, group(), patch(`{"op":"`+verb+`","value":[{"members":`+v.value+`}]}`))
			check(t, verb+" with the schema "+v.value, want, group(), patch(`{"op":"`+verb+`","path":"`+groupSchema+`:members","value":`+v.value+`}`))
			check(t, verb+" in the schema "+v.value, want, group(), patch(`{"op":"`+verb+`","value":{"`+groupSchema+`":{"members":`+v.value+`}}}`))
		}
		check(t, "PUT "+v.value, v.replaced, group(), func() (GroupChange, error) {
			return PutGroup(decoded(t, withIDs(`{"displayName":"G","members":`+v.value+`}`)))
		})
		want := strings.ReplaceAll(v.replaced, "x", "")
		switch v.value { // in the order in which they come, as nobody was there
		case `[{"value":"<c>"},{"value":"<c>"},{"value":"<b>"}]`:
			want = "cb"
		case `[{"value":"<b>"},{"value":"<a>"}]`:
			want = "ba"
		case `[{"value":"<x>"}]`:
			want = "x"
		}
		created := WorkOn(&v1alpha1.LambdaTestGroup{Spec: v1alpha1.LambdaTestGroupSpec{}}, known())
		check(t, "POST "+v.value, want, created, func() (GroupChange, error) {
			_, err := PostGroup(decoded(t, withIDs(`{"displayName":"G","members":`+v.value+`}`)), known())
			if err != nil {
				return GroupChange{}, err
			}
			return PutGroup(decoded(t, withIDs(`{"displayName":"G","members":`+v.value+`}`)))
		})
	}
	for operation, want := range map[string]string{
		`{"op":"add","path":"members"}`:                                                                          refused,
		`{"op":"replace","path":"members"}`:                                                                      refused,
		`{"op":"remove","path":"members"}`:                                                                       "x",
		`{"op":"remove","path":"members[value eq \"<a>\"]"}`:                                                     "bx",
		`{"op":"remove","path":"members[value eq \"<a>\" or value eq \"<x>\"]"}`:                                 "b",
		`{"op":"remove","path":"members[value eq \"<c>\"]"}`:                                                     "abx",
		`{"op":"remove","path":"members[display eq \"A\"]"}`:                                                     "bx",
		`{"op":"remove","path":"members[not (value eq \"<a>\")]"}`:                                               "a",
		`{"op":"remove","path":"members[type eq \"User\"]"}`:                                                     "",
		`{"op":"add","path":"members","value":["<c>"]},{"op":"remove","path":"members[value pr]"}`:               "",
		`{"op":"add","path":"members[value eq \"<c>\"]","value":{"display":"C"}}`:                                refused,
		`{"op":"add","path":"members[value eq \"<c>\"]","value":{"value":"<c>"}}`:                                "abxc",
		`{"op":"Replace","path":"members[value eq \"<c>\"]","value":"<c>"}`:                                      "abxc",
		`{"op":"add","path":"members","value":["nobody"]},{"op":"remove","path":"members[value eq \"nobody\"]"}`: "abx",
		`{"op":"remove","path":"members","value":["<x>"]},{"op":"replace","path":"members","value":["<c>"]}`:     "c",
		`{"op":"add","path":"members","value":["<c>"]},{"op":"replace","path":"members","value":["<d>"]}`:        "xd",
		`{"op":"replace","value":{"members":["<c>"]}},{"op":"add","path":"members","value":["<a>"]}`:             "axc",
		`{"op":"replace","value":{"members":["<c>"],"members":["<d>"]}}`:                                         "xd",
		`{"op":"add","path":"members","value":["<c>"]},{"op":"add","path":"members","value":[""]}`:               refused,
	} {
		check(t, operation, want, group(), patch(operation))
	}
	for operation, kind := range map[string]problem.Kind{
		`{"op":"add","path":"members[value eq \"<c>\"]","value":["<d>"]}`:              problem.KindMutability,
		`{"op":"replace","path":"members[display eq \"A\"]","value":["<a>"]}`:          problem.KindMutability,
		`{"op":"remove","path":"members[value eq \"<a>\"].value"}`:                     problem.KindMutability,
		`{"op":"replace","path":"members[value eq \"<a>\"].$ref","value":"https://x"}`: problem.KindMutability,
	} {
		wanted, err := patch(operation)()
		if err == nil {
			_, err = group().Apply(t.Context(), wanted)
		}
		if p := problem.As(err); p == nil || p.Kind != kind {
			t.Errorf("%s: got %v, want %s", operation, err, kind)
		}
	}
	work := group()
	_, err := PutGroup(decoded(t, `{"displayName":"G","members":[{"value":"a"},{},{"display":"c"}]}`))
	if p := problem.As(err); p == nil || !strings.Contains(p.Detail, "members[1]") {
		t.Errorf("the first member without a value is not named: %v", err)
	}
	if members := work.Group.Spec.Members; !slices.Equal(members, []string{"a", "b", "x"}) {
		t.Errorf("the group has %v", members)
	}
}

// A member set says what a plain list would say.
func TestAMemberSetIsWhatAListWouldBe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stored := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "x"}), 0, 4, rapid.ID).Draw(t, "stored")
		work := WorkOn(&v1alpha1.LambdaTestGroup{Spec: v1alpha1.LambdaTestGroupSpec{DisplayName: "G", Members: stored}}, known())
		model := slices.Clone(stored)
		for range rapid.IntRange(1, 3).Draw(t, "requests") {
			at := slices.Clone(model) // what the request finds
			var operations []scim.Operation
			for range rapid.IntRange(1, 4).Draw(t, "operations") {
				letters := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "x"}), 0, 4).Draw(t, "who")
				ids := make([]any, len(letters))
				for i, letter := range letters {
					ids[i] = map[string]any{"value": acmeID(letter)}
				}
				verb := rapid.SampledFrom([]string{scim.Add, scim.Replace, scim.Remove}).Draw(t, "verb")
				operations = append(operations, scim.Operation{Verb: verb, Path: "members", Value: ids, HasValue: true})
				named := func(letter string) bool { return slices.Contains(letters, letter) }
				switch verb {
				case scim.Remove:
					model = slices.DeleteFunc(model, named)
				case scim.Replace:
					model = slices.DeleteFunc(model, func(letter string) bool { return !named(letter) && (letter != "x" || !slices.Contains(at, "x")) })
					fallthrough
				default:
					for _, letter := range letters {
						if !slices.Contains(model, letter) {
							model = append(model, letter)
						}
					}
				}
			}
			if _, err := work.Apply(t.Context(), PatchGroup(operations)); err != nil {
				t.Fatal(err)
			}
			got, want := slices.Clone(work.Group.Spec.Members), slices.Clone(model)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("%v from %v: got %v, want %v", operations, at, got, want)
			}
		}
	})
}

// counting counts what the rules are asked for.
type counting struct{ digests, lookedUp, asked int }

func (c *counting) rules() GroupRules {
	return GroupRules{
		ID:               func(userName string) string { c.digests++; return userName },
		CheckDisplayName: func(string) error { return nil },
		Hidden:           func(ids []string) (map[string]bool, error) { c.asked++; return nil, nil },
		UserNames: func(ids []string) (map[string]string, error) {
			c.lookedUp++
			found := map[string]string{}
			for _, id := range ids {
				found[id] = id
			}
			return found, nil
		},
	}
}

func crowd(prefix string, count int) (userNames []string, elements []any) {
	for i := range count {
		userNames = append(userNames, fmt.Sprintf("%s%d", prefix, i))
		elements = append(elements, map[string]any{"value": userNames[i]})
	}
	return userNames, elements
}

func TestIdsOfMembersAreComputedOncePerBatch(t *testing.T) {
	stored, _ := crowd("stored", 100)
	var count counting
	work := WorkOn(&v1alpha1.LambdaTestGroup{Spec: v1alpha1.LambdaTestGroupSpec{DisplayName: "G", Members: stored}}, count.rules())
	if _, err := work.Apply(t.Context(), PatchGroup([]scim.Operation{{Verb: scim.Replace, Path: "externalId", Value: "1"}})); err != nil || count.digests != 0 {
		t.Errorf("%d ids for a request that does not speak of members: %v", count.digests, err)
	}
	for i := range 50 {
		var operations []scim.Operation
		for j := range 20 {
			operations = append(operations,
				scim.Operation{Verb: scim.Remove, Path: fmt.Sprintf(`members[value eq "stored%d"]`, (i+j)%100)},
				scim.Operation{Verb: scim.Remove, Path: `members[display eq "nobody"]`},
				scim.Operation{Verb: scim.Add, Path: "members", Value: fmt.Sprintf("fresh%d", j), HasValue: true})
		}
		if _, err := work.Apply(t.Context(), PatchGroup(operations)); err != nil {
			t.Fatal(err)
		}
	}
	if count.digests != len(stored) {
		t.Errorf("%d ids for 50 requests of 60 operations each on a group of %d", count.digests, len(stored))
	}
	if count.lookedUp != 1 || count.asked != 0 {
		t.Errorf("new members were looked up %d times, shown ones %d times, want once and never", count.lookedUp, count.asked)
	}
}

// cpuTime is what the process has used of all processors so far: unlike the clock, it does not go on while others have them.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // fails for other arguments only
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// leastCPU is the least CPU time that something takes.
func leastCPU(work func()) time.Duration {
	least := time.Hour
	for range 3 {
		begun := cpuTime()
		work()
		least = min(least, cpuTime()-begun)
	}
	return least
}

// A request that is 64 times as large takes some 64 times as long, in every shape. If it compared each with each, it would be 4096 times.
func TestTheCostOfAPatchOfMembersIsLinear(t *testing.T) {
	many := func(count int, operation func(int) scim.Operation) []scim.Operation {
		operations := make([]scim.Operation, count)
		for i := range operations {
			operations[i] = operation(i)
		}
		return operations
	}
	for name, operations := range map[string]func(int) []scim.Operation{
		"additions, and removals of others and of them": func(n int) []scim.Operation {
			_, added := crowd("added", n)
			_, others := crowd("other", n)
			return []scim.Operation{
				{Verb: scim.Add, Path: "members", Value: added},
				{Verb: scim.Remove, Path: "members", Value: others, HasValue: true}, {Verb: scim.Remove, Path: "members", Value: added, HasValue: true},
			}
		},
		"removals one by one": func(n int) []scim.Operation {
			return many(n, func(i int) scim.Operation {
				return scim.Operation{Verb: scim.Remove, Path: fmt.Sprintf(`members[value eq "stored%d"]`, i)}
			})
		},
		"replacements after many additions": func(n int) []scim.Operation {
			_, added := crowd("added", n)
			replacements := many(n, func(i int) scim.Operation {
				return scim.Operation{Verb: scim.Replace, Path: "members", Value: []any{fmt.Sprintf("stored%d", i)}}
			})
			return append([]scim.Operation{{Verb: scim.Add, Path: "members", Value: added}}, replacements...)
		},
		"removals and replacements": func(n int) []scim.Operation {
			return many(n, func(i int) scim.Operation {
				if i%2 == 0 {
					return scim.Operation{Verb: scim.Remove, Path: "members", Value: fmt.Sprintf("stored%d", i), HasValue: true}
				}
				return scim.Operation{Verb: scim.Remove, Path: "members"}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			cost := func(n int) time.Duration {
				stored, _ := crowd("stored", min(n, maxMembers))
				group := &v1alpha1.LambdaTestGroup{Spec: v1alpha1.LambdaTestGroupSpec{DisplayName: "G", Members: stored}}
				change := PatchGroup(operations(n))
				return leastCPU(func() {
					if _, err := applied(group, (&counting{}).rules(), change); err != nil {
						t.Fatal(err)
					}
				})
			}
			if small, large := max(cost(1000), time.Millisecond), cost(64_000); large > 640*small {
				t.Errorf("1000 take %s, 64 000 take %s", small, large)
			}
		})
	}
}

func TestFiltersThatCompareAllMembersAreBounded(t *testing.T) {
	stored, _ := crowd("stored", maxMembers)
	visits := 0
	set := newMemberSet(func() *roster { return (&counting{}).rules().rosterOf(stored) })
	var err error
	for range 11 {
		if err = set.RemoveWhere(func(scim.Valuer) bool { visits++; return false }); err != nil {
			break
		}
	}
	if p := problem.As(err); p == nil || p.Status != 413 || visits != maxVisits {
		t.Errorf("%d visits, then %v", visits, err)
	}
}

func TestARequestWhoseClientIsGoneIsNotApplied(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	stored, _ := crowd("stored", 10)
	var count counting
	work := WorkOn(&v1alpha1.LambdaTestGroup{Spec: v1alpha1.LambdaTestGroupSpec{DisplayName: "G", Members: stored}}, count.rules())
	gone := GroupChange{apply: func(ctx context.Context, current scim.Object) (scim.Object, error) {
		cancel()
		return PatchGroup([]scim.Operation{{Verb: scim.Remove, Path: "members"}}).apply(ctx, current)
	}}
	if _, err := work.Apply(ctx, gone); !errors.Is(err, context.Canceled) || len(work.Group.Spec.Members) != 10 || count.digests > 0 {
		t.Errorf("%v, %d members, %d ids", err, len(work.Group.Spec.Members), count.digests)
	}
}

// Whoever cannot be looked up is not taken for somebody whom the provider is shown, or is not.
func TestAMemberThatCannotBeLookedUpFailsTheRequest(t *testing.T) {
	rules := known()
	rules.Hidden = func([]string) (map[string]bool, error) { return nil, errors.New("the API server is away") }
	group := &v1alpha1.LambdaTestGroup{Spec: v1alpha1.LambdaTestGroupSpec{DisplayName: "G", Members: []string{"a", "b"}}}
	change, err := PutGroup(decoded(t, `{"members":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	if spec, err := applied(group, rules, change); err == nil || len(spec.Members) != 2 {
		t.Errorf("%v, %v", spec.Members, err)
	}
}
