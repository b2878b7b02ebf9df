// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package organization

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/audit"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

const (
	// scimTokenBytes make a SCIM token: 256 bits.
	scimTokenBytes = 32
	// tokenExpiryNotice is how long before its expiry a SCIM token is warned of.
	tokenExpiryNotice = 14 * 24 * time.Hour
	// tokenCheck is how often tokens with an expiry are checked again.
	tokenCheck = time.Hour
	// scimTokenRetry is how often the operator tries to create the Secret of the SCIM token.
	scimTokenRetry = 10 * time.Second
)

// scimTokens are the SCIM tokens that organizations have, as digests. The zero value is ready for use.
type scimTokens struct {
	mu             sync.Mutex
	byOrganization map[types.NamespacedName][]v1alpha1.SCIMToken
}

// set replaces the tokens of an organization, and returns the other organizations that share one of the old or of the new ones.
func (s *scimTokens) set(organization types.NamespacedName, tokens []v1alpha1.SCIMToken) []types.NamespacedName {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.byOrganization[organization]
	if slices.Equal(before, tokens) {
		return nil
	}
	if s.byOrganization == nil {
		s.byOrganization = map[types.NamespacedName][]v1alpha1.SCIMToken{}
	}
	s.byOrganization[organization] = tokens
	if len(tokens) == 0 {
		delete(s.byOrganization, organization)
	}
	var sharing []types.NamespacedName
	for other, theirs := range s.byOrganization {
		shares := func(token v1alpha1.SCIMToken) bool {
			return slices.ContainsFunc(theirs, func(their v1alpha1.SCIMToken) bool { return sameToken(token, their) })
		}
		if other != organization && (slices.ContainsFunc(before, shares) || slices.ContainsFunc(tokens, shares)) {
			sharing = append(sharing, other)
		}
	}
	return sharing
}

// sameToken tells whether two tokens of two organizations are one. A bound one is no other organization's.
func sameToken(a, b v1alpha1.SCIMToken) bool {
	return a.Ignored == "" && b.Ignored == "" && !a.Bound && !b.Bound && a.Digest == b.Digest
}

// rival names another organization that has the same token; empty is none.
func (s *scimTokens) rival(organization types.NamespacedName, token v1alpha1.SCIMToken, now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rivals []string
	for other, theirs := range s.byOrganization {
		same := func(their v1alpha1.SCIMToken) bool { return sameToken(token, their) && their.Accepts(now) }
		if other != organization && slices.ContainsFunc(theirs, same) {
			rivals = append(rivals, other.String())
		}
	}
	slices.Sort(rivals)
	return append(rivals, "")[0]
}

// warning is what is wrong with the SCIM tokens of an organization; the zero value is nothing.
type warning struct {
	reason, message string
	// tokens are the keys of those that exist; nil where that is not known.
	tokens sets.Set[string]
	// unknown says that the tokens could not be read.
	unknown bool
	// again is when to check again; zero is at the next change.
	again time.Duration
}

// checkSCIMTokens reads the SCIM tokens and returns the most serious warning about them. It decides nothing: the SCIM endpoint does, by the
// same rules. After an error nothing is known, and the former warning stays.
func (r *Reconciler) checkSCIMTokens(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, c *connection.Connection) (warning, error) {
	secret, missing, err := r.scimSecret(ctx, organization)
	if err != nil {
		return warning{unknown: true}, err
	}
	if secret == nil {
		r.setSCIMTokens(client.ObjectKeyFromObject(organization), nil)
		return missing, nil
	}
	tokens := v1alpha1.ParseSCIMTokens(secret.Data, secret.Annotations)
	r.setSCIMTokens(client.ObjectKeyFromObject(organization), tokens)
	worst := warning{tokens: sets.New[string]()}
	for _, token := range tokens {
		if found := r.judge(token, c); rankOfWarning[found.reason] > rankOfWarning[worst.reason] {
			worst.reason = found.reason
			worst.message = fmt.Sprintf("SCIM token %q of Secret %s %s.", token.Key, secret.Name, found.message)
		}
		worst.tokens.Insert(token.Key)
		if !token.Expires.IsZero() {
			worst.again = tokenCheck
		}
	}
	return worst, nil
}

// setSCIMTokens notes the tokens of an organization, and requeues the others to whom it matters: their conditions depend on it.
func (r *Reconciler) setSCIMTokens(organization types.NamespacedName, tokens []v1alpha1.SCIMToken) {
	for _, other := range r.scimTokens.set(organization, tokens) {
		r.Registry.Organizations.Add(lane.Change, ctrl.Request{NamespacedName: other})
	}
}

// scimSecret reads the Secret with the SCIM tokens, or warns that there is none. It creates the Secret unless the spec names one. A Secret
// of that name that the organization does not own is used as it is: whoever may create Secrets may choose tokens.
func (r *Reconciler) scimSecret(ctx context.Context, organization *v1alpha1.LambdaTestOrganization) (*corev1.Secret, warning, error) {
	secret := &corev1.Secret{}
	name := types.NamespacedName{Namespace: organization.Namespace, Name: organization.SCIMTokenSecretName()}
	err := r.getSecret(ctx, name, secret)
	if err == nil {
		return secret, warning{}, nil
	}
	if !apierrors.IsNotFound(err) {
		return nil, warning{}, fmt.Errorf("reading Secret %s: %w", name.Name, err)
	}
	missing := warning{reason: v1alpha1.SecretNotFoundReason, message: fmt.Sprintf(
		"There is no Secret %s, so no identity provider gets in: create it with a token of %d bytes at least.", name.Name, v1alpha1.MinSCIMTokenBytes)}
	if organization.Spec.SCIM.TokenSecretRef != nil || !organization.DeletionTimestamp.IsZero() {
		return nil, missing, nil
	}
	created, err := r.createSCIMToken(ctx, organization)
	if err == nil {
		return created, warning{}, nil
	}
	if apierrors.IsAlreadyExists(err) {
		return nil, warning{}, fmt.Errorf("creating Secret %s: %w", name.Name, err)
	}
	missing.message += fmt.Sprintf(" The operator cannot create it, and tries again by itself (%v).", err)
	missing.again = scimTokenRetry
	return nil, missing, nil
}

// createSCIMToken creates the Secret with a token for the identity provider. The organization owns it.
func (r *Reconciler) createSCIMToken(ctx context.Context, organization *v1alpha1.LambdaTestOrganization) (*corev1.Secret, error) {
	random := make([]byte, scimTokenBytes)
	rand.Read(random) // never fails
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: organization.Namespace, Name: organization.SCIMTokenSecretName()},
		Type:       corev1.SecretTypeOpaque,
		Data:       map[string][]byte{v1alpha1.DefaultTokenKey: []byte(base64.RawURLEncoding.EncodeToString(random))},
	}
	if err := controllerutil.SetControllerReference(organization, secret, r.Client.Scheme()); err != nil {
		return nil, fmt.Errorf("owning Secret %s: %w", secret.Name, err)
	}
	if err := r.Client.Create(ctx, secret); err != nil {
		return secret, err
	}
	r.Registry.Options.Audit.Write(audit.Line{
		Event: audit.TokenCreated, Namespace: organization.Namespace, Organization: organization.Name,
		Resource: "Secret/" + secret.Name, UID: string(secret.UID), TokenKey: v1alpha1.DefaultTokenKey,
	}, "")
	return secret, nil
}

var rankOfWarning = map[string]int{v1alpha1.TokenExpiringReason: 1, v1alpha1.TokenIgnoredReason: 2, v1alpha1.TokenConflictReason: 3}

func (r *Reconciler) judge(token v1alpha1.SCIMToken, c *connection.Connection) warning {
	now := r.Registry.Options.Now()
	if token.Ignored != "" {
		return warning{reason: v1alpha1.TokenIgnoredReason, message: token.Ignored + ", and is not accepted: replace it"}
	}
	switch {
	case token.IsExpired(now):
		return warning{reason: v1alpha1.TokenIgnoredReason, message: "has expired: remove it"}
	case r.scimTokens.rival(c.Organization, token, now) != "":
		return warning{reason: v1alpha1.TokenConflictReason, message: "is a token of " + r.scimTokens.rival(c.Organization, token, now) +
			" too, and is accepted for neither: make another for each"}
	case !token.Expires.IsZero() && token.Expires.Before(now.Add(tokenExpiryNotice)):
		return warning{reason: v1alpha1.TokenExpiringReason, message: fmt.Sprintf(
			"expires at %s: add another key, switch the provider, remove this one", token.Expires.UTC().Format(time.RFC3339))}
	}
	return warning{}
}

// warn sets or removes the condition, and removes the last use of tokens that are gone. While the tokens are unknown it changes nothing.
func (w warning) warn(organization *v1alpha1.LambdaTestOrganization, at metav1.Time) {
	if w.unknown {
		return
	}
	maps.DeleteFunc(organization.Status.SCIMTokenLastUse, func(key string, _ metav1.Time) bool {
		return w.tokens != nil && !w.tokens.Has(key)
	})
	if w.reason == "" {
		meta.RemoveStatusCondition(&organization.Status.Conditions, v1alpha1.SCIMTokenWarningCondition)
		return
	}
	status.SetCondition(&organization.Status.Conditions, organization, metav1.Condition{
		Type: v1alpha1.SCIMTokenWarningCondition, Status: metav1.ConditionTrue, Reason: w.reason, Message: w.message, LastTransitionTime: at,
	})
}
