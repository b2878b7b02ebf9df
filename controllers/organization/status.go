// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package organization

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// Suspended is the outcome of people and groups while their organization is suspended.
func Suspended(organization string) status.Outcome {
	return status.Stalledf(v1alpha1.SuspendedReason, "%s %s is suspended, so nothing is changed at LambdaTest: set its spec.suspend to false to go on.",
		v1alpha1.OrganizationKind, organization)
}

// errNoAnswer stands for the error of a sweep where only calls for single people failed.
var errNoAnswer = errors.New("calls for single people fail")

// connected is the outcome of a connection that is in force, by its circuit and its last sweep.
func connected(c *connection.Connection) status.Outcome {
	set, _ := c.State()
	last := c.LastSweep()
	mismatch, mismatched := c.Mismatch()
	_, unreliable := c.Unreliable()
	switch state, _ := c.Lane.State(); {
	case last.BaseURL != set.BaseURL && (lambdatest.IsForeign(last.Err) || lambdatest.IsNotFound(last.Err)):
		return misdirected(set.BaseURL, last.Err)
	case state == "unauthorized":
		return status.Stalledf(v1alpha1.UnauthorizedReason, "LambdaTest refuses the token: put a valid one into Secret %s; it is used at once. If the token is valid, ask for another try with the annotation %s.",
			set.TokenSecret, v1alpha1.ReconcileRequestedAtAnnotation)
	case state == "open":
		return status.Progressingf(v1alpha1.UpstreamUnavailableReason, "LambdaTest does not answer (%v). It is tried again and again; nothing needs to be done here.", cmp.Or(last.Err, errNoAnswer))
	case mismatched:
		return mismatch.Outcome(c.Organization.Name)
	case last.Err != nil:
		return status.Progressingf(v1alpha1.UpstreamUnavailableReason, "The last sweep of the organization was discarded, and is repeated (%v).", last.Err)
	case !last.Complete && !unreliable:
		return status.Progressingf(v1alpha1.ProgressingReason, "The first sweep of the organization is under way.")
	}
	return status.Readyf(v1alpha1.SyncedReason, "LambdaTest is reached, and the organization is swept regularly.")
}

// misdirected is the outcome when something else answers at an address where no sweep ever succeeded. After a first success the same answer
// counts as an outage: the address is right, and a proxy may be in trouble.
func misdirected(baseURL string, err error) status.Outcome {
	var answer *lambdatest.Error
	code := ""
	if errors.As(err, &answer) {
		code = fmt.Sprintf(" (%d)", answer.Status)
	}
	return status.Stalledf(v1alpha1.InvalidBaseURLReason, "Something other than LambdaTest's SCIM API answered at %s%s: check spec.baseURL. It is tried again by itself, less and less often.", baseURL, code)
}

// peopleRemain is the outcome of an organization that is being deleted while claims still need it.
func peopleRemain(remaining int, now status.Outcome) status.Outcome {
	what := "1 LambdaTestUser or LambdaTestGroup still needs this organization: delete it"
	if remaining > 1 {
		what = fmt.Sprintf("%d LambdaTestUsers and LambdaTestGroups still need this organization: delete them", remaining)
	}
	stalled := status.Stalledf(v1alpha1.PeopleRemainReason, "%s, with deletionPolicy: Orphan if LambdaTest shall not be called. The organization itself: %s", what, now.Message)
	stalled.RetryAfter = connection.CountsInterval
	return stalled
}

// report writes the organization's status, if it differs, and returns when the guard will have more to report. The guard writes a part of
// the same status: after a conflict the write is repeated once, on top of what the guard wrote.
func (r *Reconciler) report(
	ctx context.Context, organization *v1alpha1.LambdaTestOrganization, c *connection.Connection, now status.Outcome, warned warning,
) (again time.Duration, err error) {
	err = retry.RetryOnConflict(wait.Backoff{Steps: 2}, func() error {
		stored := organization.DeepCopy()
		if err := r.Written.Refresh(ctx, r.Live, stored); err != nil {
			return err
		}
		again, err = r.reportOn(ctx, stored, c, now, warned)
		return err
	})
	return again, client.IgnoreNotFound(err)
}

// reportOn writes what differs from the stored status. Counts and readiness stay while they are unknown.
func (r *Reconciler) reportOn(
	ctx context.Context, stored *v1alpha1.LambdaTestOrganization, c *connection.Connection, now status.Outcome, warned warning,
) (time.Duration, error) {
	updated := stored.DeepCopy()
	describe(updated, c)
	// After a restart, the stored status holds until the first sweep says otherwise.
	unknown := now.Readiness == status.Silent ||
		now.Reason == v1alpha1.ProgressingReason && status.IsReady(stored) && stored.Status.ObservedGeneration == stored.Generation
	if unknown {
		stored.Status.DeepCopyInto(&updated.Status)
	} else {
		status.Settle(updated, now, metav1.NewTime(r.Registry.Options.Now()))
		r.warnOfRefusals(updated, c)
		r.warnOfLists(updated, c)
		r.warnOfSeveral(updated, c)
		r.warnOfAdmins(stored, updated)
	}
	overdue := r.warnOfPendingDenials(updated, c)
	updated.Status.LastHandledReconcileAt = status.ResyncRequest(updated)
	warned.warn(updated, metav1.NewTime(r.Registry.Options.Now()))
	r.showPause(updated)
	again, undescribed := c.Guard.Describe(ctx, updated)
	again = status.Soonest(again, overdue)
	if equality.Semantic.DeepEqual(stored.Status, updated.Status) {
		return again, undescribed
	}
	if err := r.Written.Patch(ctx, r.Client, stored, updated); err != nil {
		return again, errors.Join(undescribed, err)
	}
	if !unknown {
		status.RecordTransition(r.Recorder, stored, updated)
	}
	return again, undescribed
}

// describe fills in everything but the conditions.
func describe(organization *v1alpha1.LambdaTestOrganization, c *connection.Connection) {
	sum, _ := c.Census.Counts()
	last := c.LastSweep()
	state, _ := c.Lane.State()
	unclaimed := max(c.Accounts.Size()-sum.Accounts, 0)
	connection.ObserveCounts(c.Organization, sum, unclaimed, state)
	into := &organization.Status
	into.SCIMTokenSecret = organization.SCIMTokenSecretName()
	into.People, into.Active = status.Int32(sum.People), status.Int32(sum.Active)
	into.Synced, into.Failing = status.Int32(sum.Synced), status.Int32(sum.Failing)
	into.Drifted, into.PendingDenials = status.Int32(sum.Drifted), status.Int32(sum.PendingDenials)
	into.Refused = status.Int32(sum.Refused)
	if last.Complete {
		counted := c.CountAccounts()
		into.Unclaimed, into.Admins = status.Int32(unclaimed), status.Int32(counted.Admins)
		into.UnclaimedActive, into.UnclaimedAdmins = status.Int32(counted.UnclaimedActive), status.Int32(counted.UnclaimedAdmins)
	}
}

// showPause sets a condition while the SCIM endpoint takes nothing but denials.
func (r *Reconciler) showPause(organization *v1alpha1.LambdaTestOrganization) {
	if !organization.Spec.SCIM.Paused {
		meta.RemoveStatusCondition(&organization.Status.Conditions, v1alpha1.SCIMPausedCondition)
		return
	}
	status.SetCondition(&organization.Status.Conditions, organization, metav1.Condition{
		Type: v1alpha1.SCIMPausedCondition, Status: metav1.ConditionTrue, Reason: v1alpha1.PausedReason,
		Message: "The SCIM endpoint takes only denials and deletions of users, and answers 503 to other writes of the identity provider. " +
			"Set spec.scim.paused to false to go on.",
		LastTransitionTime: metav1.NewTime(r.Registry.Options.Now()),
	})
}

// warnOfRefusals sets a condition that counts the people whom LambdaTest refuses, with an event when the condition becomes true. The
// identity provider got its answer before LambdaTest was called, and so takes these people for provisioned.
func (r *Reconciler) warnOfRefusals(organization *v1alpha1.LambdaTestOrganization, c *connection.Connection) {
	sum, _ := c.Census.Counts()
	message := ""
	if sum.Refused > 0 {
		message = refusedMessage(organization, sum.Refused)
	}
	r.warnOf(organization, v1alpha1.PeopleRefusedCondition, v1alpha1.UpstreamRejectedReason, message)
}

// warnOfLists sets a condition while lists of accounts do not show all of them. A change that is made at LambdaTest is then noticed later than
// after a sweep.
func (r *Reconciler) warnOfLists(organization *v1alpha1.LambdaTestOrganization, c *connection.Connection) {
	message := ""
	if because, unreliable := c.Unreliable(); unreliable {
		set, _ := c.State()
		sum, _ := c.Census.Counts()
		message = fmt.Sprintf("LambdaTest's list of users does not show all of them: %s. The operator uses what the list shows, and reads the other people one by one, with a tenth of spec.rateLimit. "+
			"So it notices what is changed at LambdaTest after spec.syncInterval and up to %d min. To find out what LambdaTest does: kubectl lambdatest doctor --organization %s -n %s",
			because, set.RoundOf(sum.People)/time.Minute+1, organization.Name, organization.Namespace)
	}
	r.warnOf(organization, v1alpha1.ListUnreliableCondition, v1alpha1.ReadOneByOneReason, message)
}

// maxSetAside is how many people the condition AccountsSetAside names.
const maxSetAside = 5

// warnOfSeveral sets a condition while people have several accounts, claimed or not.
func (r *Reconciler) warnOfSeveral(organization *v1alpha1.LambdaTestOrganization, c *connection.Connection) {
	message := ""
	if people := c.LastSweep().Several; len(people) > 0 {
		message = fmt.Sprintf("LambdaTest has several accounts for each of %d userNames, which differ only in case. "+
			"None of them is changed, except that a denial deactivates all of a person. Delete all but one of each there: accounts %s.", len(people), strings.Join(people[:min(len(people), maxSetAside)], "; "))
	}
	r.warnOf(organization, v1alpha1.AccountsSetAsideCondition, v1alpha1.AmbiguousAccountReason, message)
}

// warnOf sets a condition, with an event when it becomes true, or removes it when there is nothing to say.
func (r *Reconciler) warnOf(organization *v1alpha1.LambdaTestOrganization, condition, reason, message string) {
	if message == "" {
		meta.RemoveStatusCondition(&organization.Status.Conditions, condition)
		return
	}
	if !meta.IsStatusConditionTrue(organization.Status.Conditions, condition) {
		r.Recorder.Eventf(organization, nil, corev1.EventTypeWarning, condition, "Reconcile", "%s", message)
	}
	status.SetCondition(&organization.Status.Conditions, organization, metav1.Condition{
		Type: condition, Status: metav1.ConditionTrue, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(r.Registry.Options.Now()),
	})
}

func refusedMessage(organization *v1alpha1.LambdaTestOrganization, people int) string {
	whom := "1 person"
	if people > 1 {
		whom = fmt.Sprintf("%d people", people)
	}
	return fmt.Sprintf("LambdaTest refuses %s, or a part of what is wanted for them; the identity provider does not see this. Who and why: "+
		"kubectl get ltuser -n %s --field-selector spec.organizationRef.name=%s -o wide | grep -E '%s'",
		whom, organization.Namespace, organization.Name, strings.Join(connection.RefusalReasons, "|"))
}
