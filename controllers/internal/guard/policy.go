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
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

// Kind is what would happen to a person, and which limit of an hour applies.
type Kind int

const (
	// Deprovision means: the last claim about a person was deleted. The implicit limit applies, one for the first three kinds together.
	Deprovision Kind = iota
	// Demotion means: a claim or a group that gave a higher role was deleted.
	Demotion
	// Activation means: a claim that denied was deleted, and others stay.
	Activation
	// Denial means: a claim says active: false. The explicit limit applies, if spec.deprovisionGuard sets one.
	Denial
	// Keep means: the definition of groups is being deleted, and the roles that a group gave stay in force without it, as after a
	// rejection. No limit applies.
	Keep
)

// Request asks to let something happen: all of its entries or none.
type Request struct {
	Kind Kind
	// Entries name exactly what would happen, as status shows it: "ada", "ada: Admin to User", "LambdaTestGroup/admins: 12 people …".
	Entries []string
	// Asker is reconciled again when there is an answer: a folded userName, or a group's place in the lane.
	Asker string
}

// key is what a request is about: the same request again changes nothing.
func (r Request) key() string { return strings.Join(r.Entries, "\n") }

// Verdict is what the guard answers.
type Verdict int

const (
	// Admitted means: it may happen.
	Admitted Verdict = iota
	// Held means: it waits until the set that it is in is approved or rejected.
	Held
	// Rejected means: it does not happen, because the set that it was in was rejected.
	Rejected
	// Deferred means: the limit allows it, but the list of those who are being carried out is full. Nothing is noted; ask again.
	Deferred
	// Pending means: the answer is not written down yet; the asker is reconciled again once it is.
	Pending
)

// policy is status.guard of an organization with its lists as sets, and decides by it. What is over the limit is held until exactly that
// set is approved or rejected, or the person is declared again. Time alone frees none of it: a mistake would only take longer.
type policy struct {
	// counters are the window and its counts; the lists in them are not used.
	counters                           v1alpha1.GuardStatus
	held, admitted, approved, rejected *entryList
	// countActive counts the people who are active now.
	countActive func() int
}

func policyOf(stored *v1alpha1.GuardStatus) *policy {
	if stored == nil {
		stored = &v1alpha1.GuardStatus{}
	}
	return &policy{
		counters: *stored,
		held:     listOf(stored.Held), admitted: listOf(stored.Admitted), approved: listOf(stored.Approved), rejected: listOf(stored.Rejected),
		countActive: func() int { return 0 },
	}
}

// export is the way back: nil while there is nothing to say.
func (p *policy) export() *v1alpha1.GuardStatus {
	state := p.counters
	state.Held = p.held.export(p.token())
	state.Admitted = nil
	if p.admitted.Len() > 0 {
		state.Admitted = p.admitted.export("within-limit")
	}
	// Their tokens outlive their entries, so that the annotation which made the last decision is known to be handled.
	state.Approved, state.Rejected = p.approved.export(p.approved.token), p.rejected.export(p.rejected.token)
	if state == (v1alpha1.GuardStatus{}) {
		return nil
	}
	return &state
}

// token names exactly the entries that are held, since that time; empty when none is. The same people held at another time make another
// token, so that an annotation which was left behind approves nothing.
func (p *policy) token() string {
	if p.held.Len() == 0 {
		return ""
	}
	hash := sha256.New()
	if p.held.since != nil {
		fmt.Fprintln(hash, p.held.since.UTC().Format(time.RFC3339))
	}
	for _, entry := range p.held.sorted() {
		fmt.Fprintln(hash, entry)
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(hash.Sum(nil)))[:tokenLength]
}

// roll begins a new hour when the last one is over. Limits are made of the people who are active when it begins, or later in it if
// there are more of them then.
func (p *policy) roll(now time.Time, countActive func() int) {
	p.countActive = countActive
	if start := p.counters.WindowStart; start == nil || !now.Before(start.Add(window)) {
		p.counters = v1alpha1.GuardStatus{WindowStart: new(metav1.NewTime(now.Truncate(time.Second))), Active: *status.Int32(countActive())}
	}
}

// recall answers a request about which there is nothing new; Pending means that there is.
func (p *policy) recall(request Request) Verdict {
	switch {
	case slices.ContainsFunc(request.Entries, p.rejected.Has):
		return Rejected
	case request.Kind == Keep:
		return Pending
	case allIn(request.Entries, p.approved, p.admitted):
		return Admitted
	case allIn(request.Entries, p.approved, p.admitted, p.held):
		return Held
	}
	return Pending
}

// decide answers a request, and counts what it admits.
func (p *policy) decide(request Request, limits v1alpha1.DeprovisionGuard, now time.Time) Verdict {
	if verdict := p.recall(request); verdict != Pending {
		return verdict
	}
	if request.Kind == Keep {
		return p.keep(request)
	}
	added := newList()
	for _, entry := range request.Entries {
		if !allIn([]string{entry}, p.held, p.approved, p.admitted) {
			added.add(entry)
		}
	}
	counter, allowed := p.allows(request.Kind, added.people(), limits)
	switch {
	case slices.ContainsFunc(request.Entries, p.held.Has) || !allowed:
		p.hold(added, now)
		return Held
	case !fit(added, p.admitted):
		return Deferred
	}
	*counter += added.people()
	p.admitted.addAll(added)
	return Admitted
}

// keep notes what stays in force, whatever was decided about it before.
func (p *policy) keep(request Request) Verdict {
	entries := newList(request.Entries...)
	if !fit(entries, p.rejected) {
		return Deferred
	}
	p.drop(request.Entries...)
	p.rejected.addAll(entries)
	if p.rejected.token == "" {
		p.rejected.token = "orphaned"
	}
	return Rejected
}

// allows tells whether so many more people may go in the current hour, and returns what they are counted in.
func (p *policy) allows(kind Kind, people int32, limits v1alpha1.DeprovisionGuard) (counter *int32, allowed bool) {
	counter, left := p.budget(kind, limits)
	if people > left {
		// An organization that has grown since the hour began may lose more.
		p.counters.Active = max(p.counters.Active, *status.Int32(p.countActive()))
		counter, left = p.budget(kind, limits)
	}
	return counter, people <= left
}

// budget returns the counter that a kind has in the current hour, and how many more people may go, all implicit kinds together.
func (p *policy) budget(kind Kind, limits v1alpha1.DeprovisionGuard) (counter *int32, left int32) {
	now := &p.counters
	if kind == Denial {
		return &now.Explicit, explicitLimit(limits, now.Active) - now.Explicit
	}
	now.Limit = implicitLimit(limits, now.Active)
	counter = map[Kind]*int32{Deprovision: &now.Deprovisioned, Demotion: &now.Demoted, Activation: &now.Activated}[kind]
	return counter, now.Limit - implicit(now)
}

// implicit counts the people who went without a denial in the current hour.
func implicit(now *v1alpha1.GuardStatus) int32 {
	return now.Deprovisioned + now.Demoted + now.Activated
}

// implicitLimit is how many people may go in an hour: the percentage of the active ones or the minimum, whichever is more, and never
// more than half of them. Half of one person is one: a deletion of the only person is meant.
func implicitLimit(limits v1alpha1.DeprovisionGuard, active int32) int32 {
	share := percentOf(active, valueOr(limits.Percent, defaultPercent))
	return min(max(valueOr(limits.Minimum, defaultMinimum), share), max(active/2, 1))
}

// explicitLimit is how many people may be denied in an hour, one at least.
func explicitLimit(limits v1alpha1.DeprovisionGuard, active int32) int32 {
	return max(percentOf(active, valueOr(limits.ExplicitPercent, 100)), 1)
}

func percentOf(active, percent int32) int32 { return *status.Int32(int(active) * int(percent) / 100) }

func valueOr(value *int32, otherwise int32) int32 {
	if value == nil {
		return otherwise
	}
	return *value
}

// hold adds to the held set if there is room, also for its approval; what is not listed waits for room.
func (p *policy) hold(entries *entryList, now time.Time) {
	if !fit(entries, p.held, p.approved) {
		return
	}
	if p.held.Len() == 0 {
		p.held.since = new(metav1.NewTime(now.Truncate(time.Second)))
	}
	p.held.addAll(entries)
}

// proposal is an annotation that approves or rejects the held set or a part of it, and who says to have decided; empty is unknown.
type proposal struct{ annotation, value, by string }

func (p proposal) asked() v1alpha1.Decision { return v1alpha1.DecisionOf(p.value) }

// decision is what became of a proposal.
type decision int

const (
	// decided: it was about the set that is held, and is carried out.
	decided decision = iota
	// staleToken: it was about no set that is held now.
	staleToken
	// notHeld: it names a resource about which nothing is held.
	notHeld
	// noRoom: status lists as many people as it can of whom the same was decided before.
	noRoom
)

// reason is that of the event about a proposal that was refused.
func (d decision) reason() string {
	return map[decision]string{staleToken: "StaleToken", notHeld: "NotHeld", noRoom: "NoRoom"}[d]
}

// why ends the event about a proposal that was refused.
func (d decision) why(namespace, organization string) string {
	if d == noRoom {
		return "because status.guard already lists as many people as it can for whom the same was decided before. Wait until they are carried out. After a rejection, declare them again."
	}
	what := "because it names no set that is held now"
	if d == notHeld {
		what = "because it names a resource about which nothing is held"
	}
	return fmt.Sprintf("%s. To see what is held: kubectl lambdatest status -n %s, or status.guard.held of %s %s.", what, namespace, v1alpha1.OrganizationKind, organization)
}

// settlement is what became of a proposal, about whom, and who decided.
type settlement struct {
	decision
	entries []string
	people  int32
	by      string
}

// settle lets exactly the held set go, or the part that is named, or releases it without letting anything happen. A rejection leaves explicit denials
// held: only the claim that denies can take the denial back.
func (p *policy) settle(proposal proposal, by string, now time.Time) settlement {
	asked := proposal.asked()
	if asked.Token == "" || asked.Token != p.token() {
		return settlement{decision: staleToken, by: by}
	}
	settled, list := newList(p.held.UnsortedList()...), p.approved
	for _, name := range asked.Only {
		if !slices.ContainsFunc(p.held.UnsortedList(), func(entry string) bool { return NameIn(entry) == name }) {
			return settlement{decision: notHeld, by: by}
		}
	}
	for _, entry := range p.held.UnsortedList() {
		if len(asked.Only) > 0 && !slices.Contains(asked.Only, NameIn(entry)) {
			settled.remove(entry)
		}
	}
	if proposal.annotation == v1alpha1.RejectDeprovisionAnnotation {
		list = p.rejected
		for entry := range p.held.Set {
			if strings.HasSuffix(entry, DeniedSuffix) {
				settled.remove(entry)
			}
		}
	}
	if !fit(settled, list) {
		return settlement{decision: noRoom, by: by}
	}
	list.addAll(settled)
	list.token, list.since = asked.Token, p.held.since
	list.by, list.decidedAt = by, new(metav1.NewTime(now.UTC().Truncate(time.Second)))
	if p.held.remove(settled.UnsortedList()...); len(asked.Only) > 0 && p.held.Len() > 0 {
		// The token of this decision must never name a set again, not even in the same second.
		since := list.decidedAt.Time
		if before := p.held.since; before != nil && !since.After(before.Time) {
			since = before.Add(time.Second)
		}
		p.held.since = new(metav1.NewTime(since))
	}
	return settlement{entries: settled.sorted(), people: settled.people(), by: by}
}

// keeps tells whether an entry was rejected that outlives its resource, as all do but deactivations.
func (p *policy) keeps(entry string) bool { return p.rejected.Has(entry) && entry != NameIn(entry) }

// drop forgets entries that are over.
func (p *policy) drop(entries ...string) {
	for _, list := range p.lists() {
		list.remove(entries...)
	}
}

func (p *policy) lists() []*entryList {
	return []*entryList{p.held, p.admitted, p.approved, p.rejected}
}

// room is how many more people status can list for certain, however long their names are.
func (p *policy) room() int {
	admitted, admittedBytes := room(p.admitted)
	held, heldBytes := room(p.held, p.approved)
	return max(min(admitted, admittedBytes/maxEntryBytes, held, heldBytes/maxEntryBytes), 0)
}

// entryList is a list of status.guard as a set. Lists are bounded.
type entryList struct {
	sets.Set[string]
	// bytes are what the entries take in status.
	bytes int
	token string
	since *metav1.Time
	// by is who decided about the list, and decidedAt when that was applied; of an approved or rejected one.
	by        string
	decidedAt *metav1.Time
}

func newList(entries ...string) *entryList {
	list := &entryList{Set: sets.Set[string]{}}
	list.add(entries...)
	return list
}

func listOf(stored *v1alpha1.HeldSet) *entryList {
	if stored == nil {
		return newList()
	}
	list := newList(stored.People...)
	list.token, list.since, list.by, list.decidedAt = stored.Token, stored.Since, stored.By, stored.DecidedAt
	return list
}

// export returns nothing without a token.
func (l *entryList) export(token string) *v1alpha1.HeldSet {
	if token == "" {
		return nil
	}
	return &v1alpha1.HeldSet{Token: token, Since: l.since, Count: l.people(), People: l.sorted(), By: l.by, DecidedAt: l.decidedAt}
}

func (l *entryList) add(entries ...string) {
	for _, entry := range entries {
		if !l.Has(entry) {
			l.Insert(entry)
			l.bytes += bytesIn(entry)
		}
	}
}

func (l *entryList) addAll(other *entryList) { l.add(other.UnsortedList()...) }

func (l *entryList) remove(entries ...string) {
	for _, entry := range entries {
		if l.Has(entry) {
			l.Delete(entry)
			l.bytes -= bytesIn(entry)
		}
	}
}

func (l *entryList) sorted() []string { return slices.Sorted(maps.Keys(l.Set)) }

// people counts whom the entries are about: one each, unless an entry says how many.
func (l *entryList) people() int32 {
	sum := 0
	for entry := range l.Set {
		sum += PeopleIn(entry)
	}
	return *status.Int32(sum)
}

// bytesIn is what an entry takes in status, its quotes and comma included.
func bytesIn(entry string) int { return len(entry) + len(`"",`) }

// allIn tells whether each entry is in one of the lists.
func allIn(entries []string, lists ...*entryList) bool {
	return !slices.ContainsFunc(entries, func(entry string) bool {
		return !slices.ContainsFunc(lists, func(list *entryList) bool { return list.Has(entry) })
	})
}

// fit tells whether lists have room in one.
func fit(lists ...*entryList) bool {
	entries, bytes := room(lists...)
	return entries >= 0 && bytes >= 0
}

// room is how many more entries, of how many bytes, would have room in one list with these.
func room(lists ...*entryList) (entries, bytes int) {
	entries, bytes = maxListed, maxListedBytes
	for _, list := range lists {
		entries, bytes = entries-list.Len(), bytes-list.bytes
	}
	return entries, bytes
}

// The endings of entries, by what they say.
const (
	ActivatedSuffix = ": active again"
	DeniedSuffix    = ": denied"
)

// DemotionEntry is the entry for the loss of a role that a claim or a group gave.
func DemotionEntry(claim string, from, to v1alpha1.Role) string {
	return fmt.Sprintf("%s: %s to %s", claim, from, to)
}

// NameIn is the name of the resource that an entry is about.
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
