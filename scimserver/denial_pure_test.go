// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/token"
)

func TestEventsAboutDenialsInPartAreBoundedAndCountedAll(t *testing.T) {
	recorder, registry := events.NewFakeRecorder(2*leftOutBurst), prometheus.NewRegistry()
	server, err := New(Options{
		Client: unusedClient{}, Reader: unusedClient{}, Cache: unusedCache{}, Recorder: recorder,
		Registerer: registry, Now: func() time.Time { return time.Unix(1_800_000_000, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	report := func(organization string) {
		asked := &request{grant: &token.Grant{Organization: &v1alpha1.LambdaTestOrganization{ObjectMeta: metav1.ObjectMeta{Name: organization}}}}
		server.reportLeftOut(asked, &v1alpha1.LambdaTestUser{}, problem.Taken("somebody has that name"))
	}

	for range leftOutBurst + 50 {
		report("loud")
	}

	if got := len(recorder.Events); got != leftOutBurst {
		t.Errorf("%d events, want %d", got, leftOutBurst)
	}
	if report("quiet"); len(recorder.Events) != leftOutBurst+1 {
		t.Error("what one organization's provider sends keeps another's event from being told")
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != "lambdatest_scim_denials_with_leftovers_total" {
			continue
		}
		counted := 0.0
		for _, metric := range family.GetMetric() {
			counted += metric.GetCounter().GetValue()
		}
		if counted != leftOutBurst+51 {
			t.Errorf("%v counted, want all", counted)
		}
		return
	}
	t.Error("nothing is counted")
}

// Both stand for what a test does not call.
type (
	unusedClient struct{ client.Client }
	unusedCache  struct{ cache.Cache }
)
