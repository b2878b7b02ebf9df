// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/deletion"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/groups"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/guard"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// finalize releases a group that is being deleted. Until then the group gives its role, so that the guard can hold what its members would
// lose. LambdaTest's group is deleted, unless
//
//   - the namespace or the definition of groups is deleted: then members keep what they have;
//   - the organization is gone for good;
//   - the policy is Orphan, or groups are not pushed;
//   - another resource of the displayName takes it over;
//   - it was never LambdaTest's.
func (r *Reconciler) finalize(ctx context.Context, w *work) (status.Outcome, error) {
	if w.isReleased() {
		r.forget(client.ObjectKeyFromObject(w.group))
		return status.Outcome{}, nil
	}
	if may, err := connection.MayDecide(ctx, r.Live, w.organizationName(), w.organization, w.connection); err != nil || !may {
		return status.Outcome{}, err
	}
	why, free, err := r.leavesWithoutAsking(ctx, w)
	switch {
	case err != nil, free && why == status.Note{}:
		return status.Outcome{}, err
	case free:
		return status.Outcome{}, r.release(ctx, w, why)
	}
	if because, may, err := r.guardDemotions(ctx, w); err != nil || !may {
		return because, err
	}
	heir, deletes, err := r.inheritance(ctx, w)
	switch {
	case err != nil:
		return status.Outcome{}, err
	case deletes:
		return r.deleteUpstream(ctx, w)
	case heir == nil:
		return status.Outcome{}, r.release(ctx, w, status.Normal("Released", "LambdaTest's group, if there is one, was left as it is."))
	}
	if err := r.handOver(ctx, w, heir); err != nil {
		return status.Outcome{}, err
	}
	return status.Outcome{}, r.release(ctx, w, status.Normal("Released", claims.GroupReference(heir)+" takes LambdaTest's group over."))
}

// leavesWithoutAsking says whether the group is released without asking guard or LambdaTest, and the event that says why. Without an event, it
// waits until the guard has written down what the members keep.
func (r *Reconciler) leavesWithoutAsking(ctx context.Context, w *work) (status.Note, bool, error) {
	if terminating, err := r.Registry.Terminations.Of(ctx, r.Live, w.group.Namespace, deletion.NamespaceKind); err != nil || terminating {
		return status.Normal("Orphaned", "LambdaTest's group was left as it is, because the namespace is being deleted."), terminating, err
	}
	if terminating, err := r.Registry.Terminations.Of(ctx, r.Live, deletion.GroupsCRD, deletion.DefinitionKind); err != nil || terminating {
		if err == nil && w.connection != nil {
			if kept, err := r.keepRoles(ctx, w); err != nil || !kept {
				return status.Note{}, true, err
			}
		}
		return status.Normal("Orphaned", "LambdaTest's group was left as it is, because its definition is being deleted."), terminating, err
	}
	return status.Warning(v1alpha1.OrganizationNotFoundReason,
		"LambdaTest's group was left as it is, because its organization is gone: delete it there if need be."), w.organization == nil, nil
}

// inheritance decides what becomes of LambdaTest's group: whether it is deleted, else which resource takes it over, if any.
func (r *Reconciler) inheritance(ctx context.Context, w *work) (heir *v1alpha1.LambdaTestGroup, deletes bool, err error) {
	if !w.pushes() || w.group.Spec.DeletionPolicy == v1alpha1.GroupDeletionOrphan {
		return nil, false, nil
	}
	heir = w.successor()
	inherits := heir != nil && (w.connection.GroupID(heir) == "" || w.connection.GroupID(heir) == w.id)
	switch {
	case w.id != "" && inherits:
		return heir, false, nil
	case w.id != "":
		return nil, true, nil
	case !w.leads() || inherits:
		// What there is under the name is the other one's.
		return nil, false, nil
	}
	deletes, err = r.mayHaveCreated(ctx, w)
	return nil, deletes, err
}

// successor is the next resource of the displayName; nil when there is none.
func (w *work) successor() *v1alpha1.LambdaTestGroup {
	return claims.LeaderOf(slices.DeleteFunc(slices.Clone(w.family), func(other *v1alpha1.LambdaTestGroup) bool {
		return claims.SameGroup(other, w.group) || !other.DeletionTimestamp.IsZero()
	}))
}

// handOver writes into the heir's status which group at LambdaTest is its own from now on. Found only by its name, LambdaTest's group would be
// left behind, with the roles that it gives, if the heir is renamed meanwhile. The heir gets its finalizer first: without it, the group would
// be left behind if the heir is deleted before it is reconciled.
func (r *Reconciler) handOver(ctx context.Context, w *work, heir *v1alpha1.LambdaTestGroup) error {
	heir, err := status.EnsureFinalizer(ctx, r.Client, heir)
	if err != nil {
		return err
	}
	if heir.Status.GroupID == w.id {
		return nil
	}
	updated := heir.DeepCopy()
	updated.Status.GroupID = w.id
	if err := r.written.Patch(ctx, r.Client, heir, updated); err != nil {
		return fmt.Errorf("handing a group over: %w", err)
	}
	w.connection.Groups.Identify(heir.Name, w.id)
	return nil
}

// mayHaveCreated tells whether LambdaTest may have a group of a resource whose status.groupID is empty: the process that created it could not
// write the id. Resources that this process has reconciled are known in memory.
func (r *Reconciler) mayHaveCreated(ctx context.Context, w *work) (bool, error) {
	have := w.connection.Groups.Observe(w.group.Name, "", w.group.Spec.DisplayName)
	if have.Group == nil {
		return have.Doubtful || !w.connection.Groups.Get(w.group.Name).Met, nil
	}
	if _, above := w.aboveMaxRole(have.Group); above {
		return false, nil
	}
	holder, err := r.holderOf(ctx, w, have.Group.ID)
	if err != nil || holder != nil {
		return false, err
	}
	w.id = have.Group.ID
	return true, nil
}

// deleteUpstream deletes LambdaTest's group, and releases the resource.
func (r *Reconciler) deleteUpstream(ctx context.Context, w *work) (status.Outcome, error) {
	if because, blocked := w.attempt.Obstacle(false); blocked {
		return because, nil
	}
	if !w.attempt.Acquire(lane.Change) {
		return w.attempt.WhileWaiting(), nil
	}
	if w.id == "" {
		return r.findLost(ctx, w)
	}
	have, _ := w.connection.Groups.ByID(w.id)
	sent := r.Registry.Options.Now()
	err := w.connection.Call(ctx, w.attempt.Place, "DeleteGroup", func(ctx context.Context, upstream connection.Upstream) error {
		return upstream.DeleteGroup(ctx, w.id)
	})
	r.auditCall(w, "DeleteGroup", sent, have.Wish, groups.Wish{}, err)
	if lambdatest.IgnoreNotFound(err) != nil {
		outcome, _ := w.failed(err)
		return outcome, nil //nolint:nilerr // the outcome says what failed, and when the call is repeated
	}
	if err == nil {
		w.connection.Accepted(connection.CauseGroupProvisioning)
	}
	w.connection.Groups.Lost(w.group.Name, w.id, r.Registry.Options.Now())
	w.connection.NameGivenUp(have.DisplayName, "")
	w.connection.DoubtRoles(touchedBy(have.Wish, groups.Wish{}), r.Registry.Options.Now())
	return status.Outcome{}, r.release(ctx, w, status.Normal("Deleted", "Deleted the group at LambdaTest."))
}

// findLost looks up a group whose creation was sent, and whose id was not written down. A call of a former leader may still create it.
func (r *Reconciler) findLost(ctx context.Context, w *work) (status.Outcome, error) {
	w.want, w.next = w.wish(groups.Observed{}), change{step: stepLookUp}
	if outcome, done := r.carryOut(ctx, w); done {
		return outcome, nil
	}
	wait := status.ConflictRetry
	if group, there := w.connection.Groups.Named(w.want.DisplayName); there && !w.absent {
		holder, err := r.holderOf(ctx, w, group.ID)
		if err != nil {
			return status.Outcome{}, err
		}
		if _, above := w.aboveMaxRole(&group); holder == nil && !above {
			w.id = group.ID
		}
	}
	if w.absent {
		wait = max(wait, w.connection.FormerLeaderUntil().Sub(r.Registry.Options.Now()))
		if wait == status.ConflictRetry {
			w.connection.Groups.Change(w.group.Name, func(entry *groups.Entry) { entry.Met = true })
		}
	}
	return status.Outcome{Readiness: status.Progressing, Reason: v1alpha1.ProgressingReason, Message: "The group is being deleted at LambdaTest.", RetryAfter: wait}, nil
}

// release removes the finalizer, and requeues the members. They may be reconciled before the cache shows it: they are requeued again once it
// does.
func (r *Reconciler) release(ctx context.Context, w *work, why status.Note) error {
	var err error
	if w.group, err = status.Release(ctx, r.Client, &r.releases, w.group); err != nil {
		return err
	}
	r.Recorder.Eventf(w.stored, nil, why.Kind, why.Reason, "Release", "%s", why.Text)
	if w.connection != nil {
		w.connection.Guard.Resolve([]string{claims.GroupReference(w.group)}, nil)
		w.connection.WakeMembers(claims.MembersOf(w.group))
	}
	return nil
}

// guardDemotions asks the guard before members lose a role, all of them at once: LambdaTest's group cannot be deleted by halves. A deletion
// by the provider needs no question. It says whether the group may be deleted, and else why not.
func (r *Reconciler) guardDemotions(ctx context.Context, w *work) (because status.Outcome, may bool, err error) {
	if !w.leads() || len(w.group.Spec.Roles) == 0 || deletedByProvider(w.group) {
		return status.Outcome{}, true, nil
	}
	entry, losing, err := r.demotions(ctx, w)
	if err != nil || entry == "" {
		return status.Outcome{}, true, err
	}
	reference := claims.GroupReference(w.group)
	w.connection.Guard.Resolve([]string{reference}, nil, entry)
	switch w.connection.Guard.Ask(guard.Request{Kind: guard.Demotion, Entries: []string{entry}, Asker: w.attempt.Place}) {
	case guard.Admitted:
		return status.Outcome{}, true, nil
	case guard.Pending:
		return status.Outcome{}, false, nil
	case guard.Deferred:
		return guard.DeferredOutcome(w.organization.Name), false, nil
	case guard.Held:
	case guard.Rejected:
		return status.Outcome{}, false, r.release(ctx, w, status.Normal("Orphaned", "LambdaTest's group, and the roles that it gave, were left as they are: the deletion was rejected."))
	}
	w.connection.WakeMembers(claims.MembersOf(w.group))
	w.losing = losing
	would := fmt.Sprintf("deleting this group would take a role from %d of its members, whom status.heldMembers names", len(losing))
	return status.Stalledf(v1alpha1.DemotionHeldReason, "%s", guard.HeldMessage(w.group.Namespace, w.organization.Name, would)), false, nil
}

// keepRoles asks the guard to keep in force what the group gave its members, as after a rejection. It says whether that is written down.
func (r *Reconciler) keepRoles(ctx context.Context, w *work) (bool, error) {
	entry, _, err := r.demotions(ctx, w)
	if err != nil || entry == "" {
		return true, err
	}
	request := guard.Request{Kind: guard.Keep, Entries: []string{entry}, Asker: w.attempt.Place}
	return w.connection.Guard.Ask(request) == guard.Rejected, nil
}

// demotions is the guard's entry for the people who would lose a role with the group, and who they are; empty when there are none.
func (r *Reconciler) demotions(ctx context.Context, w *work) (entry string, losing []string, err error) {
	hash := sha256.New()
	roles := claims.GroupRoles{Reader: r.Client, MaxRole: claims.MaxRoleOf(w.organization)}
	for _, user := range claims.MembersOf(w.group) {
		account, known := w.connection.Accounts.Get(user)
		if !known || !account.Active {
			continue
		}
		left, err := r.roleWithout(ctx, roles, w.group, claims.MemberKey(w.group, user))
		if err != nil {
			return "", nil, err
		}
		if claims.Demotes(v1alpha1.Role(account.Role), left) {
			losing = append(losing, user)
			fmt.Fprintln(hash, account.ID, account.Role, left)
		}
	}
	if len(losing) == 0 {
		return "", nil, nil
	}
	return fmt.Sprintf("%s: %d people lose a role (%s)", claims.GroupReference(w.group), len(losing), hex.EncodeToString(hash.Sum(nil))[:12]), losing, nil
}

// roleWithout is the role that a member would have once the group is gone; none while it makes no difference.
func (r *Reconciler) roleWithout(ctx context.Context, roles claims.GroupRoles, group *v1alpha1.LambdaTestGroup, key claims.PersonKey) (v1alpha1.Role, error) {
	now, err := roles.Of(ctx, key, nil)
	if err != nil || !claims.SameGroup(now.Group, group) {
		return "", err
	}
	then, err := roles.Of(ctx, key, group)
	if err != nil {
		return "", err
	}
	all, err := claims.About(ctx, r.Client, key)
	if err != nil {
		return "", err
	}
	merged := claims.Merge(all, then, roles.MaxRole)
	if len(merged.Living) == 0 {
		return "", nil
	}
	if merged.Desired.Effective.Role == "" {
		return v1alpha1.RoleUser, nil
	}
	return merged.Desired.Effective.Role, nil
}

// deletedByProvider tells whether the identity provider deleted the group: the SCIM endpoint writes an annotation right before.
func deletedByProvider(group *v1alpha1.LambdaTestGroup) bool {
	at, err := time.Parse(time.RFC3339, group.Annotations[v1alpha1.DeletedByProviderAnnotation])
	return err == nil && v1alpha1.IsSCIM(group) && group.DeletionTimestamp.Sub(at).Abs() < providerDeletion
}

// providerDeletion is how long after the endpoint's annotation a deletion counts as the provider's.
const providerDeletion = time.Minute
