// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package organization

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/hosts"
)

// readToken reads the organization's LambdaTest token, or says what is wrong with its Secret.
func (r *Reconciler) readToken(ctx context.Context, organization *v1alpha1.LambdaTestOrganization) (token, problem string, err error) {
	ref := organization.Spec.TokenSecretRef
	key := cmp.Or(ref.Key, v1alpha1.DefaultTokenKey)
	secret := &corev1.Secret{}
	err = r.getSecret(ctx, types.NamespacedName{Namespace: organization.Namespace, Name: ref.Name}, secret)
	if apierrors.IsNotFound(err) {
		return "", fmt.Sprintf("there is no Secret %s: create it with the LambdaTest token under the key %q", ref.Name, key), nil
	}
	if err != nil {
		return "", "", fmt.Errorf("reading Secret %s: %w", ref.Name, err)
	}
	token = strings.TrimSpace(string(secret.Data[key]))
	if token == "" {
		return "", fmt.Sprintf("Secret %s has nothing under the key %q: put the LambdaTest token there", ref.Name, key), nil
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

// Dialer makes the client of an organization. It connects only to the hosts; an http client of the caller's, unless nil, decides by itself.
func Dialer(hosts hosts.Hosts, now func() time.Time, http *http.Client) func(baseURL, token string) (connection.Upstream, error) {
	options := []lambdatest.Option{
		lambdatest.WithClock(now),
		lambdatest.WithSameUserName(func(a, b string) bool { return v1alpha1.FoldUserName(a) == v1alpha1.FoldUserName(b) }),
	}
	if http != nil {
		options = append(options, lambdatest.WithHTTPClient(http))
	}
	return func(baseURL, token string) (connection.Upstream, error) {
		return hosts.Connect(baseURL, token, options...)
	}
}
