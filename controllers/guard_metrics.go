// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var (
	guardHeld = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "lambdatest_guard_held_people",
		Help: "People whom the guard holds until somebody approves or rejects.",
	}, []string{"namespace", "organization"})
	guardAlerts = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "lambdatest_guard_alerts_total",
		Help: "How often the guard began to hold (held), or saw more explicit denials in an hour than could go implicitly (denials).",
	}, []string{"namespace", "organization", "kind"})
)

// forgetGuardMetrics drops what is said about an organization that is gone.
func forgetGuardMetrics(labels prometheus.Labels) {
	guardHeld.DeletePartialMatch(labels)
	guardAlerts.DeletePartialMatch(labels)
}

func init() {
	metrics.Registry.MustRegister(guardHeld, guardAlerts)
}
