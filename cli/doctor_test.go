// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

const (
	doctorToken   = "a-token-that-the-doctor-sends"
	throwaway     = "throwaway@example.com"
	settledPerson = "user-000002@example.com"
)

// The names of readings and settings are those of the documentation.
func TestTheDoctorKnowsEveryReading(t *testing.T) {
	documented, known := map[string][]string{}, map[string][]string{}
	for _, each := range simulator.Readings() {
		for _, setting := range each.Settings {
			documented[each.Name] = append(documented[each.Name], setting.Name)
		}
	}
	for _, each := range readings {
		known[each.name] = each.names()
		for _, setting := range each.settings {
			if setting.means == "" {
				t.Errorf("%s: %s means nothing", each.name, setting.name)
			}
		}
	}
	if diff := cmp.Diff(documented, known); diff != "" {
		t.Errorf("readings (-documented +known):\n%s", diff)
	}
}

// examined is an organization at a simulator with people, of whom one is deactivated and known to a resource.
func examined(ctx context.Context, settings simulator.Settings, people int) (*simulator.Server, []string) {
	GinkgoHelper()
	sim := simulator.Start(simulator.Token(doctorToken), simulator.Population(people), simulator.Reads(settings))
	DeferCleanup(sim.Close)
	account, err := sim.EditAccount(settledPerson, func(a *simulator.Account) { a.Active = false })
	Expect(err).NotTo(HaveOccurred())
	place := namespace(ctx)
	Expect(k8s.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: place, Name: "lambdatest-token"}, StringData: map[string]string{"token": doctorToken},
	})).To(Succeed())
	organization := &v1alpha1.LambdaTestOrganization{Spec: v1alpha1.LambdaTestOrganizationSpec{
		BaseURL: sim.BaseURL(), TokenSecretRef: v1alpha1.SecretKeyReference{Name: "lambdatest-token"},
	}}
	organization.Namespace, organization.Name = place, "examined"
	Expect(k8s.Create(ctx, organization)).To(Succeed())
	setReady(ctx, organization, metav1.ConditionTrue, v1alpha1.SyncedReason, "")

	user := claimed(ctx, place, "settled", func(u *v1alpha1.LambdaTestUser) {
		u.Spec.OrganizationRef.Name, u.Spec.UserName, u.Spec.Active = organization.Name, settledPerson, new(false)
	})
	user.Status.AccountID, user.Status.Account = account.ID, &v1alpha1.AccountState{Active: false, Role: account.Role}
	setReady(ctx, user, metav1.ConditionTrue, v1alpha1.SyncedReason, "")
	return sim, []string{"-n", place, "--upstream-hosts", sim.URL(), "--yes"}
}

// diagnosed runs the doctor and returns its verdicts by reading.
func diagnosed(ctx context.Context, args ...string) (map[string]verdict, string, error) {
	GinkgoHelper()
	text, err := called(ctx, doctorCommand(), "", append(args, "-o", "json")...)
	var all []verdict
	Expect(json.Unmarshal([]byte(text), &all)).To(Succeed(), text)
	verdicts := map[string]verdict{}
	for _, each := range all {
		verdicts[each.Reading] = each
	}
	return verdicts, text, err
}

func settingsSeen(verdicts map[string]verdict) simulator.Settings {
	seen := simulator.Settings{}
	for name, each := range verdicts {
		if each.Saw != "" {
			seen[name] = each.Saw
		}
	}
	return seen
}

var _ = Describe("the doctor", func() {
	read := []string{listOfUsers, totalResults, orderOfLists, errorBodies, valuesOfActive}
	written := append([]string{knownEmail, withoutRole, ofInactive, unknownGroup, extensionInPatch, letters, reactivation, concurrencyGroups}, read...)
	others := simulator.Settings{
		concurrencyGroups: always, listOfUsers: withoutInactive, totalResults: thisPage, orderOfLists: byChange, knownEmail: is200,
		withoutRole: keepsRole, ofInactive: is400, unknownGroup: ignored, errorBodies: vendorErrors, extensionInPatch: pathLessToo,
		valuesOfActive: stringsOfThem, letters: lowerCased, reactivation: becomesUser,
	}
	furthest := simulator.Settings{
		concurrencyGroups: never, listOfUsers: firstPageAlways, totalResults: allMatches, orderOfLists: anotherOrder, knownEmail: is409,
		ofInactive: asAsked, unknownGroup: is400, errorBodies: htmlErrors, extensionInPatch: fullPathOnly,
		valuesOfActive: booleans, letters: comparedWithCase, reactivation: roleOfBefore,
	}

	DescribeTable("names exactly what LambdaTest does", func(ctx SpecContext, settings simulator.Settings, untold ...string) {
		sim, args := examined(ctx, settings, 30)
		sim.SetConcurrencyGroup("QA", true)

		verdicts, text, err := diagnosed(ctx, append(args, "--with", throwaway, "--concurrency-group", "QA")...)

		Expect(err).NotTo(HaveOccurred())
		want := simulator.Settings{}
		for _, name := range written {
			want[name] = sim.Settings()[name]
		}
		for _, name := range untold {
			delete(want, name)
		}
		Expect(settingsSeen(verdicts)).To(Equal(want), text)
		for _, each := range verdicts {
			if each.Saw != "" {
				Expect(each.Possible).To(BeEmpty(), each.Reading)
				continue
			}
			Expect(each.Possible).To(ContainElement(sim.Settings()[each.Reading]), each.Reading)
		}
		Expect(text).NotTo(ContainSubstring("@"))
		Expect(text).NotTo(ContainSubstring(doctorToken))
		account, there := sim.Account(throwaway)
		Expect(there).To(BeTrue())
		Expect(account.Active).To(BeFalse())
		for _, change := range sim.Calls() {
			if change.Method != http.MethodGet {
				Expect(change.Body + change.Path).To(Or(ContainSubstring("hrowaway@example.com"), ContainSubstring("/Users/"+account.ID)))
			}
		}
	},
		Entry("by the first setting of each reading", simulator.Settings{}),
		Entry("by other settings", others),
		Entry("by the settings that are furthest from the documents", furthest, withoutRole, concurrencyGroups),
	)

	DescribeTable("writes nothing without --with", func(ctx SpecContext, settings simulator.Settings) {
		sim, args := examined(ctx, settings, 30)

		verdicts, _, err := diagnosed(ctx, args...)

		Expect(err).NotTo(HaveOccurred())
		Expect(sim.Writes()).To(BeZero())
		seen := settingsSeen(verdicts)
		for _, name := range read {
			Expect(seen).To(HaveKeyWithValue(name, sim.Settings()[name]))
		}
	},
		Entry("by the first setting of each reading", simulator.Settings{}),
		Entry("by other settings", others),
		Entry("by the settings that are furthest from the documents", furthest),
	)

	It("says what it does before it writes, and does nothing without a yes", func(ctx SpecContext) {
		sim, args := examined(ctx, nil, 3)
		asked, err := called(ctx, doctorCommand(), "no\n", append(args[:4:4], "--with", throwaway)...)
		Expect(err).To(MatchError("nothing was changed"))
		Expect(asked).To(And(ContainSubstring(throwaway), ContainSubstring("with the role Guest"), ContainSubstring("leaves the account deactivated")))
		Expect(sim.Calls()).To(BeEmpty())
	})

	It("writes to no account of a person, whether a resource is about them or not", func(ctx SpecContext) {
		sim, args := examined(ctx, nil, 3)
		for _, person := range []string{strings.ToUpper(settledPerson), "user-000001@example.com"} {
			_, err := called(ctx, doctorCommand(), "", append(args, "--with", person)...)
			Expect(err).To(MatchError(ContainSubstring("nothing was written")))
		}
		Expect(sim.Writes()).To(BeZero())
	})

	It("says loudly what none of the known settings describes", func(ctx SpecContext) {
		sim, args := examined(ctx, nil, 30)
		sim.FailNext(http.StatusTeapot, simulator.On("GET /Users/{id}"), simulator.Body(`{"ada@example.com": 1, "oops": true}`))

		shown, err := called(ctx, doctorCommand(), "", args...)

		Expect(err).To(MatchError(errUnknownBehaviour))
		Expect(shown).To(And(HavePrefix("ATTENTION: errors: LambdaTest does none of what is known"), ContainSubstring("oops"), Not(ContainSubstring("ada@"))))
	})

	It("switches the throwaway account off when a step fails, and prints what it saw", func(ctx SpecContext) {
		sim, args := examined(ctx, nil, 30)
		sim.FailNext(http.StatusServiceUnavailable, simulator.On("PATCH /Users/{id}"))

		shown, err := called(ctx, doctorCommand(), "", append(args, "--with", throwaway)...)

		Expect(err).To(MatchError(ContainSubstring("503")))
		Expect(shown).To(ContainSubstring(orderOfLists))
		account, there := sim.Account(throwaway)
		Expect(there).To(BeTrue())
		Expect(account.Active).To(BeFalse())
	})
})
