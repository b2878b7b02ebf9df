// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/token"
)

type metrics struct {
	requests    *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	lastUse     *prometheus.GaugeVec
	expiry      *prometheus.GaugeVec
	notices     *prometheus.GaugeVec
	refused     *prometheus.CounterVec
	leftovers   *prometheus.CounterVec
	ignored     *prometheus.CounterVec
	conflicts   *prometheus.CounterVec
	lateIndexes prometheus.Counter

	// grants are those that the last change of tokens left; used by the token loader alone.
	grants []*token.Grant
}

func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	token := []string{"namespace", "organization", "key"}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lambdatest_scim_requests_total", Help: "SCIM requests by method, route and status.",
		}, []string{"method", "route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "lambdatest_scim_request_duration_seconds", Help: "Time to answer a SCIM request.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method", "route"}),
		lastUse: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "lambdatest_scim_token_last_use_timestamp_seconds", Help: "When a SCIM token was last presented to this replica.",
		}, token),
		expiry: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "lambdatest_scim_token_expiry_timestamp_seconds", Help: "When a SCIM token stops being accepted; absent without an expiry.",
		}, token),
		notices: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "lambdatest_scim_token_problem", Help: "1 for a SCIM token that is ignored, in conflict or about to expire, by reason.",
		}, append(token, "reason")),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lambdatest_scim_refused_requests_total", Help: "Requests refused before they were admitted, by status.",
		}, []string{"status"}),
		leftovers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lambdatest_scim_denials_with_leftovers_total", Help: "Denials of which something else in the request could not be applied.",
		}, []string{"namespace", "organization"}),
		ignored: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lambdatest_scim_ignored_attributes_total", Help: "Attributes that look like LambdaTest's, are not understood and were ignored.",
		}, []string{"namespace", "organization"}),
		conflicts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lambdatest_scim_write_conflicts_total", Help: "Writes repeated because of a conflict with another write, by kind.",
		}, []string{"kind"}),
		lateIndexes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "lambdatest_scim_late_index_total", Help: "Answers given before the list index showed the write.",
		}),
	}
	return m, m.register(registerer)
}

func (m *metrics) register(registerer prometheus.Registerer) error {
	if registerer == nil {
		return nil
	}
	for _, collector := range []prometheus.Collector{
		m.requests, m.duration, m.lastUse, m.expiry, m.notices, m.refused, m.leftovers, m.ignored, m.conflicts, m.lateIndexes,
	} {
		if err := registerer.Register(collector); err != nil {
			return fmt.Errorf("registering SCIM metrics: %w", err)
		}
	}
	return nil
}

func (m *metrics) answered(r *request, status int, took time.Duration) {
	if r.grant == nil {
		m.refused.WithLabelValues(strconv.Itoa(status)).Inc()
		return
	}
	route := r.route
	if route == "" {
		route = "unknown"
	}
	m.requests.WithLabelValues(methodLabel(r.Method), route, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(methodLabel(r.Method), route).Observe(took.Seconds())
}

// methodLabel keeps a client from making up time series.
func methodLabel(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE":
		return method
	default:
		return "other"
	}
}

func (m *metrics) used(g *token.Grant, now time.Time) {
	m.lastUse.WithLabelValues(labelsOf(g)...).Set(float64(now.Unix()))
}

func labelsOf(g *token.Grant) []string {
	return []string{g.Organization.Namespace, g.Organization.Name, g.Token.Key}
}

// tokensChanged shows what is known of the tokens now, and forgets what it knew of those that are gone.
func (m *metrics) tokensChanged(notices []token.Notice, table *token.Table) {
	before := m.grants
	m.grants = table.Grants()
	for _, g := range before {
		same := func(now *token.Grant) bool { return slices.Equal(labelsOf(now), labelsOf(g)) }
		if at := slices.IndexFunc(m.grants, same); at < 0 {
			m.lastUse.DeleteLabelValues(labelsOf(g)...)
			m.expiry.DeleteLabelValues(labelsOf(g)...)
		} else if m.grants[at].Token.Expires.IsZero() {
			m.expiry.DeleteLabelValues(labelsOf(g)...)
		}
		if !slices.ContainsFunc(m.grants, func(now *token.Grant) bool { return now.OrganizationKey() == g.OrganizationKey() }) {
			m.leftovers.DeleteLabelValues(g.Organization.Namespace, g.Organization.Name)
			m.ignored.DeleteLabelValues(g.Organization.Namespace, g.Organization.Name)
		}
	}
	for _, g := range m.grants {
		if !g.Token.Expires.IsZero() {
			m.expiry.WithLabelValues(labelsOf(g)...).Set(float64(g.Token.Expires.Unix()))
		}
	}
	m.notices.Reset()
	for _, n := range notices {
		m.notices.WithLabelValues(n.Organization.Namespace, n.Organization.Name, n.Key, n.Reason).Set(1)
	}
}

func (m *metrics) leftOver(o *v1alpha1.LambdaTestOrganization) {
	m.leftovers.WithLabelValues(o.Namespace, o.Name).Inc()
}
