// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package security

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

const (
	// renewDeadline is how long a leader tries to renew its lease before it ends, with some time for a loaded machine.
	renewDeadline = 10*time.Second + settleTimeout
	// putOff is the most that a request may take while the API server hangs: identity providers wait for 30 s and more.
	putOff = 29 * time.Second
	// watchesAgain is the most that watches may stay away longer than the API server: client-go alone would wait for up to a minute.
	watchesAgain = 5 * time.Second
)

var _ = Describe("While the API server", Label("outage"), Ordered, func() {
	var (
		own         *environment.Environment
		token, user string
	)
	BeforeAll(func(ctx SpecContext) {
		var err error
		own, err = environment.Start(ctx, environment.Options{Organizations: []environment.Organization{organization("acme")}, Progress: GinkgoWriter})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(own.Stop)
		token = "Bearer " + own.Organizations["acme"].SCIMToken
		created, err := send(ctx, http.MethodPost, own.Replicas[0].SCIMURL+"/Users", strings.NewReader(userBody("ada@example.com")), token)
		Expect(err).NotTo(HaveOccurred())
		user = created.id()
	})

	// ask sends a request to a replica; no answer is status 0.
	ask := func(ctx context.Context, replica *environment.Replica, method, path, body string) reply {
		limited, cancel := within(ctx, putOff)
		defer cancel()
		answer, _ := send(limited, method, replica.SCIMURL+path, strings.NewReader(body), token)
		return answer
	}
	expectPutOff := func(ctx context.Context, replica *environment.Replica) {
		GinkgoHelper()
		started := time.Now()
		var all sync.WaitGroup
		for _, attempt := range []struct{ method, path, body string }{
			{http.MethodGet, "/Users/" + user, ""},
			{http.MethodGet, filtered("/Users", `userName eq "ada@example.com"`), ""},
			{http.MethodPost, "/Users", userBody("grace@example.com")},
			{http.MethodPatch, "/Users/" + user, `{"Operations":[{"op":"replace","path":"active","value":false}]}`},
			{http.MethodDelete, "/Users/" + user, ""},
			{http.MethodPost, "/Groups", `{"displayName":"team"}`},
		} {
			all.Go(func() {
				defer GinkgoRecover()
				answer := ask(ctx, replica, attempt.method, attempt.path, attempt.body)
				Expect(answer.status).To(Equal(http.StatusServiceUnavailable), "%s %s after %s: %s", attempt.method, attempt.path, time.Since(started), answer.body)
				Expect(answer.header.Get("Retry-After")).To(MatchRegexp(`^[1-9]\d*$`))
			})
		}
		all.Wait()
		AddReportEntry("all put off within", time.Since(started).String())
	}
	probe := func(ctx context.Context, replica *environment.Replica, path string) int {
		limited, cancel := within(ctx, time.Second)
		defer cancel()
		answer, _ := send(limited, http.MethodGet, replica.HealthURL+path, nil, "")
		return answer.status
	}
	alive := func() []*environment.Replica {
		var running []*environment.Replica
		for _, replica := range own.Replicas {
			if replica.PID() != 0 {
				running = append(running, replica)
			}
		}
		return running
	}

	It("has no store, requests are put off with 503 and Retry-After, and everything goes on when it is back", func(ctx SpecContext) {
		var follower *environment.Replica
		Eventually(func() *environment.Replica { follower = following(ctx, own); return follower }).ShouldNot(BeNil())
		own.Plane.Etcd.Kill()
		expectPutOff(ctx, follower) // the leader may end while its requests hang; then they are cut off

		back := time.Now()
		Expect(own.Plane.Etcd.Start(ctx)).To(Succeed())
		Expect(own.Plane.APIServer.WaitReady(ctx)).To(Succeed())
		Eventually(func() map[string]int {
			statuses := map[string]int{follower.Name(): 0}
			for _, replica := range alive() { // anew each time: the leader may be ending still
				statuses[replica.Name()] = ask(ctx, replica, http.MethodGet, "/Users/"+user, "").status
			}
			return statuses
		}).Should(HaveEach(http.StatusOK))
		AddReportEntry("served after etcd was back", time.Since(back).String())
	}, NodeTimeout(5*time.Minute))

	It("is away, requests are put off; the leader ends, nobody else does, and everything goes on when it is back", func(ctx SpecContext) {
		// One of them may have ended while there was no store, or be about to.
		for _, replica := range own.Replicas {
			Expect(replica.Restart(ctx)).To(Succeed())
		}
		http.DefaultClient.CloseIdleConnections()
		processes := map[string]int{}
		for _, replica := range own.Replicas {
			processes[replica.Name()] = replica.PID()
		}
		Eventually(func() *environment.Replica { return following(ctx, own) }).ShouldNot(BeNil(), "somebody leads")
		own.Plane.APIServer.Kill()
		for _, replica := range own.Replicas {
			expectPutOff(ctx, replica)
			list := ask(ctx, replica, http.MethodGet, "/Users", "")
			Expect(list.status).To(Equal(http.StatusOK), "nothing can have changed since")
			Expect(list.body).To(ContainSubstring(user))
			Expect(probe(ctx, replica, "/healthz")).To(Equal(http.StatusOK), "no reason to be killed")
			Expect(probe(ctx, replica, "/readyz")).To(Equal(http.StatusOK), "there is no better replica")
		}

		away := time.Now()
		Eventually(alive).WithTimeout(renewDeadline).Should(HaveLen(1), "a leader that cannot renew ends")
		AddReportEntry("the leader ended after", time.Since(away).String())
		stays := alive()[0]
		expectPutOff(ctx, stays)
		Expect(probe(ctx, stays, "/healthz")).To(Equal(http.StatusOK))
		Expect(stays.PID()).To(Equal(processes[stays.Name()]), "it was never restarted")

		back := time.Now()
		Expect(own.Plane.APIServer.Start(ctx)).To(Succeed())
		Eventually(func() int { return ask(ctx, stays, http.MethodPost, "/Users", userBody("grace@example.com")).status }).Should(Equal(http.StatusCreated))
		AddReportEntry("served after the API server was back", time.Since(back).String())
		Eventually(func() string { return ask(ctx, stays, http.MethodGet, "/Users", "").body }).WithTimeout(watchesAgain).
			Should(ContainSubstring("grace@example.com"), "its watches are back, too")
		AddReportEntry("watches were back after the API server was", time.Since(back).String())
		Eventually(func() bool {
			_, there := own.Organizations["acme"].LambdaTest.Account("grace@example.com")
			return there
		}).
			WithTimeout(2 * settleTimeout).Should(BeTrue())
		AddReportEntry("carried out at LambdaTest after the API server was back", time.Since(back).String())
	}, NodeTimeout(5*time.Minute))
})

var leads = regexp.MustCompile(`(?m)^leader_election_master_status\{[^}]*\} 1$`)

// following is the replica that does not lead, once the other one does.
func following(ctx context.Context, env *environment.Environment) *environment.Replica {
	for i, replica := range env.Replicas {
		page, err := send(ctx, http.MethodGet, replica.MetricsURL, nil, "")
		if err == nil && leads.MatchString(page.body) {
			return env.Replicas[1-i]
		}
	}
	return nil
}
