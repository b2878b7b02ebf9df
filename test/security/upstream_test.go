// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package security

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	gomegatypes "github.com/onsi/gomega/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// hostileUpstream is a host that the operator may call, and that answers what a spec says.
type hostileUpstream struct {
	*httptest.Server
	answer atomic.Pointer[http.HandlerFunc]
	calls  atomic.Int64
}

func startHostileUpstream() *hostileUpstream {
	h := &hostileUpstream{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.calls.Add(1)
		if answer := h.answer.Load(); answer != nil {
			(*answer)(w, r)
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	return h
}

var _ = Describe("A LambdaTest that is hostile", Label("upstream"), func() {
	DescribeTable("does not fill the memory of the leader with an answer",
		func(ctx SpecContext, answer func(http.ResponseWriter), says gomegatypes.GomegaMatcher) {
			handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w) })
			hostile.answer.Store(&handler)
			calls, before := hostile.calls.Load(), residentMemoryOfAll(ctx)
			namespace := Namespace(ctx, env.Client)
			Applied(ctx, env.Client, MakeSecret(namespace, "hostile", "a-token-for-hostile"))
			organization := MakeOrganization("hostile").In(namespace).At(hostile.URL + "/api/scim").Obj()
			organization.Spec.TokenSecretRef.Name = "hostile"
			organization.Spec.SyncInterval = metav1.Duration{Duration: time.Second}
			Applied(ctx, env.Client, organization)
			DeferCleanup(func(ctx SpecContext) { Expect(env.Client.Delete(ctx, organization)).To(Succeed()) })
			Eventually(func() *v1alpha1.LambdaTestOrganization { return Fetched(ctx, env.Client, organization) }).Should(says)
			Eventually(hostile.calls.Load).Should(BeNumerically(">=", calls+3))

			grown := int(residentMemoryOfAll(ctx)) - int(before)
			AddReportEntry("grown by", named("%d MiB", grown>>20))
			Expect(grown).To(BeNumerically("<", bombMemory))
			acme.user(ctx, address("another-tenant-goes-on"))
		},
		Entry("of a few KiB of gzip", func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packedBomb())
		}, HaveCondition(v1alpha1.ReadyCondition, metav1.ConditionFalse, v1alpha1.UpstreamUnavailableReason)),
		Entry("of millions of empty users", func(w http.ResponseWriter) { _, _ = io.WriteString(w, usersBomb()) },
			HaveCondition(v1alpha1.ListUnreliableCondition, metav1.ConditionTrue, v1alpha1.ReadOneByOneReason)),
		Entry("of one user with millions of empty values", func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"totalResults":1,"Resources":[{"schemas":[`+strings.Repeat(`"",`, 5_000_000)+`""]}]}`)
		}, HaveCondition(v1alpha1.ReadyCondition, metav1.ConditionFalse, v1alpha1.UpstreamUnavailableReason)),
	)
})

// residentMemoryOfAll is what all replicas take: one of them is the leader.
func residentMemoryOfAll(ctx context.Context) (sum float64) {
	GinkgoHelper()
	for _, replica := range env.Replicas {
		sum += residentMemoryOf(ctx, replica)
	}
	return sum
}

func usersBomb() string {
	return `{"totalResults":1,"Resources":[` + strings.Repeat("{},", 5_000_000) + `{}]}`
}

func packedBomb() []byte {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, _ = io.WriteString(writer, usersBomb())
	_ = writer.Close()
	return packed.Bytes()
}
