// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/guard"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// All metrics carry the organization's namespace and name, and nothing that grows with the number of people.
var (
	peopleByState = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "lambdatest_people",
		Help: "People by state: claimed, active, synced, failing, drifted.",
	}, []string{"namespace", "organization", "state"})
	pendingDenials = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "lambdatest_pending_denials",
		Help: "People who are denied and whom the operator could not deactivate at LambdaTest yet.",
	}, []string{"namespace", "organization"})
	unclaimedAccounts = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "lambdatest_unclaimed_accounts",
		Help: "Accounts at LambdaTest that no resource claims.",
	}, []string{"namespace", "organization"})
	upstreamCalls = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "lambdatest_upstream_calls_total",
		Help: "Calls to LambdaTest by call and outcome.",
	}, []string{"namespace", "organization", "call", "outcome"})
	circuitState = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "lambdatest_circuit_state",
		Help: "1 for the state that the organization's circuit is in: closed, open or unauthorized.",
	}, []string{"namespace", "organization", "state"})
	sweepSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "lambdatest_sweep_duration_seconds",
		Help:    "How long sweeps of organizations took, by outcome.",
		Buckets: prometheus.ExponentialBuckets(0.1, 3, 9),
	}, []string{"namespace", "organization", "outcome"})
	DenialsWithdrawn = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "lambdatest_denials_withdrawn_total",
		Help: "Resources that denied a person and were deleted while another one says active.",
	}, []string{"namespace", "organization"})
	lastSweep = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "lambdatest_last_complete_sweep_timestamp_seconds",
		Help: "When the last complete sweep of the organization began, or the last complete round that read its people one by one.",
	}, []string{"namespace", "organization"})
)

// vectors are all of them.
var vectors = []interface {
	prometheus.Collector
	DeletePartialMatch(labels prometheus.Labels) int
}{peopleByState, pendingDenials, unclaimedAccounts, upstreamCalls, circuitState, sweepSeconds, DenialsWithdrawn, lastSweep}

func init() {
	for _, vector := range vectors {
		metrics.Registry.MustRegister(vector)
	}
}

func observeCall(organization types.NamespacedName, call string, err error) {
	upstreamCalls.WithLabelValues(organization.Namespace, organization.Name, call, outcomeOf(err)).Inc()
}

// outcomeOf names the class of an outcome.
func outcomeOf(err error) string {
	switch {
	case err == nil:
		return "ok"
	case lambdatest.IsUnauthorized(err):
		return "unauthorized"
	case lambdatest.IsRateLimited(err):
		return "rate_limited"
	case lambdatest.IsUnavailable(err):
		return "unavailable"
	case lambdatest.IsNotFound(err):
		return "not_found"
	}
	return "rejected"
}

func observeSweep(organization types.NamespacedName, begun time.Time, took time.Duration, err error) {
	outcome := "complete"
	switch {
	case isIncomplete(err):
		outcome = "incomplete"
	case err != nil:
		outcome = "discarded"
	default:
		observeRound(organization, begun)
	}
	sweepSeconds.WithLabelValues(organization.Namespace, organization.Name, outcome).Observe(took.Seconds())
}

// observeRound notes that everybody was read since that time: by a complete list, or one by one.
func observeRound(organization types.NamespacedName, begun time.Time) {
	lastSweep.WithLabelValues(organization.Namespace, organization.Name).Set(float64(begun.Unix()))
}

// ObserveCounts sets the gauges of an organization.
func ObserveCounts(organization types.NamespacedName, sum counts, unclaimed int, circuit string) {
	namespace, name := organization.Namespace, organization.Name
	for state, count := range map[string]int{
		"claimed": sum.People, "active": sum.Active, "synced": sum.Synced, "failing": sum.Failing, "drifted": sum.Drifted,
	} {
		peopleByState.WithLabelValues(namespace, name, state).Set(float64(count))
	}
	pendingDenials.WithLabelValues(namespace, name).Set(float64(sum.PendingDenials))
	unclaimedAccounts.WithLabelValues(namespace, name).Set(float64(unclaimed))
	for _, state := range []string{"closed", "open", "unauthorized"} {
		circuitState.WithLabelValues(namespace, name, state).Set(0)
	}
	circuitState.WithLabelValues(namespace, name, circuit).Set(1)
}

// forgetMetrics removes the series of an organization that is gone.
func forgetMetrics(organization types.NamespacedName) {
	labels := prometheus.Labels{"namespace": organization.Namespace, "organization": organization.Name}
	for _, vector := range vectors {
		vector.DeletePartialMatch(labels)
	}
	guard.ForgetMetrics(labels)
}
