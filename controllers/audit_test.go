// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gstruct"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/audit"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// auditTrail is what the operator has written into its audit trail.
type auditTrail struct {
	mu      sync.Mutex
	written bytes.Buffer
}

// Write implements io.Writer.
func (t *auditTrail) Write(line []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.written.Write(line)
}

// log is a log that writes into the trail.
func (t *auditTrail) log(addresses bool) audit.Log {
	return audit.New(logr.FromSlogHandler(slog.NewJSONHandler(t, nil)), addresses)
}

// lines drains the lines so far.
func (t *auditTrail) lines() []audit.Line {
	GinkgoHelper()
	t.mu.Lock()
	defer t.mu.Unlock()
	var lines []audit.Line
	for decoder := json.NewDecoder(&t.written); decoder.More(); {
		var line audit.Line
		Expect(decoder.Decode(&line)).To(Succeed())
		lines = append(lines, line)
	}
	t.written.Reset()
	return lines
}

var _ = Describe("The audit trail", Label("audit"), func() {
	audited := func(ctx SpecContext, change ...func(*OrganizationBuilder)) (*world, *auditTrail) {
		GinkgoHelper()
		w, trail := newWorld(ctx), &auditTrail{}
		w.restartWith(Options{Audit: trail.log(false)})
		withOrganization(ctx, w, change...)
		trail.lines()
		return w, trail
	}
	only := func(lines []audit.Line, event audit.Event) []audit.Line {
		var matching []audit.Line
		for _, line := range lines {
			if line.Event == event {
				matching = append(matching, line)
			}
		}
		return matching
	}
	anyTime := gstruct.PointTo(BeTemporally("~", time.Now(), 24*time.Hour))

	It("has one line for each call that changes something: who, what, by which claim, when", func(ctx SpecContext) {
		w, trail := audited(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleAdmin))
		common := gstruct.Fields{
			"Event": Equal(audit.Called), "Namespace": Equal(w.namespace), "Organization": Equal(DefaultOrganization), "Person": Equal(v1alpha1.PersonDigest(DefaultOrganization, ada)),
			"Resource": Equal("LambdaTestUser/ada"), "UID": Equal(string(user.UID)), "Account": Equal(user.Status.AccountID),
			"Because": HaveExactElements("LambdaTestUser/ada"), "Outcome": Equal(audit.OutcomeDone), "Sent": anyTime, "Done": anyTime, "Decided": anyTime,
		}
		with := func(call string, changes ...audit.Change) OmegaMatcher {
			fields := gstruct.Fields{"Call": Equal(call), "Changes": Equal(changes)}
			for name, matcher := range common {
				fields[name] = matcher
			}
			return gstruct.MatchFields(gstruct.IgnoreExtras, fields)
		}

		Expect(only(trail.lines(), audit.Called)).To(HaveExactElements(with("CreateUser", audit.Change{Attribute: "active", To: "true"}, audit.Change{Attribute: "role", To: "Admin"})))

		w.changed(ctx, user, denied)
		Expect(only(trail.lines(), audit.Called)).To(HaveExactElements(with("UpdateUser", audit.Change{Attribute: "active", From: "true", To: "false"})))

		w.reconciled(ctx, user)
		w.swept(ctx)
		Expect(trail.lines()).To(BeEmpty(), "nothing was changed")
	})

	It("has a line for the deactivation of a person whom nobody claims any more", func(ctx SpecContext) {
		w, trail := audited(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		trail.lines()

		w.pruned(ctx, user)

		lines := trail.lines()
		Expect(only(lines, audit.Called)).To(HaveExactElements(And(
			HaveField("Call", "DeactivateUser"), HaveField("Because", HaveExactElements("LambdaTestUser/ada")), HaveField("Outcome", audit.OutcomeDone))))
		Expect(only(lines, audit.GuardAdmitted)).To(HaveExactElements(HaveField("Entries", HaveExactElements("ada"))))
	})

	It("has a line for each attempt, marked when the answer was lost, refused or failed", func(ctx SpecContext) {
		w, trail := audited(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		trail.lines()

		w.upstream.LoseNextAnswer(simulator.On("PATCH /Users/{id}"))
		user = w.changed(ctx, user, denied)
		Expect(only(trail.lines(), audit.Called)).To(HaveExactElements(HaveField("Outcome", audit.OutcomeUnknown)))

		w.clock.Advance(time.Minute)
		user = w.again(ctx, user)
		Expect(only(trail.lines(), audit.Called)).To(BeEmpty(), "the change had been made")

		w.upstream.Fail(http.StatusTooManyRequests, simulator.On("PATCH /Users/{id}"))
		w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.Active = nil })
		Expect(only(trail.lines(), audit.Called)).To(HaveExactElements(HaveField("Outcome", audit.OutcomeFailed)))
	})

	It("has the denial, its completion and its end, once each", func(ctx SpecContext) {
		w, trail := audited(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		trail.lines()
		w.upstream.Fail(http.StatusServiceUnavailable)
		user = w.changed(ctx, user, denied)
		w.reconciled(ctx, user)

		lines := trail.lines()
		Expect(only(lines, audit.Denied)).To(HaveExactElements(And(HaveField("Resource", "LambdaTestUser/ada"), HaveField("Decided", gstruct.PointTo(BeTemporally("==", user.Status.DeniedAt.Time))))))
		Expect(only(lines, audit.DenialDone)).To(BeEmpty())

		w.clock.Advance(connection.DenialOverdue)
		w.reconciled(ctx, user)
		w.reconciled(ctx, user)
		Expect(only(trail.lines(), audit.DenialOverdue)).To(HaveExactElements(HaveField("Reason", v1alpha1.UpstreamUnavailableReason)))

		w.upstream.ClearFaults()
		w.clock.Advance(DefaultBackoffMax)
		user = w.again(ctx, user)
		w.reconciled(ctx, user)
		Expect(only(trail.lines(), audit.DenialDone)).To(HaveExactElements(And(
			HaveField("Decided", gstruct.PointTo(BeTemporally("==", user.Status.DeniedAt.Time))), HaveField("Done", gstruct.PointTo(BeTemporally("==", user.Status.OffAt.Time))))))

		w.changed(ctx, user, func(u *v1alpha1.LambdaTestUser) { u.Spec.Active = nil })
		Expect(only(trail.lines(), audit.DenialEnded)).To(HaveLen(1))
	})

	It("has the end of a denial whose resource was deleted", func(ctx SpecContext) {
		w, trail := audited(ctx)
		w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		denial := w.settled(ctx, MakeUser(ada).FromSCIM().Denied())
		trail.lines()

		w.pruned(ctx, denial)

		Expect(only(trail.lines(), audit.DenialEnded)).To(HaveExactElements(And(HaveField("Resource", "LambdaTestUser/"+denial.Name), HaveField("Reason", "Deleted"))))
	})

	It("has what the guard holds and admits, and who decided what about whom", func(ctx SpecContext) {
		w, trail := audited(ctx, guarding(0, 25))
		people := make([]*v1alpha1.LambdaTestUser, 4)
		for i, name := range []string{"a", "b", "c", "d"} {
			people[i] = w.settled(ctx, MakeUser(name+"@example.com").Role(v1alpha1.RoleUser))
		}
		trail.lines()
		w.pruned(ctx, people[:3]...)
		held := w.held(ctx)

		lines := trail.lines()
		Expect(only(lines, audit.GuardAdmitted)).To(HaveExactElements(HaveField("Entries", HaveExactElements("a"))))
		Expect(only(lines, audit.GuardHeld)).To(HaveExactElements(HaveField("Entries", HaveExactElements("b")), HaveField("Entries", HaveExactElements("c"))))

		w.decided(ctx, v1alpha1.ApproveDeprovisionAnnotation, "another")
		w.decided(ctx, v1alpha1.ApproveDeprovisionAnnotation, v1alpha1.Decision{Token: held.Token, Only: []string{"b"}}.String())
		w.decided(ctx, v1alpha1.RejectDeprovisionAnnotation, w.held(ctx).Token)

		lines = trail.lines()
		Expect(only(lines, audit.GuardRefused)).To(HaveExactElements(And(HaveField("Reason", "StaleToken"), HaveField("Token", "another"))))
		Expect(only(lines, audit.GuardApproved)).To(HaveExactElements(And(
			HaveField("Token", held.Token), HaveField("Entries", HaveExactElements("b")), HaveField("People", 1), HaveField("By", HavePrefix("field manager ")))))
		Expect(only(lines, audit.GuardRejected)).To(HaveExactElements(HaveField("Entries", HaveExactElements("c"))))
	})

	It("has each change of a group, with the accounts that join and leave", func(ctx SpecContext) {
		w, trail := audited(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		trail.lines()

		w.pushed(ctx, MakeGroup("Testers").Giving(v1alpha1.RoleAdmin).With(ada))

		Expect(only(trail.lines(), audit.Called)).To(ContainElement(And(
			HaveField("Call", "CreateGroup"), HaveField("Resource", HavePrefix("LambdaTestGroup/")), HaveField("Outcome", audit.OutcomeDone),
			HaveField("Changes", ContainElements(
				audit.Change{Attribute: "displayName", To: "Testers"}, audit.Change{Attribute: "roles", To: "Admin"}, audit.Change{Attribute: "members", To: user.Status.AccountID})))))
	})

	It("has the token that the operator creates, and never the token", func(ctx SpecContext) {
		w, trail := newWorld(ctx), &auditTrail{}
		w.restartWith(Options{Audit: trail.log(true)})
		withOrganization(ctx, w)

		Expect(only(trail.lines(), audit.TokenCreated)).To(HaveExactElements(And(
			HaveField("Resource", "Secret/default-scim-token"), HaveField("TokenKey", v1alpha1.DefaultTokenKey))))
	})

	It("holds no address, unless it is asked to", func(ctx SpecContext) {
		w, trail := audited(ctx)
		w.changed(ctx, w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleAdmin)), denied)
		Expect(trail.written.String()).NotTo(ContainSubstring("@"))
		Expect(trail.lines()).NotTo(BeEmpty())

		w.restartWith(Options{Audit: trail.log(true)})
		w.connected(ctx, DefaultOrganization)
		Expect(w.connection().Sweep(ctx)).To(Succeed())
		w.settled(ctx, MakeUser("grace@example.com").Role(v1alpha1.RoleUser))
		Expect(trail.lines()).To(ContainElement(HaveField("Address", "grace@example.com")))
	})
})

var _ = Describe("A privilege that arises elsewhere", Label("audit", "events"), func() {
	audited := func(ctx SpecContext) (*world, *auditTrail) {
		GinkgoHelper()
		w, trail := newWorld(ctx), &auditTrail{}
		w.restartWith(Options{Audit: trail.log(false)})
		withOrganization(ctx, w)
		return w, trail
	}
	about := func(lines []audit.Line, event audit.Event) (matching []audit.Line) {
		for _, line := range lines {
			if line.Event == event {
				matching = append(matching, line)
			}
		}
		return matching
	}
	edited := func(w *world, userName string, change func(*simulator.Account)) {
		GinkgoHelper()
		_, err := w.upstream.EditAccount(userName, change)
		Expect(err).NotTo(HaveOccurred())
	}

	It("is told: Admin by a claim, by a group, or made so at LambdaTest", func(ctx SpecContext) {
		w, trail := audited(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		grace := w.settled(ctx, MakeUser("grace@example.com"))
		trail.lines()
		w.events()

		w.changed(ctx, user, wants(v1alpha1.RoleAdmin))
		Expect(about(trail.lines(), audit.BecameAdmin)).To(HaveExactElements(And(HaveField("Resource", "LambdaTestUser/ada"), HaveField("Because", HaveExactElements("LambdaTestUser/ada")))))
		Expect(w.events()).To(ContainElement("Normal BecameAdmin The person is an active Admin now: the role is by LambdaTestUser/ada."))

		edited(w, grace.Spec.UserName, func(a *simulator.Account) { a.Role = "Admin" })
		w.swept(ctx)
		w.reconciled(ctx, grace)
		Expect(about(trail.lines(), audit.BecameAdmin)).To(HaveExactElements(And(HaveField("Resource", "LambdaTestUser/grace"), HaveField("Because", BeEmpty()))))
		Expect(w.events()).To(ContainElement(HavePrefix("Warning BecameAdmin The person was made Admin at LambdaTest. No resource decides the role")))
		w.swept(ctx)
		w.reconciled(ctx, grace)
		Expect(about(trail.lines(), audit.BecameAdmin)).To(BeEmpty(), "told once")
	})

	It("is told of an Admin whom nobody claims, from the second sweep on", func(ctx SpecContext) {
		w, trail := newWorld(ctx), &auditTrail{}
		w.upstream.AddAccount(simulator.Account{UserName: "owner@example.com", Active: true, Role: "Admin"})
		w.upstream.AddAccount(simulator.Account{UserName: "shadow@example.com", Active: true, Role: "User"})
		w.restartWith(Options{Audit: trail.log(false)})
		withOrganization(ctx, w)
		Expect(about(trail.lines(), audit.BecameAdmin)).To(BeEmpty())

		edited(w, "shadow@example.com", func(a *simulator.Account) { a.Role = "Admin" })
		w.swept(ctx)

		Expect(about(trail.lines(), audit.BecameAdmin)).To(HaveExactElements(And(
			HaveField("Account", w.account("shadow@example.com").ID), HaveField("Person", v1alpha1.PersonDigest(DefaultOrganization, "shadow@example.com")), HaveField("Reason", "Unclaimed"))))
		Expect(w.events()).To(ContainElement(HavePrefix("Warning UnclaimedAdmin Account " + w.account("shadow@example.com").ID + " is an active Admin at LambdaTest, and no resource claims it.")))
		w.swept(ctx)
		Expect(about(trail.lines(), audit.BecameAdmin)).To(BeEmpty(), "told once")
	})

	It("is told when a denied person was switched on at LambdaTest, and set back", Label("deny-wins"), func(ctx SpecContext) {
		w, trail := audited(ctx)
		w.clock.Advance(time.Hour)
		user := w.changed(ctx, w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser)), denied)
		off := user.Status.OffAt
		trail.lines()
		w.events()

		edited(w, ada, func(a *simulator.Account) { a.Active = true })
		w.swept(ctx)
		w.reconciled(ctx, user)

		Expect(w.account(ada).Active).To(BeFalse())
		Expect(about(trail.lines(), audit.ActivatedAtLambdaTest)).To(HaveExactElements(HaveField("Because", HaveExactElements("LambdaTestUser/ada"))))
		Expect(w.events()).To(ContainElement(HavePrefix("Warning ActivatedAtLambdaTest The account of this denied person was switched on at LambdaTest")))
		Expect(Fetched(ctx, k8s, user).Status.OffAt).To(Equal(off), "the denial was carried out once")
	})

	It("that overrules the identity provider is named in the message of its resource", func(ctx SpecContext) {
		w, _ := audited(ctx)
		provided := w.settled(ctx, MakeUser(ada).FromSCIM().Active().Role(v1alpha1.RoleGuest))
		w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleAdmin))

		provided = w.again(ctx, provided)

		Expect(provided).To(BeReady(v1alpha1.SyncedReason))
		Expect(provided.Status.Conditions).To(ContainElement(HaveField("Message", HaveSuffix("The role is Admin by LambdaTestUser/ada; this resource says Guest."))))
		Expect(strings.Join(w.events(), "\n")).To(ContainSubstring("this resource says Guest"), "the provider shows success")
	})
})
