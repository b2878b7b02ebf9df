// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package guard

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
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
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

// Kind is what would happen to somebody.
type Kind int

// The kinds of requests; the table above says what each is.
const (
	Deprovision Kind = iota
	Demotion
	Activation
	Denial
	// Keep asks to note that what a resource gave stays in force without it, as after a rejection.
	Keep
)

// Request asks to let something happen: all of its entries or none.
type Request struct {
	Kind Kind
	// Entries name exactly what would happen, as status shows it: "ada", "ada: Admin to User", "LambdaTestGroup/admins: 12 people …".
	Entries []string
	// Asker is looked at again when somebody decides: a folded userName, or a group's place in the lane.
	Asker string
}

// key is what a request is about; whoever asks the same again changes nothing.
func (r Request) key() string { return strings.Join(r.Entries, "\n") }

// compare orders requests, so that of many that come at once it does not depend on chance who goes.
func (r Request) compare(other Request) int { return strings.Compare(r.key(), other.key()) }

// Verdict is what the guard says.
type Verdict int

const (
	// Admitted means: it may happen.
	Admitted Verdict = iota
	// Held means: it waits for a decision.
	Held
	// Rejected means: somebody decided that it does not happen.
	Rejected
	// Deferred means: the limit allows it, and the list of those who are being carried out has no room. Nothing is noted; ask again.
	Deferred
	// Pending means: the answer is being written down, and wakes the asker.
	Pending
)

// entrySet is a set of entries.
type entrySet map[string]struct{}

func (s entrySet) has(entry string) bool { _, ok := s[entry]; return ok }

// people counts whom the entries are about: one each, unless an entry says how many.
func (s entrySet) people() int {
	sum := 0
	for entry := range s {
		sum += PeopleIn(entry)
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

// policy is status.guard with its lists as sets.
type policy struct {
	status v1alpha1.GuardStatus
	// countActive counts the people who are active now.
	countActive                        func() int
	held, admitted, approved, rejected *entryList
}

func policyOf(stored *v1alpha1.GuardStatus) *policy {
	s := &policy{countActive: func() int { return 0 }}
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
func (s *policy) export() *v1alpha1.GuardStatus {
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
	return strings.ToLower(base32.StdEncoding.EncodeToString(hash.Sum(nil)))[:tokenLength]
}

// roll begins a new hour when the last one is over. Limits are made of the people who are active when it begins, or later in it if
// there are more of them then.
func (s *policy) roll(now time.Time, countActive func() int) {
	s.countActive = countActive
	if start := s.status.WindowStart; start != nil && now.Before(start.Add(window)) {
		return
	}
	held, admitted, approved, rejected := s.status.Held, s.status.Admitted, s.status.Approved, s.status.Rejected
	s.status = v1alpha1.GuardStatus{
		WindowStart: new(metav1.NewTime(now.Truncate(time.Second))), Active: *status.Int32(countActive()),
		Held: held, Admitted: admitted, Approved: approved, Rejected: rejected,
	}
}

// decide answers a request, and counts what it admits.
func (s *policy) decide(request Request, limits v1alpha1.DeprovisionGuard, now time.Time) Verdict {
	if outcome, known := s.recall(request); known {
		return outcome
	}
	if request.Kind == Keep {
		return s.keep(request)
	}
	fresh := entrySet{}
	for _, entry := range request.Entries {
		if !s.held.has(entry) && !s.isFree(entry) {
			fresh[entry] = struct{}{}
		}
	}
	counter, allowed := s.allows(request.Kind, fresh.people(), limits)
	switch {
	case slices.ContainsFunc(request.Entries, s.held.has) || !allowed:
		s.hold(fresh, now)
		return Held
	case !fresh.fit(s.admitted):
		return Deferred
	}
	*counter += int32(fresh.people()) //nolint:gosec // bounded by the limit
	s.admitted.add(fresh)
	return Admitted
}

// keep notes what stays in force, whatever was decided about it before.
func (s *policy) keep(request Request) Verdict {
	entries := entrySet{}
	for _, entry := range request.Entries {
		entries[entry] = struct{}{}
	}
	if !entries.fit(s.rejected) {
		return Deferred
	}
	s.drop(entries)
	s.rejected.add(entries)
	if s.status.Rejected == nil {
		s.status.Rejected = &v1alpha1.HeldSet{Token: "orphaned"}
	}
	return Rejected
}

// allows tells whether so many more people may go in the current hour, and returns what they are counted in.
func (s *policy) allows(kind Kind, people int, limits v1alpha1.DeprovisionGuard) (counter *int32, allowed bool) {
	counter, limit := s.budget(kind, limits)
	if int(*counter)+people <= limit {
		return counter, true
	}
	// An organization that has grown since the hour began may lose more.
	s.status.Active = max(s.status.Active, *status.Int32(s.countActive()))
	counter, limit = s.budget(kind, limits)
	return counter, int(*counter)+people <= limit
}

// recall answers a request about which there is nothing new.
func (s *policy) recall(request Request) (Verdict, bool) {
	free, held := 0, 0
	for _, entry := range request.Entries {
		switch {
		case s.rejected.has(entry):
			return Rejected, true
		case s.isFree(entry):
			free++
		case s.held.has(entry):
			held++
		}
	}
	switch {
	case request.Kind == Keep:
		return Deferred, false
	case free == len(request.Entries):
		return Admitted, true
	case free+held == len(request.Entries):
		return Held, true
	}
	return Held, false
}

func (s *policy) isFree(entry string) bool { return s.approved.has(entry) || s.admitted.has(entry) }

// budget returns the counter that a kind has in the current hour, and what is left for it, all implicit kinds together.
func (s *policy) budget(kind Kind, limits v1alpha1.DeprovisionGuard) (counter *int32, limit int) {
	state, active := &s.status, int(s.status.Active)
	if kind == Denial {
		return &state.Explicit, explicitLimit(limits, active)
	}
	state.Limit = *status.Int32(implicitLimit(limits, active))
	counters := map[Kind]*int32{
		Deprovision: &state.Deprovisioned, Demotion: &state.Demoted, Activation: &state.Activated,
	}
	counter = counters[kind]
	others := state.Deprovisioned + state.Demoted + state.Activated - *counter
	return counter, int(state.Limit - others)
}

// implicitLimit is how many people may go in an hour: the percentage of the active ones or the minimum, whichever is more, and never
// more than half of them. Half of one person is one: whoever deletes the only person means it.
func implicitLimit(limits v1alpha1.DeprovisionGuard, active int) int {
	share := active * int(valueOr(limits.Percent, defaultPercent)) / 100
	return min(max(int(valueOr(limits.Minimum, defaultMinimum)), share), max(active/2, 1))
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
func (s *policy) hold(entries entrySet, now time.Time) {
	if !entries.fit(s.held, s.approved) {
		return
	}
	if len(s.held.entrySet) == 0 {
		s.status.Held = &v1alpha1.HeldSet{Since: new(metav1.NewTime(now.Truncate(time.Second)))}
	}
	s.held.add(entries)
}

func (s *policy) lists() []*entryList {
	return []*entryList{s.held, s.admitted, s.approved, s.rejected}
}

// knows tells whether status lists the entries of a request; who was answered without being listed has to ask again.
func (s *policy) knows(request Request) bool {
	return !slices.ContainsFunc(request.Entries, func(entry string) bool {
		return !slices.ContainsFunc(s.lists(), func(list *entryList) bool { return list.has(entry) })
	})
}

// room is how many more people status can list for certain, however long their names are.
func (s *policy) room() int { return min(roomBeside(s.admitted), roomBeside(s.held, s.approved)) }

// token names the set that is held; empty when none is.
func (s *policy) token() string {
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
func (s *policy) approve(token string) decision {
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
func (s *policy) reject(token string) decision {
	if token == "" || token != s.token() {
		return staleToken
	}
	released := entrySet{}
	for entry := range s.held.entrySet {
		if !strings.HasSuffix(entry, DeniedSuffix) {
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
func (s *policy) drop(entries entrySet) {
	for entry := range entries {
		for _, list := range s.lists() {
			list.remove(entry)
		}
	}
}

// The entries of status.guard, by what they say.
const (
	ActivatedSuffix = ": active again"
	DeniedSuffix    = ": denied"
)

// DemotionEntry is the entry for the loss of a role that a claim or a group gave.
func DemotionEntry(claim string, from, to v1alpha1.Role) string {
	return fmt.Sprintf("%s: %s to %s", claim, from, to)
}

// NameIn is whom an entry is about.
func NameIn(entry string) string {
	name, _, _ := strings.Cut(entry, ": ")
	return name
}

// PeopleIn is how many people an entry is about.
func PeopleIn(entry string) int {
	_, what, _ := strings.Cut(entry, ": ")
	people := 0
	if _, err := fmt.Sscanf(what, "%d people", &people); err != nil {
		return 1
	}
	return people
}

// WhereToDecide is where those who are held find the set that they are in.
func WhereToDecide(organization string) string {
	return fmt.Sprintf("To see all that is held and decide about it: kubectl lambdatest status, or status.guard of %s %s.",
		v1alpha1.OrganizationKind, organization)
}

// DeferredOutcome tells those for whom status has no room yet.
func DeferredOutcome(organization string) status.Outcome {
	return status.Progressingf(v1alpha1.ProgressingReason, "Waits until others are carried out: status.guard of %s %s lists as many people as it can. Nothing needs to be done.",
		v1alpha1.OrganizationKind, organization)
}
