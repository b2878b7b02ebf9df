// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/token"
)

func TestErrorsOfTheAPIServerAreAnsweredByWhetherTryingAgainMayHelp(t *testing.T) {
	resource := v1alpha1.Resource("lambdatestusers")
	forbidden := apierrors.NewForbidden(resource, "scim-x", errors.New("no right"))
	terminating := apierrors.NewForbidden(resource, "scim-x", errors.New("the namespace is being terminated"))
	terminating.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}
	for name, test := range map[string]struct {
		err    error
		status int
		rights bool
	}{
		"a namespace that is gone, at a create":       {apierrors.NewNotFound(corev1.Resource("namespaces"), "team-a"), 503, false},
		"a namespace that is being deleted":           {terminating, 503, false},
		"a right or a quota that is missing":          {forbidden, 503, true},
		"an answer that ends early":                   {io.ErrUnexpectedEOF, 503, false},
		"no connection":                               {&url.Error{Op: "Get", Err: syscall.ECONNREFUSED}, 503, false},
		"a connection that is reset":                  {syscall.ECONNRESET, 503, false},
		"an HTTP/2 connection that is lost":           {errors.New("http2: client connection lost"), 503, false},
		"an error whose text ends like one":           {errors.New("a field named GEOF"), 500, false},
		"an error that only mentions HTTP/2":          {errors.New("the http2: scheme is not supported"), 500, false},
		"a value that the API server does not accept": {apierrors.NewBadRequest("spec.userName"), 400, false},
	} {
		wrapped := fmt.Errorf("writing scim-x: %w", test.err)
		if got := problemOf(wrapped).Status; got != test.status {
			t.Errorf("%s: %d, want %d", name, got, test.status)
		}
		if got := needsRights(wrapped); got != test.rights {
			t.Errorf("%s: an administrator has to act: %v, want %v", name, got, test.rights)
		}
	}
}

func TestAProtocolIsThatOfTheFirstProxy(t *testing.T) {
	for forwarded, want := range map[string]bool{"https": true, "HTTPS": true, "https, http": true, "https,http": true, "http, https": false, "http": false, "": false} {
		if got := isHTTPS(forwarded); got != want {
			t.Errorf("%q is https: %v, want %v", forwarded, got, want)
		}
	}
}

func TestASampleCountsWhatItLeavesOut(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	samples := newLimiters(1, 2, 10)
	var lines []int
	for range 10 {
		if leftOut, ok := samples.sample("401", now); ok {
			lines = append(lines, leftOut)
		}
	}
	leftOut, ok := samples.sample("401", now.Add(time.Second))
	if len(lines) != 2 || lines[0]+lines[1] != 0 || !ok || leftOut != 8 {
		t.Errorf("of ten at once these were logged: %v; a second later one that says %d (%v) were left out, want 8", lines, leftOut, ok)
	}
	if _, ok := samples.sample("429", now); !ok {
		t.Error("another kind has no budget of its own")
	}
}

func TestMetricsOfTokensThatAreGoneAreDropped(t *testing.T) {
	registry := prometheus.NewRegistry()
	m, err := newMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	organization := &v1alpha1.LambdaTestOrganization{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "okta"}}
	old := &token.Grant{Organization: organization, Token: v1alpha1.SCIMToken{Key: "old", Expires: time.Unix(1_900_000_000, 0)}}
	m.grants = []*token.Grant{old}
	m.used(old, time.Unix(1_800_000_000, 0))
	m.leftOver(organization)

	m.tokensChanged(nil, &token.Table{})

	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetValue() == "okta" {
					t.Errorf("%s still has the organization", family.GetName())
				}
			}
		}
	}
}
