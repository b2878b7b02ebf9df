// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package security

import (
	"context"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// theOperator is the user name of the operator at the API server.
const theOperator = "system:serviceaccount:" + environment.OperatorNamespace + ":" + environment.OperatorServiceAccount

// as is a client of an account with all rights, so that only admission can refuse its requests.
func as(user string) client.Client {
	GinkgoHelper()
	config := rest.CopyConfig(env.Plane.Config())
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:masters"}}
	made, err := client.New(config, client.Options{Scheme: env.Client.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	return made
}

var _ = Describe("baseURL", Label("ssrf"), func() {
	connecting := func(ctx context.Context, baseURL string) func() *v1alpha1.LambdaTestOrganization {
		GinkgoHelper()
		name := strings.ReplaceAll(strings.ToLower(CurrentSpecReport().LeafNodeText), " ", "-")
		secret := Applied(ctx, env.Client, MakeSecret(environment.Namespace, name, "a-token-for-"+name))
		made := MakeOrganization(name).In(environment.Namespace).At(baseURL).Obj()
		made.Spec.TokenSecretRef.Name = secret.Name
		Applied(ctx, env.Client, made)
		DeferCleanup(func(ctx context.Context) { Expect(env.Client.Delete(ctx, made)).To(Succeed()) })
		return func() *v1alpha1.LambdaTestOrganization { return Fetched(ctx, env.Client, made) }
	}

	DescribeTable("of a host that the operator may not call is refused, and no call is made",
		func(ctx SpecContext, baseURL string) {
			organization := connecting(ctx, baseURL)
			Eventually(organization).Should(HaveCondition(v1alpha1.ReadyCondition, metav1.ConditionFalse, v1alpha1.InvalidBaseURLReason))
			Expect(readyMessage(organization())).To(ContainSubstring("may not call"))
		},
		Entry("cluster services", "https://kubernetes.default.svc/api/scim"),
		Entry("a host that begins like it", "https://auth.lambdatest.com.example.com/api/scim"),
		Entry("plain HTTP", "http://auth.lambdatest.com/api/scim"),
		Entry("loopback on a port", "http://127.0.0.1:1/api/scim"),
		Entry("decimal loopback", "http://2130706433/api/scim"),
		Entry("mapped metadata", "http://[::ffff:"+metadata+"]/api/scim"),
	)

	It("of a metadata service that somebody allowed is not called", func(ctx SpecContext) {
		organization := connecting(ctx, "http://"+metadata+"/api/scim")
		Eventually(func() string { return readyMessage(organization()) }).Should(ContainSubstring("metadata service"), "although --upstream-hosts allows it")
	})
})

func readyMessage(organization *v1alpha1.LambdaTestOrganization) string {
	for _, condition := range organization.Status.Conditions {
		if condition.Type == v1alpha1.ReadyCondition {
			return condition.Message
		}
	}
	return ""
}

var _ = Describe("Names that collide", Label("collisions"), func() {
	// squat creates a resource of another person under the name that the endpoint uses for this person, as a hash collision would.
	squat := func(ctx context.Context, organization, under, userName string) *v1alpha1.LambdaTestUser {
		GinkgoHelper()
		squatter := MakeUser(userName).In(environment.Namespace).Of(organization).FromSCIM().Named(v1alpha1.SCIMUserName(organization, under)).Obj()
		Expect(as(theOperator).Create(ctx, squatter)).To(Succeed())
		return squatter
	}

	It("show, change and delete nobody else", func(ctx SpecContext) {
		ada, eve := address("ada"), address("eve")
		squatter := squat(ctx, acme.Name, ada, eve)

		answer := acme.ask(ctx, http.MethodPost, "/Users", userBody(ada, `"active":false`))
		Expect(answer.status).To(And(BeNumerically(">=", 400), Not(Equal(http.StatusInternalServerError))), answer.body)
		Expect(answer.body).NotTo(ContainSubstring(eve))

		found := acme.ask(ctx, http.MethodGet, filtered("/Users", `userName eq "`+ada+`"`), "")
		Expect(found.json()).To(HaveKeyWithValue("totalResults", BeNumerically("==", 0)))
		Expect(Fetched(ctx, env.Client, squatter).Spec).To(Equal(squatter.Spec))
	})

	It("of another organization in the namespace are nobody's", func(ctx SpecContext) {
		ada := address("ada")
		squatter := MakeUser(ada).In(environment.Namespace).Of(mallory.Name).FromSCIM().Named(v1alpha1.SCIMUserName(acme.Name, ada)).Obj()
		Expect(as(theOperator).Create(ctx, squatter)).To(Succeed())

		Expect(acme.ask(ctx, http.MethodGet, "/Users/"+squatter.Name, "").status).To(Equal(http.StatusNotFound))
		Expect(acme.ask(ctx, http.MethodDelete, "/Users/"+squatter.Name, "").status).To(Equal(http.StatusNotFound))
		answer := acme.ask(ctx, http.MethodPost, "/Users", userBody(ada))
		Expect(answer.status).To(And(BeNumerically(">=", 400), Not(Equal(http.StatusInternalServerError))), answer.body)
		Expect(Fetched(ctx, env.Client, squatter).Spec).To(Equal(squatter.Spec))
	})

	It("of a group leave the group alone, and another suffix is taken", func(ctx SpecContext) {
		team, others := address("team"), address("others")
		squatter := MakeGroup(others).In(environment.Namespace).Of(acme.Name).FromSCIM().Named(v1alpha1.SCIMGroupName(acme.Name, team, 0)).Obj()
		Expect(as(theOperator).Create(ctx, squatter)).To(Succeed())

		id := acme.ask(ctx, http.MethodPost, "/Groups", `{"displayName":"`+team+`"}`).id()

		Expect(id).NotTo(Equal(squatter.Name))
		Expect(Fetched(ctx, env.Client, squatter).Spec).To(Equal(squatter.Spec))
	})
})

var _ = Describe("A resource in Kubernetes", Label("kubernetes"), func() {
	It("with the source of the identity provider is nobody's to write, not even an administrator's", func(ctx SpecContext) {
		id := acme.user(ctx, address("ada"))
		provided := Fetched(ctx, env.Client, MakeUser("x").Named(id).In(environment.Namespace).Obj())
		for _, who := range []string{"kubernetes-admin", "system:serviceaccount:flux-system:kustomize-controller", "system:serviceaccount:argocd:argocd-application-controller"} {
			promotion := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"role":"Admin"}}`))
			Expect(as(who).Patch(ctx, provided.DeepCopy(), promotion)).To(MatchError(apierrors.IsForbidden, "IsForbidden"), who)
			posing := MakeUser(address("posing")).In(environment.Namespace).Of(acme.Name).FromSCIM().Named("posing").Obj()
			Expect(as(who).Create(ctx, posing)).To(MatchError(apierrors.IsForbidden, "IsForbidden"), who)
		}
	})

	It("cannot use the organization or the Secret of another namespace", func(ctx SpecContext) {
		namespace := Namespace(ctx, env.Client)

		person := Applied(ctx, env.Client, MakeUser(address("ada")).Named("ada").In(namespace).Of(acme.Name).Obj())
		Eventually(func() *v1alpha1.LambdaTestUser { return Fetched(ctx, env.Client, person) }).Should(
			HaveCondition(v1alpha1.ReadyCondition, metav1.ConditionFalse, v1alpha1.OrganizationNotFoundReason))

		group := Applied(ctx, env.Client, MakeGroup(address("team")).Named("team").In(namespace).Of(acme.Name).Obj())
		Eventually(func() *v1alpha1.LambdaTestGroup { return Fetched(ctx, env.Client, group) }).Should(
			HaveCondition(v1alpha1.ReadyCondition, metav1.ConditionFalse, v1alpha1.OrganizationNotFoundReason))

		thief := MakeOrganization("thief").In(namespace).At(env.Simulator.BaseURL()).Obj()
		thief.Spec.TokenSecretRef.Name = acme.Name + "-lambdatest-token"
		Applied(ctx, env.Client, thief)
		Eventually(func() *v1alpha1.LambdaTestOrganization { return Fetched(ctx, env.Client, thief) }).Should(
			HaveCondition(v1alpha1.ReadyCondition, metav1.ConditionFalse, v1alpha1.SecretNotFoundReason))

		for i, name := range []string{"../" + environment.Namespace + "/" + acme.Name, environment.Namespace + "/" + acme.Name} {
			crossing := Applied(ctx, env.Client, MakeUser(address("x")).Named(named("crossing-%d", i)).In(namespace).Of(name).Obj())
			Eventually(func() *v1alpha1.LambdaTestUser { return Fetched(ctx, env.Client, crossing) }).Should(
				HaveCondition(v1alpha1.ReadyCondition, metav1.ConditionFalse, v1alpha1.OrganizationNotFoundReason))
		}
	})

	It("does not make the token of another namespace work: a copied Secret is a conflict, and opens neither organization", func(ctx SpecContext) {
		namespace := Namespace(ctx, env.Client)
		Applied(ctx, env.Client, MakeSecret(namespace, "upstream", "a-token-of-the-thief"))
		Applied(ctx, env.Client, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "stolen"}, StringData: map[string]string{"okta": acme.SCIMToken},
		})
		thief := MakeOrganization("thief").In(namespace).At(env.Simulator.BaseURL()).Obj()
		thief.Spec.TokenSecretRef.Name = "upstream"
		thief.Spec.SCIM.TokenSecretRef = &v1alpha1.SecretReference{Name: "stolen"}
		Applied(ctx, env.Client, thief)
		Eventually(func() []string { return linesWith("and is accepted for neither", "stolen") }).ShouldNot(BeEmpty())

		Eventually(func() int { return acme.ask(ctx, http.MethodGet, "/Users", "").status }).Should(Equal(http.StatusUnauthorized))
		Deleted(ctx, env.Client, thief)
		Eventually(func() int { return acme.ask(ctx, http.MethodGet, "/Users", "").status }).Should(Equal(http.StatusOK))
	})
})
