// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package organization

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// scimTokenBytes make a SCIM token: 256 bits.
const scimTokenBytes = 32

// readToken reads the organization's LambdaTest token, or says what is wrong with its Secret.
func (r *Reconciler) readToken(ctx context.Context, organization *v1alpha1.LambdaTestOrganization) (token, problem string, err error) {
	ref := organization.Spec.TokenSecretRef
	secret := &corev1.Secret{}
	err = r.getSecret(ctx, types.NamespacedName{Namespace: organization.Namespace, Name: ref.Name}, secret)
	if apierrors.IsNotFound(err) {
		return "", fmt.Sprintf("there is no Secret %s: create it with the LambdaTest token under the key %q", ref.Name, tokenKey(ref)), nil
	}
	if err != nil {
		return "", "", fmt.Errorf("reading Secret %s: %w", ref.Name, err)
	}
	token = strings.TrimSpace(string(secret.Data[tokenKey(ref)]))
	if token == "" {
		return "", fmt.Sprintf("Secret %s has nothing under the key %q: put the LambdaTest token there", ref.Name, tokenKey(ref)), nil
	}
	return token, "", nil
}

// getSecret reads a Secret. One of a name that the API server cannot even be asked for, such as "..", is not there.
func (r *Reconciler) getSecret(ctx context.Context, name types.NamespacedName, into *corev1.Secret) error {
	if len(content.IsPathSegmentName(name.Name)) > 0 {
		return apierrors.NewNotFound(corev1.Resource("secrets"), name.Name)
	}
	return r.Live.Get(ctx, name, into)
}

func tokenKey(ref v1alpha1.SecretKeyReference) string {
	if ref.Key == "" {
		return v1alpha1.DefaultTokenKey
	}
	return ref.Key
}

// createSCIMToken creates the Secret with a token for the identity provider.
func (r *Reconciler) createSCIMToken(ctx context.Context, organization *v1alpha1.LambdaTestOrganization) (*corev1.Secret, error) {
	secret, err := r.newSCIMToken(organization)
	if err != nil {
		return nil, err
	}
	return secret, r.Client.Create(ctx, secret)
}

func (r *Reconciler) newSCIMToken(organization *v1alpha1.LambdaTestOrganization) (*corev1.Secret, error) {
	random := make([]byte, scimTokenBytes)
	if _, err := rand.Read(random); err != nil {
		return nil, fmt.Errorf("making a token: %w", err)
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: organization.Namespace, Name: organization.SCIMTokenSecretName()},
		Type:       corev1.SecretTypeOpaque,
		Data:       map[string][]byte{v1alpha1.DefaultTokenKey: []byte(base64.RawURLEncoding.EncodeToString(random))},
	}
	if err := controllerutil.SetControllerReference(organization, secret, r.Client.Scheme()); err != nil {
		return nil, fmt.Errorf("owning Secret %s: %w", secret.Name, err)
	}
	return secret, nil
}
