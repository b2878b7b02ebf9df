// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strconv"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// observed is what is known of a person's account.
type observed struct {
	// account at LambdaTest; nil when there is none, or when nobody knows.
	account *lambdatest.User
	// known tells "none" from "nobody knows".
	known bool
	// current says that it was read after what is wanted came to be wanted. Without it, an account may have been created or
	// reactivated meanwhile.
	current bool
	// comparing says that no comparison of the whole organization has ended yet, so one is about to tell.
	comparing bool
	// doubtful says that a change was sent, that nobody knows what came of it, and that the account was not read since.
	doubtful bool
	// readBackAt, unless zero, is when an account that must not be active is to be read again, because a late change may undo what
	// was read; due says that the time has come.
	readBackAt time.Time
	due        bool
	// roleUnsure says that LambdaTest has computed the role anew since it was read: nobody sets it before it is read again.
	roleUnsure bool
}

// circumstances are what else a plan depends on.
type circumstances struct {
	// settled says that what is wanted had been reached before: a difference now was made at LambdaTest.
	settled bool
	// reportDrift is the organization's driftPolicy Report.
	reportDrift bool
	// roleElsewhere says that the role follows from LambdaTest's groups: what differs there is not set here.
	roleElsewhere bool
	// refusedGroup is a concurrency group that LambdaTest has just refused for this person.
	refusedGroup string
	// newcomer says that the person was claimed while the first comparison is under way, and need not wait for its end.
	newcomer bool
	// denialOnly says that LambdaTest has just refused a denial because of what came with it.
	denialOnly bool
}

// step is the kind of a change.
type step int

const (
	// stepNone: LambdaTest has what is wanted, or what it lacks is only reported.
	stepNone step = iota
	// stepAwait: the comparison under way will tell.
	stepAwait
	// stepLookUp reads the account by its userName.
	stepLookUp
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
	// denies says that the change takes access away.
	denies bool
}

// mutates tells whether the change writes at LambdaTest.
func (c change) mutates() bool { return c.step >= stepCreate }

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
//	active       unknown     before sweep     await the comparison: adopting costs its pages only; look newcomers up
//	active       none        current          create
//	active       none        older            look up if the role is unset, for a POST may reset one; else create
//	any          there       any              update what differs
//	denied       none, off   current          nothing: who is denied is not created
//	denied       none, off   older, unknown   look up: somebody may have created or activated it
//	let go       on          any              deactivate
func plan(want desired, have observed, given circumstances) change {
	c := change{priority: urgency(want, have, given), denies: want.denies()}
	given.roleElsewhere = given.roleElsewhere || have.roleUnsure
	if want.fate == fateLeft {
		return c
	}
	if mustLookUp(want, have, given) {
		c.step = stepLookUp
		return c
	}
	if !have.known && have.comparing {
		c.step = stepAwait
		return c
	}
	if have.account == nil {
		return c.creating(want, given)
	}
	return c.updating(want, *have.account, given)
}

// mustLookUp tells whether what is known is too little to act on, or to leave things as they are.
func mustLookUp(want desired, have observed, given circumstances) bool {
	if have.doubtful || want.denies() && have.due {
		return true
	}
	if have.account != nil {
		return want.denies() && !have.account.Active && !have.current
	}
	if have.known && have.current {
		return false
	}
	if !have.known && have.comparing {
		return want.denies() || given.newcomer
	}
	return want.denies() || want.effective.Role == ""
}

func (c change) creating(want desired, given circumstances) change {
	if want.denies() {
		return c
	}
	c.step = stepCreate
	c.create = lambdatest.User{
		UserName:         want.userName,
		GivenName:        want.givenName,
		FamilyName:       want.familyName,
		Active:           true,
		Role:             string(want.effective.Role),
		ConcurrencyGroup: acceptable(want, given),
	}
	c.differences = []v1alpha1.PlannedChange{{Attribute: "account", To: want.userName}}
	return c
}

func (c change) updating(want desired, account lambdatest.User, given circumstances) change {
	c.id = account.ID
	if want.fate == fateDeactivated {
		if account.Active {
			c.step = stepDeactivate
		}
		return c
	}
	c.update, c.differences = differing(want, account, given)
	denying := want.denies() && account.Active
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
func differing(want desired, account lambdatest.User, given circumstances) (lambdatest.UserChange, []v1alpha1.PlannedChange) {
	var update lambdatest.UserChange
	var differences []v1alpha1.PlannedChange
	if want.effective.Active != account.Active {
		update.Active = &want.effective.Active
		differences = append(differences, v1alpha1.PlannedChange{
			Attribute: "active", From: strconv.FormatBool(account.Active), To: strconv.FormatBool(want.effective.Active),
		})
	}
	if role := string(want.effective.Role); role != "" && role != account.Role && !given.roleElsewhere {
		update.Role = &role
		differences = append(differences, v1alpha1.PlannedChange{Attribute: "role", From: shownValue(account.Role), To: role})
	}
	if group := acceptable(want, given); group != "" && group != account.ConcurrencyGroup {
		update.ConcurrencyGroup = &group
		differences = append(differences, v1alpha1.PlannedChange{Attribute: "concurrencyGroup", From: shownValue(account.ConcurrencyGroup), To: group})
	}
	return update, differences
}

// acceptable is the concurrency group that is wanted, unless LambdaTest has just refused it: the rest must not wait for it.
func acceptable(want desired, given circumstances) string {
	if want.effective.ConcurrencyGroup == given.refusedGroup {
		return ""
	}
	return want.effective.ConcurrencyGroup
}

func urgency(want desired, have observed, given circumstances) int {
	switch {
	case want.fate == fateDeactivated && !want.wasDenied:
		return priorityDeletion
	case want.denies():
		return priorityDenial
	case given.settled:
		return priorityDrift
	case have.account == nil:
		return priorityCreation
	}
	return priorityChange
}
