// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// LoggerName is the value of the field "logger" of each line.
const LoggerName = "audit"

// Event is what a line is about.
type Event string

// The events of a person.
const (
	// Called: a call to LambdaTest that changes something was made. Outcome says how it ended.
	Called Event = "Called"
	// Denied: a claim began to deny a person. Decided is since when.
	Denied Event = "Denied"
	// DenialDone: LambdaTest has no active account of a denied person any more. Decided is when the claim denied, Done when this was read.
	DenialDone Event = "DenialDone"
	// DenialOverdue: a person has been denied for more than a minute, and can still sign in. Reason says why.
	DenialOverdue Event = "DenialOverdue"
	// DenialEnded: a claim that denied a person does not deny any more, or is gone.
	DenialEnded Event = "DenialEnded"
	// DeniedInPart: the SCIM endpoint applied only the denial of a request. Reason is the kind of the SCIM error of the rest.
	DeniedInPart Event = "DeniedInPart"
	// BecameAdmin: an active account became Admin. Because names the claim or group; without it, no resource decides the role.
	BecameAdmin Event = "BecameAdmin"
	// ActivatedAtLambdaTest: the account of a denied person was switched on at LambdaTest, by hand for example.
	ActivatedAtLambdaTest Event = "ActivatedAtLambdaTest"
)

// The events of an organization.
const (
	// GuardHeld, GuardAdmitted: the guard held a change, or let it happen within the limit. Entries say which.
	GuardHeld     Event = "GuardHeld"
	GuardAdmitted Event = "GuardAdmitted"
	// GuardApproved, GuardRejected: a held set was approved or rejected. By is who did it, Entries are what was decided about.
	GuardApproved Event = "GuardApproved"
	GuardRejected Event = "GuardRejected"
	// GuardRefused: an approval or rejection was not applied. Reason is StaleToken or NoRoom.
	GuardRefused Event = "GuardRefused"
	// NoActiveAdmin: LambdaTest has no active Admin in the organization any more.
	NoActiveAdmin Event = "NoActiveAdmin"
	// TokenCreated: the operator created a SCIM token. TokenKey is its key in the Secret that Resource names.
	TokenCreated Event = "TokenCreated"
	// TokenUsed, TokenRefused: a SCIM token was accepted, or refused, for the first time.
	TokenUsed    Event = "TokenUsed"
	TokenRefused Event = "TokenRefused"
)

// Events are all of them.
var Events = []Event{
	Called, Denied, DenialDone, DenialOverdue, DenialEnded, DeniedInPart, BecameAdmin, ActivatedAtLambdaTest,
	GuardHeld, GuardAdmitted, GuardApproved, GuardRejected, GuardRefused, NoActiveAdmin, TokenCreated, TokenUsed, TokenRefused,
}

// Outcomes of a call.
const (
	// OutcomeDone: LambdaTest answered that the change was made.
	OutcomeDone = "done"
	// OutcomeRefused: LambdaTest refused the change.
	OutcomeRefused = "refused"
	// OutcomeUnknown: the answer was lost. The change may have been made; the operator reads the account and, if need be, calls again.
	OutcomeUnknown = "unknown"
	// OutcomeFailed: the change was not made.
	OutcomeFailed = "failed"
)

// Change is one attribute that a call was to change: active, role or concurrencyGroup of an account; displayName, roles or members of a group. Of
// members, From are the ids of the accounts that leave, To of those that join, at most 100 of each.
type Change struct {
	Attribute string `json:"attribute"`
	From      string `json:"from,omitempty"`
	To        string `json:"to,omitempty"`
}

// Line is one line of the audit log. Absent fields say nothing.
type Line struct {
	Event        Event  `json:"event"`
	Namespace    string `json:"namespace"`
	Organization string `json:"organization"`
	// Person is v1alpha1.PersonDigest of the organization's name and the userName, which can be computed from an address. Address is the
	// userName itself; it is absent unless the operator runs with --audit-addresses.
	Person  string `json:"person,omitempty"`
	Address string `json:"address,omitempty"`
	// Resource is what the line is about, as "LambdaTestUser/<name>", and UID its uid.
	Resource string `json:"resource,omitempty"`
	UID      string `json:"uid,omitempty"`
	// Account is the id of the account at LambdaTest, Group that of the group.
	Account string `json:"account,omitempty"`
	Group   string `json:"group,omitempty"`
	// Call is what was called: CreateUser, UpdateUser, DeactivateUser, CreateGroup, PatchGroup, ReplaceGroup or DeleteGroup; Changes what it was to
	// change, without addresses; Outcome how it ended.
	Call    string   `json:"call,omitempty"`
	Changes []Change `json:"changes,omitempty"`
	Outcome string   `json:"outcome,omitempty"`
	// Because names the resources that decided it: the claim that denies, the claim or group that gives the role. Without it, no resource does.
	Because []string `json:"because,omitempty"`
	// Decided is when the claim changed, Sent when the call began, Done when the answer came. RFC 3339, in UTC.
	Decided *time.Time `json:"decided,omitempty"`
	Sent    *time.Time `json:"sent,omitempty"`
	Done    *time.Time `json:"done,omitempty"`
	// Reason is a condition reason, an event reason or the kind of a SCIM error.
	Reason string `json:"reason,omitempty"`
	// Token names a held set, Entries are those of the set as in status.guard, and People how many people they are about.
	Token   string   `json:"token,omitempty"`
	Entries []string `json:"entries,omitempty"`
	People  int      `json:"people,omitempty"`
	// By is who decided about a held set.
	By string `json:"by,omitempty"`
	// TokenKey is the key of a SCIM token in its Secret, never the token.
	TokenKey string `json:"tokenKey,omitempty"`
}

// PersonOf is Line.Person of a userName.
func PersonOf(organization, userName string) string {
	return v1alpha1.PersonDigest(organization, userName)
}
