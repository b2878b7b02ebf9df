// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package organization

import (
	"context"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
)

const (
	// tokenExpiryNotice is how long before the expiry of a SCIM token people are told.
	tokenExpiryNotice = 14 * 24 * time.Hour
	// tokenCheck is how often tokens with an expiry are looked at.
	tokenCheck = time.Hour
	// scimTokenRetry is how often the operator tries to create the Secret of the SCIM token.
	scimTokenRetry = 10 * time.Second
)

// warning is what is wrong with the SCIM tokens of an organization; the zero value is nothing.
type warning struct {
	reason, message string
	// tokens are those that there are; nil where that is not known.
	tokens map[string]struct{}
	// unknown says that the tokens could not be read.
	unknown bool
	// again is when to look again; zero is at the next change.
	again time.Duration
}

// checkSCIMTokens reads the SCIM tokens and says what people should know about them: the worst first. It decides nothing; the SCIM
// endpoint, which judges by the same rules, does. After an error nothing is known, and what was warned of before stays.
func (r *Reconciler) checkSCIMTokens(ctx context.Context, organization *v1alpha1.LambdaTestOrganization, c *connection.Connection) (warning, error) {
	secret, missing, err := r.scimTokens(ctx, organization)
	if err != nil {
		return warning{unknown: true}, err
	}
	if secret == nil {
		c.OfferTokens(nil)
		return missing, nil
	}
	tokens := v1alpha1.ParseSCIMTokens(secret.Data, secret.Annotations)
	c.OfferTokens(tokens)
	worst := warning{tokens: make(map[string]struct{}, len(tokens))}
	for _, token := range tokens {
		if found := r.judge(token, c); rankOfWarning[found.reason] > rankOfWarning[worst.reason] {
			worst.reason = found.reason
			worst.message = fmt.Sprintf("SCIM token %q of Secret %s %s.", token.Key, secret.Name, found.message)
		}
		worst.tokens[token.Key] = struct{}{}
		if !token.Expires.IsZero() {
			worst.again = tokenCheck
		}
	}
	return worst, nil
}

// scimTokens reads the Secret with the SCIM tokens, or says why there is none. It creates the Secret unless the spec names one. A Secret
// of that name that is not the organization's own is left alone and used: its creator may decide.
func (r *Reconciler) scimTokens(ctx context.Context, organization *v1alpha1.LambdaTestOrganization) (*corev1.Secret, warning, error) {
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

var rankOfWarning = map[string]int{v1alpha1.TokenExpiringReason: 1, v1alpha1.TokenIgnoredReason: 2, v1alpha1.TokenConflictReason: 3}

func (r *Reconciler) judge(token v1alpha1.SCIMToken, c *connection.Connection) warning {
	now := r.Registry.Options.Now()
	if token.Ignored != "" {
		return warning{reason: v1alpha1.TokenIgnoredReason, message: token.Ignored + ", and is not accepted: replace it"}
	}
	if older := r.Registry.OlderWithSCIMToken(c, token.Digest); older != "" {
		return warning{reason: v1alpha1.TokenConflictReason, message: "is already accepted for the older organization " + older + ", which keeps it: make another"}
	}
	switch {
	case token.IsExpired(now):
		return warning{reason: v1alpha1.TokenIgnoredReason, message: "has expired: remove it"}
	case !token.Expires.IsZero() && token.Expires.Before(now.Add(tokenExpiryNotice)):
		return warning{reason: v1alpha1.TokenExpiringReason, message: fmt.Sprintf(
			"expires at %s: add another key, switch the provider, remove this one", token.Expires.UTC().Format(time.RFC3339))}
	}
	return warning{}
}

// warn writes the condition, or removes it, if it is known which, and forgets tokens that are gone.
func (w warning) warn(organization *v1alpha1.LambdaTestOrganization, at metav1.Time) {
	if w.unknown {
		return
	}
	maps.DeleteFunc(organization.Status.SCIMTokenLastUse, func(key string, _ metav1.Time) bool {
		_, there := w.tokens[key]
		return w.tokens != nil && !there
	})
	if w.reason == "" {
		meta.RemoveStatusCondition(&organization.Status.Conditions, v1alpha1.SCIMTokenWarningCondition)
		return
	}
	status.SetCondition(&organization.Status.Conditions, organization, metav1.Condition{
		Type: v1alpha1.SCIMTokenWarningCondition, Status: metav1.ConditionTrue, Reason: w.reason, Message: w.message, LastTransitionTime: at,
	})
}
