// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package person

import (
	"cmp"
	"strconv"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/accounts"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// constraints are what else a plan depends on.
type constraints struct {
	// settled says that what is desired had been reached before: a difference now was made at LambdaTest.
	settled bool
	// reportDrift is the organization's driftPolicy Report.
	reportDrift bool
	// roleElsewhere says that the role follows from LambdaTest's groups: what differs there is not set here.
	roleElsewhere bool
	// refusedGroup is a concurrency group that LambdaTest has just refused for this person.
	refusedGroup string
	// setBack says that LambdaTest sets the role or the concurrency group back after each correction: both are left as they are.
	setBack bool
	// vanished says that the person had an account which LambdaTest does not list any more. It may have moved to another organization, so
	// it is looked up before one is created.
	vanished bool
	// newcomer says that the person was claimed while the first sweep is under way, and need not wait for its end.
	newcomer bool
	// denialOnly says that LambdaTest has just refused a denial because of what came with it.
	denialOnly bool
}

// step is the kind of a change.
type step int

const (
	// stepNone: LambdaTest has what is wanted, or what it lacks is only reported.
	stepNone step = iota
	// stepAwait waits for the sweep under way.
	stepAwait
	// stepLookUp reads the account by its userName.
	stepLookUp
	// stepProve reads the account by its id before a denial: an account that LambdaTest shows to the token is in this organization,
	// however many others are gone.
	stepProve
	// stepCreate is one POST.
	stepCreate
	// stepUpdate is one PATCH with all differences.
	stepUpdate
	// stepDeactivate is one DELETE, at the end.
	stepDeactivate
)

// change is what a plan comes to: at most one call.
type change struct {
	step     step
	id       string
	create   lambdatest.User
	update   lambdatest.UserChange
	priority int
	// differences between LambdaTest and what is wanted, also those that are only reported.
	differences []v1alpha1.PlannedChange
	// reported says that the differences are left as they are, by driftPolicy.
	reported bool
	// aboveMax says that the role of the account is higher than the identity provider may give, so what it wants is not done.
	aboveMax bool
}

// mutates tells whether the change writes at LambdaTest.
func (c change) mutates() bool { return c.step >= stepCreate }

// sent is the account with only what this change sends.
func (c change) sent(id string) lambdatest.User {
	account := lambdatest.User{ID: id, Role: c.create.Role, ConcurrencyGroup: c.concurrencyGroup()}
	if c.update.Role != nil {
		account.Role = *c.update.Role
	}
	return account
}

// corrects tells whether the change sets a role or a concurrency group that had been as desired before.
func (c change) corrects(given constraints) bool {
	return c.step == stepUpdate && given.settled && (c.update.Role != nil || c.update.ConcurrencyGroup != nil)
}

// concurrencyGroup is what the change sends of it; empty is nothing.
func (c change) concurrencyGroup() string {
	if c.update.ConcurrencyGroup != nil {
		return *c.update.ConcurrencyGroup
	}
	return c.create.ConcurrencyGroup
}

// plan decides what to do next about a person:
//
//	wanted       account     known since      then
//	active       unknown     before sweep     await the sweep: adopting costs its pages only; look newcomers up
//	active       none        current          create
//	active       none        older            look up if the role is unset, for a POST may reset one; else create
//	any          there       any              update what differs
//	denied       none, off   current          nothing: who is denied is not created
//	denied       none, off   older, unknown   look up: it may have been created or activated
//	deactivated  on          any              deactivate
//	any          several     any              nothing; switch all of them off for who is denied or deactivated
func plan(want claims.Desired, have accounts.Observed, given constraints) change {
	c := change{priority: urgency(want, have, given)}
	given.roleElsewhere = given.roleElsewhere || have.RoleUnsure
	if want.Fate == claims.FateLeft {
		return c
	}
	if len(have.Several) > 0 {
		return c.switchingOff(want, have.Several)
	}
	if mustLookUp(want, have, given) {
		c.step = stepLookUp
		return c
	}
	if !have.Known && have.Sweeping {
		c.step = stepAwait
		return c
	}
	if have.Account == nil {
		return c.creating(want, given)
	}
	return c.updating(want, *have.Account, given)
}

// mustLookUp tells whether what is known is too little to act on, or to leave things as they are.
func mustLookUp(want claims.Desired, have accounts.Observed, given constraints) bool {
	if have.Doubtful || want.Denies() && have.Due {
		return true
	}
	if have.Account == nil && have.Known && given.vanished {
		return true
	}
	if have.Account != nil {
		return want.Denies() && !have.Account.Active && !have.Current
	}
	if have.Known && have.Current {
		return false
	}
	if !have.Known && have.Sweeping {
		return want.Denies() || given.newcomer
	}
	return want.Denies() || want.Effective.Role == "" || want.MaxRole != "" && want.ProviderAlone
}

// switchingOff deals with several accounts of one person: which of them is meant is unknown, but one who is denied has no access with any.
func (c change) switchingOff(want claims.Desired, several []lambdatest.User) change {
	for _, account := range several {
		if want.Denies() && account.Active {
			want.Effective = v1alpha1.EffectiveState{}
			return c.updating(want, account, constraints{})
		}
	}
	return c
}

func (c change) creating(want claims.Desired, given constraints) change {
	if want.Denies() {
		return c
	}
	c.step = stepCreate
	c.create = lambdatest.User{
		UserName:         want.UserName,
		GivenName:        want.GivenName,
		FamilyName:       want.FamilyName,
		Active:           true,
		Role:             string(cmp.Or(want.Effective.Role, want.DefaultRole())),
		ConcurrencyGroup: acceptable(want, given),
	}
	c.differences = []v1alpha1.PlannedChange{{Attribute: "account", To: want.UserName}}
	return c
}

func (c change) updating(want claims.Desired, account lambdatest.User, given constraints) change {
	c.id = account.ID
	if want.Fate == claims.FateDeactivated {
		if account.Active {
			c.step = stepDeactivate
		}
		return c
	}
	c.update, c.differences = differing(want, account, given)
	allowed := want
	allowed.MaxRole = ""
	_, without := differing(allowed, account, given)
	c.aboveMax = len(without) > len(c.differences)
	denying := want.Denies() && account.Active
	reportOnly := given.settled && given.reportDrift
	switch {
	case c.update.IsEmpty():
	case denying && (reportOnly || given.denialOnly):
		// A denial is carried out whatever the policy, and whatever LambdaTest says to the rest.
		c.step, c.update = stepUpdate, lambdatest.UserChange{Active: c.update.Active}
	case reportOnly:
		c.reported = true
	case !given.denialOnly:
		c.step = stepUpdate
	}
	return c
}

// differing returns what an update sets, and the same for people to read.
func differing(want claims.Desired, account lambdatest.User, given constraints) (lambdatest.UserChange, []v1alpha1.PlannedChange) {
	var update lambdatest.UserChange
	var differences []v1alpha1.PlannedChange
	exceeds := want.Exceeds(account.Role)
	if want.Effective.Active != account.Active && (want.Denies() || !exceeds || !want.ProviderAlone) {
		update.Active = &want.Effective.Active
		differences = append(differences, v1alpha1.PlannedChange{
			Attribute: "active", From: strconv.FormatBool(account.Active), To: strconv.FormatBool(want.Effective.Active),
		})
	}
	role := string(want.Effective.Role)
	if role == "" && account.Role == "" && update.Active != nil && *update.Active && want.MaxRole != "" && want.ProviderAlone {
		role = string(cmp.Or(want.DefaultRole(), v1alpha1.RoleUser)) // what LambdaTest does not show may be more
	}
	if role != "" && role != account.Role && !given.roleElsewhere && !given.setBack && (!exceeds || !want.RoleFromProvider) {
		update.Role = &role
		differences = append(differences, v1alpha1.PlannedChange{Attribute: "role", From: status.ShownValue(account.Role), To: role})
	}
	if group := acceptable(want, given); group != "" && group != account.ConcurrencyGroup && !given.setBack {
		update.ConcurrencyGroup = &group
		differences = append(differences, v1alpha1.PlannedChange{Attribute: "concurrencyGroup", From: status.ShownValue(account.ConcurrencyGroup), To: group})
	}
	return update, differences
}

// acceptable is the concurrency group that is wanted, unless LambdaTest has just refused it: the rest must not wait for it.
func acceptable(want claims.Desired, given constraints) string {
	if want.Effective.ConcurrencyGroup == given.refusedGroup {
		return ""
	}
	return want.Effective.ConcurrencyGroup
}

func urgency(want claims.Desired, have accounts.Observed, given constraints) int {
	switch {
	case want.Fate == claims.FateDeactivated && !want.WasDenied:
		return lane.Deletion
	case want.Denies():
		return lane.Denial
	case given.settled:
		return lane.Drift
	case have.Account == nil:
		return lane.Creation
	}
	return lane.Change
}
