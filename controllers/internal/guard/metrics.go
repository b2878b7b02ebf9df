// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package guard

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var (
	heldPeople = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "lambdatest_guard_held_people",
		Help: "People whom the guard holds until somebody approves or rejects.",
	}, []string{"namespace", "organization"})
	alerts = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "lambdatest_guard_alerts_total",
		Help: "How often the guard began to hold (held), or saw more explicit denials in an hour than could go implicitly (denials).",
	}, []string{"namespace", "organization", "kind"})
)

// ForgetMetrics drops what is said about an organization that is gone.
func ForgetMetrics(labels prometheus.Labels) {
	heldPeople.DeletePartialMatch(labels)
	alerts.DeletePartialMatch(labels)
}

func init() {
	metrics.Registry.MustRegister(heldPeople, alerts)
}
