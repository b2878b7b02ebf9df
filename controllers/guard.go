// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// The guard keeps one mistake from taking access or roles away from many. This file is its policy, and pure; what it knows lives in
// status.guard of the organization, so that it survives restarts.
//
// What is asked of it, and which limit of an hour applies:
//
//	deprovisioning   the last claim about a person was deleted         implicit
//	demotion         a claim or a group that gave a higher role was    implicit
//	activation       a claim that denied was deleted, others stay      implicit
//	denial           somebody says active: false                       explicit, if there is a limit at all
//	keeping          the definition of groups is deleted               none: the roles that a group gave stay
//
// Who is over the limit is held until somebody approves or rejects exactly that set, or declares the person again. Time alone frees
// nobody: a mistake would only take longer.

// guardKind is what would happen to somebody.
type guardKind int

const (
	guardDeprovision guardKind = iota
	guardDemotion
	guardActivation
	guardDenial
	// guardKeep asks to note that what a resource gave stays in force without it, as after a rejection.
	guardKeep
)

// guardRequest asks to let something happen: all of its entries or none.
type guardRequest struct {
	kind guardKind
	// entries name exactly what would happen, as status shows it: "ada", "ada: Admin to User", "LambdaTestGroup/admins: 12 people …".
	entries []string
	// asker is looked at again when somebody decides: a folded userName, or a group's place in the lane.
	asker string
}

// key is what a request is about; whoever asks the same again changes nothing.
func (r guardRequest) key() string { return strings.Join(r.entries, "\n") }

// compare orders requests, so that of many that come at once it does not depend on chance who goes.
func (r guardRequest) compare(other guardRequest) int { return strings.Compare(r.key(), other.key()) }

// guardOutcome is what the guard says.
type guardOutcome int

const (
	guardAdmits guardOutcome = iota
	guardHolds
	guardRejected
	// guardDefers: the limit allows it, and the list of those who are being carried out has no room. Nothing is noted; ask again.
	guardDefers
	// guardPonders: the answer is being written down, and wakes the asker.
	guardPonders
)

// entrySet is a set of entries.
type entrySet map[string]struct{}

func (s entrySet) has(entry string) bool { _, ok := s[entry]; return ok }

// people counts whom the entries are about: one each, unless an entry says how many.
func (s entrySet) people() int {
	sum := 0
	for entry := range s {
		sum += peopleIn(entry)
	}
	return sum
}

// entryList is a set that status shows as a list, and that is bounded for that reason.
type entryList struct {
	entrySet
	// bytes are what the list takes in status.
	bytes int
}

func (l *entryList) add(entries entrySet) {
	for entry := range entries {
		if !l.has(entry) {
			l.entrySet[entry] = struct{}{}
			l.bytes += bytesIn(entry)
		}
	}
}

func (l *entryList) remove(entry string) {
	if l.has(entry) {
		delete(l.entrySet, entry)
		l.bytes -= bytesIn(entry)
	}
}

// bytesIn is what an entry takes in status, its quotes and comma included.
func bytesIn(entry string) int { return len(entry) + len(`"",`) }

// fit tells whether entries have room in one list with those of other lists.
func (s entrySet) fit(others ...*entryList) bool {
	count, bytes := len(s), 0
	for entry := range s {
		bytes += bytesIn(entry)
	}
	for _, other := range others {
		count += len(other.entrySet)
		bytes += other.bytes
	}
	return count <= maxListed && bytes <= maxListedBytes
}

// roomBeside is how many entries have room in one list with those of other lists for certain, however long they are.
func roomBeside(others ...*entryList) int {
	count, bytes := maxListed, maxListedBytes
	for _, other := range others {
		count -= len(other.entrySet)
		bytes -= other.bytes
	}
	return max(min(count, bytes/maxEntryBytes), 0)
}

// guardState is status.guard with its lists as sets.
type guardState struct {
	status v1alpha1.GuardStatus
	// countActive counts the people who are active now.
	countActive                        func() int
	held, admitted, approved, rejected *entryList
}

func guardStateOf(stored *v1alpha1.GuardStatus) *guardState {
	s := &guardState{countActive: func() int { return 0 }}
	if stored != nil {
		s.status = *stored.DeepCopy()
	}
	s.held, s.admitted = entriesOf(s.status.Held), entriesOf(s.status.Admitted)
	s.approved, s.rejected = entriesOf(s.status.Approved), entriesOf(s.status.Rejected)
	return s
}

func entriesOf(set *v1alpha1.HeldSet) *entryList {
	list := &entryList{entrySet: entrySet{}}
	if set != nil {
		for _, entry := range set.People {
			list.add(entrySet{entry: {}})
		}
	}
	return list
}

// export is the way back: nil while there is nothing to say.
func (s *guardState) export() *v1alpha1.GuardStatus {
	status := s.status.DeepCopy()
	status.Held = heldSet(s.held, status.Held, "")
	if status.Held != nil {
		status.Held.Token = heldToken(s.held.entrySet, status.Held.Since)
	}
	status.Admitted = heldSet(s.admitted, status.Admitted, "within-limit")
	status.Approved = decidedSet(s.approved, status.Approved)
	status.Rejected = decidedSet(s.rejected, status.Rejected)
	if *status == (v1alpha1.GuardStatus{}) {
		return nil
	}
	return status
}

func heldSet(list *entryList, before *v1alpha1.HeldSet, token string) *v1alpha1.HeldSet {
	if len(list.entrySet) == 0 {
		return nil
	}
	set := &v1alpha1.HeldSet{Token: token, Count: int32(list.people()), People: slices.Sorted(maps.Keys(list.entrySet))} //nolint:gosec // people are far fewer than two billion
	if before != nil {
		set.Since = before.Since
	}
	return set
}

// decidedSet keeps the token of the last decision, so that the annotation which made it is known for handled.
func decidedSet(list *entryList, before *v1alpha1.HeldSet) *v1alpha1.HeldSet {
	if before == nil {
		return nil
	}
	set := heldSet(list, before, before.Token)
	if set == nil {
		set = &v1alpha1.HeldSet{Token: before.Token, Since: before.Since}
	}
	return set
}

// heldToken names exactly these entries, held since that time. The same people held at another time make another token, so an
// annotation that was left behind approves nothing.
func heldToken(entries entrySet, since *metav1.Time) string {
	hash := sha256.New()
	if since != nil {
		fmt.Fprintln(hash, since.UTC().Format(time.RFC3339))
	}
	for _, entry := range slices.Sorted(maps.Keys(entries)) {
		fmt.Fprintln(hash, entry)
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(hash.Sum(nil)))[:guardTokenLength]
}

// roll begins a new hour when the last one is over. Limits are made of the people who are active when it begins, or later in it if
// there are more of them then.
func (s *guardState) roll(now time.Time, countActive func() int) {
	s.countActive = countActive
	if start := s.status.WindowStart; start != nil && now.Before(start.Add(guardWindow)) {
		return
	}
	held, admitted, approved, rejected := s.status.Held, s.status.Admitted, s.status.Approved, s.status.Rejected
	s.status = v1alpha1.GuardStatus{
		WindowStart: new(metav1.NewTime(now.Truncate(time.Second))), Active: *count(countActive()),
		Held: held, Admitted: admitted, Approved: approved, Rejected: rejected,
	}
}

// decide answers a request, and counts what it admits.
func (s *guardState) decide(request guardRequest, limits v1alpha1.DeprovisionGuard, now time.Time) guardOutcome {
	if outcome, known := s.recall(request); known {
		return outcome
	}
	if request.kind == guardKeep {
		return s.keep(request)
	}
	fresh := entrySet{}
	for _, entry := range request.entries {
		if !s.held.has(entry) && !s.isFree(entry) {
			fresh[entry] = struct{}{}
		}
	}
	counter, allowed := s.allows(request.kind, fresh.people(), limits)
	switch {
	case slices.ContainsFunc(request.entries, s.held.has) || !allowed:
		s.hold(fresh, now)
		return guardHolds
	case !fresh.fit(s.admitted):
		return guardDefers
	}
	*counter += int32(fresh.people()) //nolint:gosec // bounded by the limit
	s.admitted.add(fresh)
	return guardAdmits
}

// keep notes what stays in force, whatever was decided about it before.
func (s *guardState) keep(request guardRequest) guardOutcome {
	entries := entrySet{}
	for _, entry := range request.entries {
		entries[entry] = struct{}{}
	}
	if !entries.fit(s.rejected) {
		return guardDefers
	}
	s.drop(entries)
	s.rejected.add(entries)
	if s.status.Rejected == nil {
		s.status.Rejected = &v1alpha1.HeldSet{Token: "orphaned"}
	}
	return guardRejected
}

// allows tells whether so many more people may go in the current hour, and returns what they are counted in.
func (s *guardState) allows(kind guardKind, people int, limits v1alpha1.DeprovisionGuard) (counter *int32, allowed bool) {
	counter, limit := s.budget(kind, limits)
	if int(*counter)+people <= limit {
		return counter, true
	}
	// An organization that has grown since the hour began may lose more.
	s.status.Active = max(s.status.Active, *count(s.countActive()))
	counter, limit = s.budget(kind, limits)
	return counter, int(*counter)+people <= limit
}

// recall answers a request about which there is nothing new.
func (s *guardState) recall(request guardRequest) (guardOutcome, bool) {
	free, held := 0, 0
	for _, entry := range request.entries {
		switch {
		case s.rejected.has(entry):
			return guardRejected, true
		case s.isFree(entry):
			free++
		case s.held.has(entry):
			held++
		}
	}
	switch {
	case request.kind == guardKeep:
		return guardDefers, false
	case free == len(request.entries):
		return guardAdmits, true
	case free+held == len(request.entries):
		return guardHolds, true
	}
	return guardHolds, false
}

func (s *guardState) isFree(entry string) bool { return s.approved.has(entry) || s.admitted.has(entry) }

// budget returns the counter that a kind has in the current hour, and what is left for it, all implicit kinds together.
func (s *guardState) budget(kind guardKind, limits v1alpha1.DeprovisionGuard) (counter *int32, limit int) {
	state, active := &s.status, int(s.status.Active)
	if kind == guardDenial {
		return &state.Explicit, explicitLimit(limits, active)
	}
	state.Limit = *count(implicitLimit(limits, active))
	counters := map[guardKind]*int32{
		guardDeprovision: &state.Deprovisioned, guardDemotion: &state.Demoted, guardActivation: &state.Activated,
	}
	counter = counters[kind]
	others := state.Deprovisioned + state.Demoted + state.Activated - *counter
	return counter, int(state.Limit - others)
}

// implicitLimit is how many people may go in an hour: the percentage of the active ones or the minimum, whichever is more, and never
// more than half of them. Half of one person is one: whoever deletes the only person means it.
func implicitLimit(limits v1alpha1.DeprovisionGuard, active int) int {
	share := active * int(valueOr(limits.Percent, guardPercent)) / 100
	return min(max(int(valueOr(limits.Minimum, guardMinimum)), share), max(active/2, 1))
}

// explicitLimit is how many people may be denied in an hour, one at least.
func explicitLimit(limits v1alpha1.DeprovisionGuard, active int) int {
	return max(active*int(valueOr(limits.ExplicitPercent, 100))/100, 1)
}

func valueOr(value *int32, otherwise int32) int32 {
	if value == nil {
		return otherwise
	}
	return *value
}

// hold adds to the held set if there is room, also for its approval; who is not listed waits for that.
func (s *guardState) hold(entries entrySet, now time.Time) {
	if !entries.fit(s.held, s.approved) {
		return
	}
	if len(s.held.entrySet) == 0 {
		s.status.Held = &v1alpha1.HeldSet{Since: new(metav1.NewTime(now.Truncate(time.Second)))}
	}
	s.held.add(entries)
}

func (s *guardState) lists() []*entryList {
	return []*entryList{s.held, s.admitted, s.approved, s.rejected}
}

// knows tells whether status lists the entries of a request; who was answered without being listed has to ask again.
func (s *guardState) knows(request guardRequest) bool {
	return !slices.ContainsFunc(request.entries, func(entry string) bool {
		return !slices.ContainsFunc(s.lists(), func(list *entryList) bool { return list.has(entry) })
	})
}

// room is how many more people status can list for certain, however long their names are.
func (s *guardState) room() int { return min(roomBeside(s.admitted), roomBeside(s.held, s.approved)) }

// token names the set that is held; empty when none is.
func (s *guardState) token() string {
	if len(s.held.entrySet) == 0 {
		return ""
	}
	return heldToken(s.held.entrySet, s.status.Held.Since)
}

// decision is what became of an approval or a rejection.
type decision int

const (
	// decided: it was about the set that is held, and is carried out.
	decided decision = iota
	// staleToken: it was about no set that is held now.
	staleToken
	// noRoom: status lists as many people as it can of whom the same was decided before.
	noRoom
)

// approve lets exactly the held set go.
func (s *guardState) approve(token string) decision {
	switch {
	case token == "" || token != s.token():
		return staleToken
	case !s.held.fit(s.approved):
		return noRoom
	}
	s.approved.add(s.held.entrySet)
	s.status.Approved = &v1alpha1.HeldSet{Token: token, Since: s.status.Held.Since}
	s.held = entriesOf(nil)
	return decided
}

// reject releases exactly the held set without letting anything happen. Explicit denials stay held: only who denied can take it back.
func (s *guardState) reject(token string) decision {
	if token == "" || token != s.token() {
		return staleToken
	}
	released := entrySet{}
	for entry := range s.held.entrySet {
		if !strings.HasSuffix(entry, deniedSuffix) {
			released[entry] = struct{}{}
		}
	}
	if !released.fit(s.rejected) {
		return noRoom
	}
	s.status.Rejected = &v1alpha1.HeldSet{Token: token, Since: s.status.Held.Since}
	s.rejected.add(released)
	for entry := range released {
		s.held.remove(entry)
	}
	return decided
}

// drop forgets entries that are over.
func (s *guardState) drop(entries entrySet) {
	for entry := range entries {
		for _, list := range s.lists() {
			list.remove(entry)
		}
	}
}

// The entries of status.guard, by what they say.
const (
	activatedSuffix = ": active again"
	deniedSuffix    = ": denied"
)

func demotionEntry(claim string, from, to v1alpha1.Role) string {
	return fmt.Sprintf("%s: %s to %s", claim, from, to)
}

// nameIn is whom an entry is about.
func nameIn(entry string) string {
	name, _, _ := strings.Cut(entry, ": ")
	return name
}

// peopleIn is how many people an entry is about.
func peopleIn(entry string) int {
	_, what, _ := strings.Cut(entry, ": ")
	people := 0
	if _, err := fmt.Sscanf(what, "%d people", &people); err != nil {
		return 1
	}
	return people
}
