// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"context"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// The smallest resources that are accepted. Each entry below changes one of them.
const (
	user = `
apiVersion: iam.lambdatest.io/v1alpha1
kind: LambdaTestUser
metadata: {generateName: user-, namespace: default}
spec:
  userName: ada@example.com
  name: {givenName: Ada, familyName: Lovelace}
`
	group = `
apiVersion: iam.lambdatest.io/v1alpha1
kind: LambdaTestGroup
metadata: {generateName: group-, namespace: default}
spec:
  displayName: Testers
`
	organization = `
apiVersion: iam.lambdatest.io/v1alpha1
kind: LambdaTestOrganization
metadata: {generateName: organization-, namespace: default}
spec:
  tokenSecretRef: {name: lambdatest-token}
`
)

var _ = Describe("a manifest", func() {
	DescribeTable("that keeps the rules is accepted",
		func(ctx SpecContext, manifest string, changes ...change) {
			Expect(k8s.Create(ctx, object(manifest, changes...))).To(Succeed())
		},
		Entry("the smallest user", user),
		Entry("a user with everything", user,
			set("spec.organizationRef.name", "other"), set("spec.role", "Guest"), set("spec.active", false),
			set("spec.concurrencyGroup", "night shift"), set("spec.externalId", "00u1"), set("spec.displayName", "Ada L."),
			set("spec.emails", []any{map[string]any{"value": "ada@example.com", "type": "work", "primary": true}}),
			set("spec.managementPolicy", "Observe"), set("spec.deletionPolicy", "Orphan")),
		Entry("a denial without a name", user, unset("spec.name"), set("spec.active", false)),
		Entry("a user without e-mails", user, set("spec.emails", []any{})),
		Entry("a user with the longest e-mails of a person", user, set("spec.emails", addresses(10, "a", 254))),
		Entry("a userName of 254 characters", user, set("spec.userName", strings.Repeat("a", 242)+"@example.com")),
		Entry("a userName with a space inside", user, set("spec.userName", "ada lovelace")),
		Entry("a name of any script, with what joins its letters", user,
			set("spec.name", map[string]any{"givenName": "علی\u200cرضا", "familyName": "क्\u200dष 陳 O’Brien-Öztürk"}), set("spec.displayName", "👩\u200d🚀 Ada")),
		Entry("a deletion mark of the SCIM endpoint", user, set("metadata.name", "scim-marked"),
			set("spec.active", false), set("spec.deletedAt", "2026-01-02T03:04:05Z")),
		Entry("the smallest group", group),
		Entry("a group with everything", group,
			set("spec.organizationRef.name", "other"), set("spec.roles", []any{"Admin", "User"}), set("spec.externalId", "00g1"),
			set("spec.members", []any{"ada@example.com", "grace@example.com"}), set("spec.deletionPolicy", "Orphan")),
		Entry("the smallest organization", organization),
		Entry("an organization with everything", organization,
			set("spec.baseURL", "http://127.0.0.1:8080/api/scim"), set("spec.tokenSecretRef.key", "scim"),
			set("spec.scim", map[string]any{"tokenSecretRef": map[string]any{"name": "okta"}, "userNamePolicy": "Any", "maxRole": "User"}),
			set("spec.syncInterval", "1h30m"), set("spec.driftPolicy", "Report"),
			set("spec.rateLimit", map[string]any{"requestsPerSecond": int64(200), "burst": int64(1)}),
			set("spec.deprovisionGuard", map[string]any{"minimum": int64(0), "percent": int64(50), "explicitPercent": int64(30)}),
			set("spec.groupMode", "RolesOnly"), set("spec.importUsers", "Observe"), set("spec.suspend", true)),
	)

	DescribeTable("that breaks a rule is refused with the way to mend it",
		func(ctx SpecContext, manifest string, breaking change, message string) {
			err := k8s.Create(ctx, object(manifest, breaking))
			Expect(err).To(MatchError(apierrors.IsInvalid, "IsInvalid"))
			Expect(err).To(MatchError(ContainSubstring(message)))
		},
		Entry("no userName", user, unset("spec.userName"), "spec.userName: Required value"),
		Entry("an empty userName", user, set("spec.userName", ""), "spec.userName in body should be at least 1 chars long"),
		Entry("a userName of 255 characters", user, set("spec.userName", strings.Repeat("a", 255)), "may not be more than 254"),
		Entry("a userName that begins with a space", user, set("spec.userName", " ada@example.com"), "must not begin or end with white space"),
		Entry("a userName with a line feed", user, set("spec.userName", "ada\n@example.com"), "nor hold control or formatting characters"),
		Entry("a userName with a C1 control character", user, set("spec.userName", "ada\u009b2K@example.com"), "nor hold control or formatting characters"),
		Entry("a userName that is turned round", user, set("spec.userName", "ada\u202e@example.com"), "nor hold control or formatting characters"),
		Entry("a userName with a zero width joiner", user, set("spec.userName", "a\u200dda@example.com"), "nor hold control or formatting characters"),
		Entry("a userName with a line separator", user, set("spec.userName", "ada\u2028@example.com"), "nor hold control or formatting characters"),
		Entry("a givenName with an escape", user, set("spec.name.givenName", "Ada\x1b[2K"), "givenName must not hold control or formatting characters"),
		Entry("a familyName that is turned round", user, set("spec.name.familyName", "\u2066Lovelace"), "familyName must not hold control or formatting characters"),
		Entry("a concurrencyGroup with an escape", user, set("spec.concurrencyGroup", "a\x1b]52;c;eA==\a"), "concurrencyGroup must not hold control or formatting characters"),
		Entry("a displayName with a soft hyphen", user, set("spec.displayName", "Ada\u00ad"), "displayName must not hold control or formatting characters"),
		Entry("an externalId with a carriage return", user, set("spec.externalId", "00u1\r"), "externalId must not hold control or formatting characters"),
		Entry("an e-mail that is turned round", user, set("spec.emails", []any{map[string]any{"value": "\u202eada@example.com"}}), "value must not hold control or formatting characters"),
		Entry("a type of an e-mail with a tab", user, set("spec.emails", []any{map[string]any{"value": "ada@example.com", "type": "a\tb"}}), "type must not hold control or formatting characters"),
		Entry("a display of an e-mail with a bell", user, set("spec.emails", []any{map[string]any{"value": "ada@example.com", "display": "\a"}}), "display must not hold control or formatting characters"),
		Entry("an organization with an escape", user, set("spec.organizationRef.name", "a\x1b"), "name must not hold control or formatting characters"),
		Entry("a displayName of a group that is turned round", group, set("spec.displayName", "\u202eTesters"), "nor hold control or formatting characters"),
		Entry("an externalId of a group with a tag character", group, set("spec.externalId", "\U000e0041"), "externalId must not hold control or formatting characters"),
		Entry("a member with an escape", group, set("spec.members", []any{"ada@example.com\x1b[2K"}), "spec.members[0] in body should match"),
		Entry("a member that is turned round", group, set("spec.members", []any{"\u202eada@example.com"}), "spec.members[0] in body should match"),
		Entry("a Secret with an escape", organization, set("spec.tokenSecretRef.name", "a\x1b"), "name must not hold control or formatting characters"),
		Entry("a key with an escape", organization, set("spec.tokenSecretRef.key", "a\x1b"), "key must not hold control or formatting characters"),
		Entry("a SCIM Secret with an escape", organization, set("spec.scim", map[string]any{"tokenSecretRef": map[string]any{"name": "a\x1b"}}), "name must not hold control or formatting characters"),
		Entry("a baseURL that is turned round", organization, set("spec.baseURL", "https://auth.lambdatest.com/\u202eapi"), "baseURL must not hold control or formatting characters"),
		Entry("no name", user, unset("spec.name"), "name is required unless active is false"),
		Entry("no name of an active person", user, func(o map[string]any) {
			unset("spec.name")(o)
			set("spec.active", true)(o)
		}, "name is required unless active is false"),
		Entry("no givenName", user, unset("spec.name.givenName"), "spec.name.givenName: Required value"),
		Entry("an empty givenName", user, set("spec.name.givenName", ""), "spec.name.givenName in body should be at least 1 chars long"),
		Entry("no familyName", user, unset("spec.name.familyName"), "spec.name.familyName: Required value"),
		Entry("an empty familyName", user, set("spec.name.familyName", ""), "spec.name.familyName in body should be at least 1 chars long"),
		Entry("an unknown role", user, set("spec.role", "Owner"), `supported values: "Admin", "User", "Guest"`),
		Entry("an empty concurrency group", user, set("spec.concurrencyGroup", ""), "spec.concurrencyGroup in body should be at least 1 chars long"),
		Entry("11 e-mails", user, set("spec.emails", addresses(11, "a", 20)), "must have at most 10 items"),
		Entry("e-mails of few characters and many bytes", user, set("spec.emails", addresses(10, "\U0001F600", 103)), "emails must take at most 4096 bytes in all"),
		Entry("an e-mail without a value", user, set("spec.emails", []any{map[string]any{"type": "work"}}), "spec.emails[0].value: Required value"),
		Entry("an unknown managementPolicy", user, set("spec.managementPolicy", "Ignore"), `supported values: "Full", "Observe"`),
		Entry("an unknown deletionPolicy", user, set("spec.deletionPolicy", "Delete"), `supported values: "Deactivate", "Orphan"`),
		Entry("a deletion mark in Git", user, func(o map[string]any) {
			set("spec.active", false)(o)
			set("spec.deletedAt", "2026-01-02T03:04:05Z")(o)
		}, "to deny a person, set spec.active: false"),
		Entry("a deletion mark on an active person", user, func(o map[string]any) {
			set("metadata.name", "scim-active")(o)
			set("spec.deletedAt", "2026-01-02T03:04:05Z")(o)
		}, "deletedAt marks a denial: it needs active: false"),
		Entry("no displayName", group, unset("spec.displayName"), "spec.displayName: Required value"),
		Entry("an empty displayName", group, set("spec.displayName", ""), "spec.displayName in body should be at least 1 chars long"),
		Entry("a displayName that ends with a space", group, set("spec.displayName", "Testers "), "must not begin or end with white space"),
		Entry("an unknown role of a group", group, set("spec.roles", []any{"Owner"}), `supported values: "Admin", "User", "Guest"`),
		Entry("a role twice", group, set("spec.roles", []any{"User", "User"}), "Duplicate value"),
		Entry("an empty member", group, set("spec.members", []any{""}), "spec.members[0] in body should be at least 1 chars long"),
		Entry("25 001 members", group, set("spec.members", members(25_001)), "must have at most 25000 items"),
		Entry("an unknown deletionPolicy of a group", group, set("spec.deletionPolicy", "Deactivate"), `supported values: "Delete", "Orphan"`),
		Entry("no tokenSecretRef", organization, unset("spec.tokenSecretRef"), "spec.tokenSecretRef: Required value"),
		Entry("a Secret without a name", organization, set("spec.tokenSecretRef", map[string]any{}), "spec.tokenSecretRef.name: Required value"),
		Entry("a baseURL that is no URL", organization, set("spec.baseURL", "auth.lambdatest.com"), "baseURL must be an absolute https URL"),
		Entry("a baseURL of another scheme", organization, set("spec.baseURL", "ftp://auth.lambdatest.com"), "baseURL must be an absolute https URL"),
		Entry("a token in the baseURL", organization, set("spec.baseURL", "https://x:secret@auth.lambdatest.com"), "put the token into the Secret"),
		Entry("a query in the baseURL", organization, set("spec.baseURL", "https://auth.lambdatest.com/?x=y"), "must not hold user information, a query"),
		Entry("a SCIM Secret without a name", organization, set("spec.scim.tokenSecretRef", map[string]any{}), "spec.scim.tokenSecretRef.name: Required value"),
		Entry("an unknown userNamePolicy", organization, set("spec.scim.userNamePolicy", "None"), `supported values: "Email", "Any"`),
		Entry("an unknown maxRole", organization, set("spec.scim.maxRole", "Owner"), `supported values: "Admin", "User", "Guest"`),
		Entry("a syncInterval without a unit", organization, set("spec.syncInterval", "10"), "spec.syncInterval in body should match"),
		Entry("a syncInterval below a second", organization, set("spec.syncInterval", "10ms"), "syncInterval must be between 1s and 24h"),
		Entry("a syncInterval above a day", organization, set("spec.syncInterval", "25h"), "syncInterval must be between 1s and 24h"),
		Entry("an unknown driftPolicy", organization, set("spec.driftPolicy", "Ignore"), `supported values: "Correct", "Report"`),
		Entry("no requests at all", organization, set("spec.rateLimit.requestsPerSecond", int64(0)), "should be greater than or equal to 1"),
		Entry("no burst", organization, set("spec.rateLimit.burst", int64(0)), "should be greater than or equal to 1"),
		Entry("a guard that allows more than half", organization, set("spec.deprovisionGuard.percent", int64(51)), "should be less than or equal to 50"),
		Entry("a guard below zero", organization, set("spec.deprovisionGuard.minimum", int64(-1)), "should be greater than or equal to 0"),
		Entry("an explicit limit of zero", organization, set("spec.deprovisionGuard.explicitPercent", int64(0)), "should be greater than or equal to 1"),
		Entry("an unknown groupMode", organization, set("spec.groupMode", "Off"), `supported values: "Provision", "RolesOnly"`),
		Entry("an unknown import", organization, set("spec.importUsers", "Full"), `supported values: "None", "Observe"`),
		Entry("a name that no token Secret could carry", organization, set("metadata.name", strings.Repeat("o", 64)), "has at most 63 characters"),
	)

	// Kubernetes checks only what an update changes (ratcheting, in every release that this project supports): what was stored before a
	// rule stays, and can be worked with. Members are one list, whose elements nobody can tell apart: a list with such a member is checked
	// when it changes, and then has to lose it.
	It("that is stored already stays updatable when a rule comes later", func(ctx SpecContext) {
		withoutRules(ctx)
		oldUser := object(user, set("spec.userName", "old\u202e@example.com"), set("spec.name.givenName", "Ada\x1b[2K"), set("spec.concurrencyGroup", "a\u200bb"),
			set("spec.emails", addresses(20, "\U0001F600", 320)))
		oldGroup := object(group, set("spec.displayName", "old\u009b"), set("spec.members", []any{"a\u202e@example.com", "b@example.com"}))
		for _, stored := range []*unstructured.Unstructured{oldUser, oldGroup} {
			Eventually(func() error { return client.IgnoreAlreadyExists(k8s.Create(ctx, stored)) }).WithTimeout(30 * time.Second).Should(Succeed())
		}
		Expect(plane.InstallCRDs("../../config/crd/bases")).To(Succeed())
		Eventually(func() error {
			return k8s.Create(ctx, object(user, set("spec.userName", "new\u202e@example.com")), client.DryRunAll)
		}).
			WithTimeout(30 * time.Second).Should(MatchError(apierrors.IsInvalid, "IsInvalid"))

		set("spec.role", "Admin")(oldUser.Object)
		set("metadata.labels", map[string]any{"a": "b"})(oldUser.Object)
		Expect(k8s.Update(ctx, oldUser)).To(Succeed())
		set("spec.roles", []any{"Guest"})(oldGroup.Object)
		Expect(k8s.Update(ctx, oldGroup)).To(Succeed())
		set("spec.members", []any{"a\u202e@example.com"})(oldGroup.Object)
		Expect(k8s.Update(ctx, oldGroup.DeepCopy())).To(MatchError(ContainSubstring("spec.members[0] in body should match")))
		set("spec.members", []any{"b@example.com"})(oldGroup.Object)
		Expect(k8s.Update(ctx, oldGroup)).To(Succeed())
	})

	DescribeTable("that changes what cannot change is refused with the way to mend it",
		func(ctx SpecContext, manifest string, changed change, message string) {
			stored := object(manifest)
			Expect(k8s.Create(ctx, stored)).To(Succeed())
			changed(stored.Object)
			err := k8s.Update(ctx, stored)
			Expect(err).To(MatchError(apierrors.IsInvalid, "IsInvalid"))
			Expect(err).To(MatchError(ContainSubstring(message)))
		},
		Entry("the userName", user, set("spec.userName", "adam@example.com"), "userName is immutable, LambdaTest cannot rename an account: create a new resource with the new userName first, then delete this one"),
		Entry("only the case of the userName", user, set("spec.userName", "Ada@example.com"), "userName is immutable"),
		Entry("the organization of a user", user, set("spec.organizationRef.name", "other"), "organizationRef is immutable"),
		Entry("the organization of a group", group, set("spec.organizationRef.name", "other"), "organizationRef is immutable"),
	)

	It("gets the defaults that the documentation promises", func(ctx SpecContext) {
		storedUser, storedGroup, storedOrganization := object(user), object(group), object(organization)
		for _, stored := range []*unstructured.Unstructured{storedUser, storedGroup, storedOrganization} {
			Expect(k8s.Create(ctx, stored)).To(Succeed())
			Expect(stored.Object).To(HaveKeyWithValue("status", HaveKeyWithValue("observedGeneration", BeEquivalentTo(-1))))
		}
		Expect(storedUser.Object["spec"]).To(And(
			HaveKeyWithValue("organizationRef", HaveKeyWithValue("name", "default")),
			HaveKeyWithValue("managementPolicy", "Full"),
			HaveKeyWithValue("deletionPolicy", "Deactivate"),
			Not(HaveKey("role")), Not(HaveKey("active"))))
		Expect(storedGroup.Object["spec"]).To(And(
			HaveKeyWithValue("organizationRef", HaveKeyWithValue("name", "default")),
			HaveKeyWithValue("deletionPolicy", "Delete")))
		Expect(storedOrganization.Object["spec"]).To(And(
			HaveKeyWithValue("baseURL", v1alpha1.DefaultBaseURL),
			HaveKeyWithValue("tokenSecretRef", HaveKeyWithValue("key", "token")),
			HaveKeyWithValue("scim", And(HaveKeyWithValue("userNamePolicy", "Email"), HaveKeyWithValue("maxRole", "Admin"))),
			HaveKeyWithValue("syncInterval", "10m"), HaveKeyWithValue("driftPolicy", "Correct"),
			HaveKeyWithValue("rateLimit", And(HaveKeyWithValue("requestsPerSecond", BeEquivalentTo(10)), HaveKeyWithValue("burst", BeEquivalentTo(20)))),
			HaveKeyWithValue("deprovisionGuard", And(HaveKeyWithValue("minimum", BeEquivalentTo(10)), HaveKeyWithValue("percent", BeEquivalentTo(20)))),
			HaveKeyWithValue("groupMode", "Provision"), HaveKeyWithValue("importUsers", "None")))
	})

	It("distinguishes e-mails that were never set from e-mails that were removed, also in the Go types", func(ctx SpecContext) {
		never, removed := object(user), object(user, set("spec.emails", []any{}))
		for _, stored := range []*unstructured.Unstructured{never, removed} {
			Expect(k8s.Create(ctx, stored)).To(Succeed())
		}
		typed := &v1alpha1.LambdaTestUser{}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(never), typed)).To(Succeed())
		Expect(typed.Spec.Emails).To(BeNil())
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(removed), typed)).To(Succeed())
		Expect(typed.Spec.Emails).To(BeEquivalentTo([]v1alpha1.Email{}))
		Expect(k8s.Update(ctx, typed)).To(Succeed())
		Expect(typed.Generation).To(BeEquivalentTo(1), "writing back the object that was read must change nothing")
	})

	It("has a status, a name and a reference that each take one entry in managedFields", func(ctx SpecContext) {
		stored := &v1alpha1.LambdaTestUser{}
		created := object(user)
		Expect(k8s.Create(ctx, created)).To(Succeed())
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(created), stored)).To(Succeed())
		stored.Status.Account = &v1alpha1.AccountState{Active: true}
		stored.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ReadyCondition, Status: metav1.ConditionTrue, Reason: v1alpha1.SyncedReason, LastTransitionTime: metav1.Now()}}
		Expect(k8s.Status().Update(ctx, stored)).To(Succeed())
		fields := map[string]string{}
		for _, entry := range stored.ManagedFields {
			fields[entry.Subresource] = string(entry.FieldsV1.GetRawBytes())
		}
		Expect(fields).To(HaveKeyWithValue("status", MatchJSON(`{"f:status":{}}`)))
		Expect(fields).To(HaveKeyWithValue("", And(ContainSubstring(`"f:name":{}`), ContainSubstring(`"f:organizationRef":{}`))))
	})

	It("is found by userName and by organization on the server", func(ctx SpecContext) {
		Expect(k8s.Create(ctx, object(user, set("spec.userName", "selected@example.com"), set("spec.organizationRef.name", "selected")))).To(Succeed())
		for field, value := range map[string]string{"spec.userName": "selected@example.com", "spec.organizationRef.name": "selected"} {
			found := &v1alpha1.LambdaTestUserList{}
			Expect(k8s.List(ctx, found, client.MatchingFields{field: value})).To(Succeed())
			Expect(found.Items).To(HaveLen(1), field)
		}
	})
})

// withoutRules takes everything that a rule or a pattern refuses out of the CRDs, as they were before there was one.
func withoutRules(ctx context.Context) {
	GinkgoHelper()
	for _, plural := range []string{"lambdatestusers", "lambdatestgroups"} {
		crd := &unstructured.Unstructured{}
		crd.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
		Expect(k8s.Get(ctx, client.ObjectKey{Name: plural + "." + v1alpha1.SchemeGroupVersion.Group}, crd)).To(Succeed())
		versions, _, err := unstructured.NestedSlice(crd.Object, "spec", "versions")
		Expect(err).NotTo(HaveOccurred())
		loosen(versions)
		Expect(unstructured.SetNestedSlice(crd.Object, versions, "spec", "versions")).To(Succeed())
		Expect(k8s.Update(ctx, crd)).To(Succeed())
	}
}

func loosen(value any) {
	switch value := value.(type) {
	case []any:
		for _, each := range value {
			loosen(each)
		}
	case map[string]any:
		delete(value, "pattern")
		delete(value, "x-kubernetes-validations")
		delete(value, "maxItems")
		for _, each := range value {
			loosen(each)
		}
	}
}

// change is one edit of a manifest.
type change = func(object map[string]any)

// set gives the field at a dotted path a value.
func set(path string, value any) change {
	return func(object map[string]any) {
		Expect(unstructured.SetNestedField(object, value, strings.Split(path, ".")...)).To(Succeed())
	}
}

// unset removes the field at a dotted path.
func unset(path string) change {
	return func(object map[string]any) {
		unstructured.RemoveNestedField(object, strings.Split(path, ".")...)
	}
}

func object(manifest string, changes ...change) *unstructured.Unstructured {
	GinkgoHelper()
	parsed := &unstructured.Unstructured{}
	Expect(yaml.Unmarshal([]byte(manifest), &parsed.Object)).To(Succeed())
	for _, edit := range changes {
		edit(parsed.Object)
	}
	return parsed
}

// addresses are so many e-mails of so many characters each.
func addresses(count int, character string, length int) (emails []any) {
	for range count {
		emails = append(emails, map[string]any{"value": strings.Repeat(character, length)})
	}
	return emails
}

func members(count int) []any {
	all := make([]any, count)
	for i := range all {
		all[i] = "ada@example.com"
	}
	return all
}
