// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// Actions on environments, replicas and the API server, and counts of what happens there.

// newWorldIn is a world whose resources live in another namespace.
func newWorldIn(ctx context.Context, namespace string, changes ...func(*environment.Organization)) *world {
	GinkgoHelper()
	organization := newOrganization(changes...)
	organization.UpstreamToken = newToken()
	organization.LambdaTest = env.Simulator.AddOrg(organization.Name, organization.UpstreamToken, organization.Simulate...)
	w := &world{Organization: &organization, env: env, namespace: namespace}
	resource := MakeOrganization(w.Name).In(namespace).Obj()
	resource.Spec = organization.Spec
	resource.Spec.BaseURL = env.Simulator.BaseURL()
	resource.Spec.TokenSecretRef.Name = Applied(ctx, env.Client, w.tokenSecret()).Name
	Applied(ctx, env.Client, resource)
	Eventually(w.organization(ctx)).Should(BeReady(v1alpha1.SyncedReason))
	return w
}

// newWorldOfItsOwn is a world with its own environment, for scenarios that count everything in the environment, or break it.
func newWorldOfItsOwn(ctx context.Context, changes ...func(*environment.Organization)) *world {
	GinkgoHelper()
	organization := newOrganization(changes...)
	own, err := environment.Start(ctx, environment.Options{Organizations: []environment.Organization{organization}, Progress: GinkgoWriter})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		if CurrentSpecReport().Failed() {
			AddReportEntry("operator logs of the environment of its own", own.Logs(), ReportEntryVisibilityFailureOrVerbose)
		}
		own.Stop()
	})
	return &world{Organization: own.Organizations[organization.Name], env: own, namespace: environment.Namespace}
}

// processes are the process ids of the replicas: they change when one is restarted.
func (w *world) processes() []int {
	var ids []int
	for _, replica := range w.env.Replicas {
		ids = append(ids, replica.PID())
	}
	return ids
}

var leads = regexp.MustCompile(`(?m)^leader_election_master_status\{[^}]*\} 1$`)

// leader returns a function for Eventually: the replica that reports itself as leader.
func (w *world) leader(ctx context.Context) func() (*environment.Replica, error) {
	return func() (*environment.Replica, error) {
		for _, replica := range w.env.Replicas {
			if page, err := fetch(ctx, replica.MetricsURL); err == nil && leads.MatchString(page) {
				return replica, nil
			}
		}
		return nil, errors.New("nobody leads")
	}
}

// theLeader waits for the replica that leads.
func (w *world) theLeader(ctx context.Context) *environment.Replica {
	GinkgoHelper()
	Eventually(w.leader(ctx)).ShouldNot(BeNil())
	leader, err := w.leader(ctx)()
	Expect(err).NotTo(HaveOccurred())
	return leader
}

// fetch does not wait for a replica that is paused.
func fetch(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	return string(page), err
}

var (
	requestTotal = regexp.MustCompile(`(?m)^apiserver_request_total\{([^}]*)\} (\S+)$`)
	label        = regexp.MustCompile(`(\w+)="([^"]*)"`)
)

// apiWrites counts the writes of all clients to the API server, by verb and resource, except to leases.
func (w *world) apiWrites(ctx context.Context) map[string]int {
	GinkgoHelper()
	page, err := w.env.Kubectl(ctx, "get", "--raw", "/metrics")
	Expect(err).NotTo(HaveOccurred())
	writes := map[string]int{}
	for _, line := range requestTotal.FindAllStringSubmatch(page, -1) {
		labels := map[string]string{}
		for _, pair := range label.FindAllStringSubmatch(line[1], -1) {
			labels[pair[1]] = pair[2]
		}
		switch labels["verb"] {
		case "POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION":
		default:
			continue
		}
		if labels["resource"] == "leases" {
			continue
		}
		count, err := strconv.ParseFloat(line[2], 64)
		Expect(err).NotTo(HaveOccurred())
		writes[fmt.Sprintf("%s %s/%s", labels["verb"], labels["resource"], labels["subresource"])] += int(count)
	}
	return writes
}

// since is the increase of counters.
func since(before, after map[string]int) map[string]int {
	added := map[string]int{}
	for name, count := range after {
		if count != before[name] {
			added[name] = count - before[name]
		}
	}
	return added
}
