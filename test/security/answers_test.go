// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package security

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	// crowd is how many people mallory has, and crowdGroups how many groups of all of them: lists of the groups would have 25 MB.
	crowd, crowdGroups = 500, 100
	// unread is how long clients that do not read are watched.
	unread = 5 * time.Second
	// tolerance is by how much the median of one tenant may grow at most while another is at its limits, unless twice is more.
	tolerance = 20 * time.Millisecond
)

var _ = Describe("Large answers", Label("answers"), Ordered, func() {
	member := func(number int) string {
		return fmt.Sprintf("crowd-%03d.%s@example.com", number, strings.Repeat("x", 180))
	}
	BeforeAll(func(ctx SpecContext) {
		ids := make([]string, crowd)
		for i := range ids {
			ids[i] = `{"value":"` + mallory.patiently(ctx, http.MethodPost, "/Users", userBody(member(i))).id() + `"}`
		}
		members := strings.Join(ids, ",")
		for i := range crowdGroups {
			mallory.patiently(ctx, http.MethodPost, "/Groups?attributes=id", fmt.Sprintf(`{"displayName":"Crowd %d","members":[%s]}`, i, members)).id()
		}
	}, NodeTimeout(5*time.Minute))

	It("end early, and what is not read does not fill the memory", func(ctx SpecContext) {
		page := mallory.patiently(ctx, http.MethodGet, "/Groups?count=1000", "")
		Expect(page.status).To(Equal(http.StatusOK), "%.500s", page.body)
		Expect(page.json()).To(HaveKeyWithValue("totalResults", BeNumerically(">=", crowdGroups)))
		Expect(len(page.body)).To(And(BeNumerically(">", 1<<20), BeNumerically("<", 8<<20)))

		before := residentMemory(ctx)
		for range 8 {
			dial().says(mallory, "GET /scim/v2/Groups?count=1000 HTTP/1.1\nHost: x\nAuthorization: Bearer TOKEN\n\n")
		}
		most := before
		for begun := time.Now(); time.Since(begun) < unread; time.Sleep(100 * time.Millisecond) {
			most = max(most, residentMemory(ctx))
		}
		AddReportEntry("grown by", named("%d MiB", (int(most)-int(before))>>20))
		Expect(most - before).To(BeNumerically("<", bombMemory))

		By("leaving small answers, those to denials among them, and other tenants alone")
		limited, cancel := within(ctx, bombTime)
		defer cancel()
		victim := mallory.user(limited, address("victim"))
		denied := mallory.ask(limited, http.MethodPatch, "/Users/"+victim, `{"Operations":[{"op":"replace","path":"active","value":false}]}`)
		Expect(denied.json()).To(HaveKeyWithValue("active", false))
		Expect(acme.ask(limited, http.MethodGet, "/Groups", "").status).To(Equal(http.StatusOK))
	}, NodeTimeout(2*time.Minute))

	It("and filters of one tenant do not slow down another", func(ctx SpecContext) {
		terms := make([]string, 100)
		for i := range terms {
			terms[i] = fmt.Sprintf(`members.value eq "%d"`, i)
		}
		filter := "/Groups?filter=" + url.QueryEscape(strings.Join(terms, " or "))
		alone := acme.medianOfReads(ctx)

		attack, stop := context.WithCancel(ctx)
		var attackers sync.WaitGroup
		for range 12 {
			attackers.Go(func() {
				for attack.Err() == nil {
					_, _ = send(attack, http.MethodGet, env.Replicas[0].SCIMURL+filter, nil, "Bearer "+mallory.SCIMToken)
				}
			})
		}
		time.Sleep(time.Second)
		during := acme.medianOfReads(ctx)
		stop()
		attackers.Wait()
		AddReportEntry("medians", named("alone %s, with 12 filters of another tenant %s", alone, during))
		Expect(during).To(BeNumerically("<=", max(2*alone, alone+tolerance)))
	}, NodeTimeout(2*time.Minute))
})

// patiently asks again while the tenant has sent too many requests, or its turn has not come.
func (t *tenant) patiently(ctx context.Context, method, path, body string) reply {
	GinkgoHelper()
	for {
		answer := t.ask(ctx, method, path, body)
		if answer.status != http.StatusTooManyRequests && answer.status != http.StatusServiceUnavailable {
			return answer
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// medianOfReads is how long the tenant waits for a list of its people.
func (t *tenant) medianOfReads(ctx context.Context) time.Duration {
	GinkgoHelper()
	took := make([]time.Duration, 100)
	for i := range took {
		begun := time.Now()
		Expect(t.ask(ctx, http.MethodGet, "/Users?count=10", "").status).To(Equal(http.StatusOK))
		took[i] = time.Since(begun)
		time.Sleep(10 * time.Millisecond) // within the limit of its token
	}
	return median(took)
}
