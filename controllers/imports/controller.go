// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// Reconciler gives each account that no resource claims a LambdaTestUser that only observes, where an organization asks for that. It
// reconciles an organization after each complete sweep, and never calls LambdaTest.
type Reconciler struct {
	Client       client.Client
	Registry     *connection.Registry
	unimportable unimportable
}

const (
	// batchSize and batchPause bound how fast resources are created and deleted: 100 a second.
	batchSize  = 100
	batchPause = time.Second
	// unknownName stands for a part of a name that LambdaTest does not show.
	unknownName = "Unknown"
	// maxNamePart is what the API takes of a part of a name.
	maxNamePart = 256
)

// Reconcile makes the imported resources of an organization what its accounts and claims ask for, a batch at a time.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	organization := &v1alpha1.LambdaTestOrganization{}
	err := r.Client.Get(ctx, request.NamespacedName, organization)
	if client.IgnoreNotFound(err) != nil {
		return ctrl.Result{}, fmt.Errorf("reading organization: %w", err)
	}
	wanted, known := r.wanted(organization, request)
	if !known {
		return ctrl.Result{}, nil
	}
	claims, err := r.claims(ctx, request, wanted)
	if err != nil {
		return ctrl.Result{}, err
	}
	plan := planBatch(wanted, claims)
	plan.create = r.unimportable.without(request.NamespacedName, plan.create, r.Registry.Options.Now())
	more, err := r.apply(ctx, organization, plan)
	if err != nil || !more {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: batchPause}, nil
}

// wanted are the accounts to be shown by folded userName, and whether that is known: after a complete sweep, or when none are.
func (r *Reconciler) wanted(organization *v1alpha1.LambdaTestOrganization, request ctrl.Request) (map[string]lambdatest.User, bool) {
	if organization.Spec.ImportUsers != v1alpha1.ImportObserve || !organization.DeletionTimestamp.IsZero() {
		return nil, true
	}
	connection, there := r.Registry.Find(request.NamespacedName)
	if !there || !connection.LastSweep().Complete || !connection.Accounts.Swept() {
		return nil, false
	}
	accounts := map[string]lambdatest.User{}
	connection.Accounts.Each(func(user string, account lambdatest.User) bool {
		accounts[user] = account
		return true
	})
	return accounts, true
}

// claims are those that a plan depends on: all of the organization, or the imported ones when no account is to be shown.
func (r *Reconciler) claims(ctx context.Context, request ctrl.Request, wanted map[string]lambdatest.User) ([]*v1alpha1.LambdaTestUser, error) {
	if len(wanted) == 0 {
		return claims.Of(ctx, r.Client, request.NamespacedName, client.MatchingLabels{v1alpha1.SourceLabel: v1alpha1.SourceImport})
	}
	return claims.Of(ctx, r.Client, request.NamespacedName)
}

// batch is what is to be done about imported resources.
type batch struct {
	create []lambdatest.User
	// update are resources that say another active than the account has.
	update, remove []*v1alpha1.LambdaTestUser
}

// planBatch decides what to do, by accounts and by the claims about their people:
//
//	account   other resource   imported   then
//	there     none             no         create
//	there     none             yes        keep; follow the account's active
//	any       Full             yes        remove
//	there     Observe          any        leave as it is: the other one observes
//	gone      none             yes        remove
func planBatch(accounts map[string]lambdatest.User, all []*v1alpha1.LambdaTestUser) batch {
	var plan batch
	watched, claimed := sets.New[string](), sets.New[string]()
	for _, claim := range all {
		user := v1alpha1.FoldUserName(claim.Spec.UserName)
		if watched.Insert(user); claims.IsFull(claim) {
			claimed.Insert(user)
		}
	}
	for _, claim := range all {
		if !v1alpha1.IsImported(claim) {
			continue
		}
		user := v1alpha1.FoldUserName(claim.Spec.UserName)
		account, there := accounts[user]
		switch {
		case !there || claimed.Has(user):
			plan.remove = append(plan.remove, claim)
		case claim.IsDenial() == account.Active:
			plan.update = append(plan.update, claim)
		}
	}
	for user, account := range accounts {
		if !watched.Has(user) {
			plan.create = append(plan.create, account)
		}
	}
	return plan
}

// apply carries out a batch of a plan, and says whether more is to be done.
func (r *Reconciler) apply(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, plan batch) (bool, error) {
	left := batchSize
	for _, claim := range plan.remove {
		if left--; left < 0 {
			return true, nil
		}
		if err := claims.DeleteImported(ctx, r.Client, claim); err != nil {
			return false, err
		}
	}
	for _, claim := range plan.update {
		if left--; left < 0 {
			return true, nil
		}
		updated := claim.DeepCopy()
		updated.Spec.Active = new(claim.IsDenial())
		if err := client.IgnoreNotFound(r.Client.Patch(ctx, updated, client.MergeFrom(claim))); err != nil {
			return false, fmt.Errorf("updating an imported resource: %w", err)
		}
	}
	for _, account := range plan.create {
		if left--; left < 0 {
			return true, nil
		}
		if err := r.create(ctx, organization, account); err != nil {
			return false, err
		}
	}
	return false, nil
}

// unimportable are accounts that the API server takes no resource for, and since when that is known. The API server is asked again after
// RefusalPauseMax, or when the account has changed.
type unimportable struct {
	mu    sync.Mutex
	since map[unimportableAccount]time.Time
}

// unimportableAccount is an account by its digest: a LambdaTest that shows other long names in each sweep must not fill the memory.
type unimportableAccount struct {
	organization types.NamespacedName
	account      [sha256.Size]byte
}

func unimportableKey(organization types.NamespacedName, account lambdatest.User) unimportableAccount {
	return unimportableAccount{organization, sha256.Sum256(fmt.Appendf(nil, "%#v", account))}
}

func (u *unimportable) add(organization types.NamespacedName, account lambdatest.User, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.since == nil {
		u.since = map[unimportableAccount]time.Time{}
	}
	u.since[unimportableKey(organization, account)] = now
}

// without leaves them out.
func (u *unimportable) without(organization types.NamespacedName, accounts []lambdatest.User, now time.Time) []lambdatest.User {
	u.mu.Lock()
	defer u.mu.Unlock()
	maps.DeleteFunc(u.since, func(_ unimportableAccount, since time.Time) bool { return now.Sub(since) >= connection.RefusalPauseMax })
	return slices.DeleteFunc(accounts, func(account lambdatest.User) bool {
		_, refused := u.since[unimportableKey(organization, account)]
		return refused
	})
}

// create adds the resource of an account. A userName that no resource can have is left out: the account stays counted as unclaimed.
func (r *Reconciler) create(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, account lambdatest.User) error {
	err := r.Client.Create(ctx, imported(organization, account))
	switch {
	case apierrors.IsAlreadyExists(err):
		return nil
	case apierrors.IsInvalid(err):
		ctrl.LoggerFrom(ctx).Info("an account cannot be imported", "person", v1alpha1.PersonDigest(organization.Name, account.UserName))
		r.unimportable.add(client.ObjectKeyFromObject(organization), account, r.Registry.Options.Now())
		return nil
	case err != nil:
		return fmt.Errorf("creating an imported resource: %w", err)
	}
	return nil
}

// imported is the resource of an account. The organization owns it, so that it never outlives it.
func imported(organization *v1alpha1.LambdaTestOrganization, account lambdatest.User) *v1alpha1.LambdaTestUser {
	return &v1alpha1.LambdaTestUser{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: organization.Namespace,
			Name:      v1alpha1.ImportedUserName(organization.Name, account.UserName),
			Labels: map[string]string{
				v1alpha1.SourceLabel: v1alpha1.SourceImport,
				v1alpha1.PersonLabel: v1alpha1.PersonDigest(organization.Name, account.UserName),
			},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: v1alpha1.OrganizationKind, Name: organization.Name, UID: organization.UID,
			}},
		},
		Spec: v1alpha1.LambdaTestUserSpec{
			OrganizationRef:  v1alpha1.OrganizationReference{Name: organization.Name},
			UserName:         account.UserName,
			Name:             v1alpha1.PersonName{GivenName: namePart(account.GivenName), FamilyName: namePart(account.FamilyName)},
			Active:           &account.Active,
			ManagementPolicy: v1alpha1.ManagementObserve,
		},
	}
}

func namePart(part string) string {
	runes := []rune(part)
	if len(runes) == 0 {
		return unknownName
	}
	return string(runes[:min(len(runes), maxNamePart)])
}

// SetupWithManager adds the controller to the manager.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("import").
		For(&v1alpha1.LambdaTestOrganization{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(r.Registry.Imports.Source()).
		Complete(r)
}
