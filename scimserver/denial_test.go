// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

var _ = Describe("A request that parses and ends in active: false always denies", func() {
	var t *tenant
	var id string
	BeforeEach(func(ctx SpecContext) {
		t = newTenant(ctx, func(o *v1alpha1.LambdaTestOrganization) { o.Spec.SCIM.MaxRole = v1alpha1.RoleUser })
		id = t.user("ada@example.com", role("User"), `"externalId":"one","displayName":"Ada"`)
	})

	denies := func(method, body string, headers ...string) {
		GinkgoHelper()
		before := t.do(200, "GET", "/Users/"+id, "")
		Expect(before.json).To(HaveKeyWithValue("active", true))
		after := t.do(200, method, "/Users/"+id, body, headers...)
		Expect(after.json).To(HaveKeyWithValue("active", false))
		Expect(t.do(200, "GET", "/Users/"+id, "").json).To(HaveKeyWithValue("active", false))
	}
	nothingElse := func(ctx SpecContext) {
		GinkgoHelper()
		spec := t.stored(ctx, id).Spec
		Expect(spec.UserName).To(Equal("ada@example.com"))
		Expect(spec.DisplayName).To(Equal("Ada"))
		Expect(spec.Role).To(Equal(v1alpha1.RoleUser))
		Expect(spec.ExternalID).To(Equal("one"))
		Expect(spec.Emails).To(BeNil())
	}

	DescribeTable("in a PUT, whatever else is wrong with it", func(ctx SpecContext, more string) {
		denies("PUT", `{"displayName":"X","externalId":"two",`+more+`}`)
		nothingElse(ctx)
	},
		Entry("Okta's leaver: a changed userName in the same PUT", `"userName":"ada.lovelace@example.com","active":false`),
		Entry("an unknown role", `"active":false,`+role("Emperor")),
		Entry("a role above maxRole", `"active":false,`+role("Admin")),
		Entry("a value of the wrong type", `"active":"False","emails":7`),
		Entry("a name that is too long", `"active":false,"name":{"givenName":"`+strings.Repeat("x", 300)+`"}`),
		Entry("an e-mail address that is too long", `"active":false,"emails":[{"value":"`+strings.Repeat("x", 400)+`"}]`),
		Entry("two primary addresses", `"active":false,"emails":[{"value":"a@example.com","primary":true},{"value":"b@example.com","primary":true}]`),
		Entry("active twice, in two spellings", `"active":false,"Active":true`),
		Entry("active twice, in one spelling", `"active":false,"active":true,"emails":7`),
		Entry("active among core attributes in an object of their own", `"urn:ietf:params:scim:schemas:core:2.0:User":{"active":"FALSE"},"emails":7`),
		Entry("active as a one-element array", `"active":[false],"userName":"x@example.com"`),
		Entry("active as a complex value", `"active":{"value":"false"},"userName":"x@example.com"`),
	)

	DescribeTable("in a PATCH, whatever else is wrong with it", func(ctx SpecContext, operations string) {
		denies("PATCH", `{"Operations":[`+operations+`]}`)
		nothingElse(ctx)
	},
		Entry("Entra's leaver: userName and active in one PATCH", `{"op":"Replace","path":"userName","value":"x@example.com"},{"op":"Replace","path":"active","value":"False"}`),
		Entry("a path that cannot be read", `{"op":"add","path":"emails[type eq","value":"x"},{"op":"replace","path":"active","value":false}`),
		Entry("a filter that matches nothing", `{"op":"replace","path":"emails[type sw \"fax\"].value","value":"x"},{"op":"replace","path":"active","value":false}`),
		Entry("a missing op", `{"path":"displayName","value":"X"},{"op":"replace","path":"active","value":false}`),
		Entry("an unknown role without a path", `{"op":"replace","value":{"active":false,"urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User:OrganizationRole":"Emperor"}}`),
		Entry("a verb that does not exist", `{"op":"destroy","path":"displayName"},{"op":"replace","path":"active","value":false}`),
		Entry("a removal of what is required", `{"op":"remove","path":"name"},{"op":"add","value":{"urn:ietf:params:scim:schemas:core:2.0:User:active":"false"}}`),
		Entry("with true before false", `{"op":"replace","path":"active","value":true},{"op":"replace","path":"ACTIVE","value":"false"},{"op":"remove"}`),
	)

	It("with a Replace of an address that the person does not have", func(ctx SpecContext) {
		denies("PATCH", `{"Operations":[{"op":"Replace","path":"emails[type eq \"other\"].value","value":"o@example.com"},{"op":"Replace","path":"active","value":"False"}]}`)
		Expect(t.stored(ctx, id).Spec.Emails).To(ContainElement(v1alpha1.Email{Value: "o@example.com", Type: "other"}))
	})
	DescribeTable("an operation without a known op alone is refused, and changes nothing", func(ctx SpecContext, operation string) {
		t.do(400, "PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"displayName","value":"X"},`+operation+`]}`)
		Expect(t.stored(ctx, id).IsDenial()).To(BeFalse())
		nothingElse(ctx)
	},
		Entry("missing", `{"path":"active","value":false}`),
		Entry("unknown", `{"op":"destroy","path":"active","value":false}`),
		Entry("no text", `{"op":7,"path":"active","value":false}`),
		Entry("given twice", `{"op":"replace","op":"replace","path":"active","value":false}`),
	)
	It("does so with a stale version", func(ctx SpecContext) {
		denies("PUT", `{"active":false,"displayName":"X"}`, `If-Match: W/"stale"`)
		nothingElse(ctx)
	})
	It("applies everything when everything can be applied", func(ctx SpecContext) {
		denies("PUT", userBody("ada@example.com", `"active":false,"displayName":"Countess"`))
		Expect(t.stored(ctx, id).Spec.DisplayName).To(Equal("Countess"))
	})
	It("says what was left out, in an event and in the audit line", func() {
		denies("PUT", `{"active":false,"userName":"ada.lovelace@example.com"}`)
		Eventually(replicas[0].events.Events).Should(Receive(ContainSubstring("DeniedInPart")))
		lines := replicas[0].log.with("SCIM write", "namespace="+t.organization.Namespace+" ", "User/"+id, "outcome=denied", "leftOut=mutability")
		Expect(lines).To(HaveLen(1))
		Expect(lines[0]).NotTo(ContainSubstring("example.com"), "no address in the log")
	})
	It("is not fooled by a last word of true", func() {
		a := t.do(400, "PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"active","value":false},{"op":"replace","path":"active","value":true},{"op":"replace","path":"userName","value":"x@example.com"}]}`)
		Expect(a.json).To(HaveKeyWithValue("scimType", "mutability"))
		Expect(t.do(200, "GET", "/Users/"+id, "").json).To(HaveKeyWithValue("active", true))
	})
	It("fails by what cannot be parsed alone", func() {
		t.do(400, "PUT", "/Users/"+id, `{"active":false`)
		t.do(400, "PATCH", "/Users/"+id, `{"active":false}`)
		Expect(t.do(200, "GET", "/Users/"+id, "").json).To(HaveKeyWithValue("active", true))
	})
	It("holds for a POST about an active person", func() {
		a := t.do(200, "POST", "/Users", userBody("ada@example.com", `"active":false`))
		Expect(a.json).To(HaveKeyWithValue("active", false))
	})
	It("holds for a POST about a person who is inactive or was deleted, with something wrong in it", func(ctx SpecContext) {
		body := `{"userName":"ada@example.com","active":false,"displayName":"X",` + role("Emperor") + `}`
		t.do(200, "PATCH", "/Users/"+id, deactivate)
		Expect(t.do(200, "POST", "/Users", body).json).To(HaveKeyWithValue("active", false))
		nothingElse(ctx)
		t.do(204, "DELETE", "/Users/"+id, "")
		Expect(t.do(200, "POST", "/Users", body).json).To(HaveKeyWithValue("active", false))
		Expect(t.do(200, "GET", "/Users/"+id, "").json).To(HaveKeyWithValue("active", false))
		nothingElse(ctx)
	})
	It("holds for a POST about a person nobody knows yet", func(ctx SpecContext) {
		a := t.do(201, "POST", "/Users", `{"userName":"new@example.com","active":"False",`+role("Emperor")+`}`)
		Expect(t.stored(ctx, a.json["id"].(string)).IsDenial()).To(BeTrue())
	})
	DescribeTable("a person cannot be without active", func(operation string) {
		a := t.do(400, "PATCH", "/Users/"+id, fmt.Sprintf(`{"Operations":[%s]}`, operation))
		Expect(a.json).To(HaveKeyWithValue("scimType", "mutability"))
	},
		Entry("by remove", `{"op":"remove","path":"active"}`),
		Entry("by null", `{"op":"replace","path":"active","value":null}`),
	)
})
