// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// sweep is the syncInterval of the organizations in the scenarios: the shortest that is allowed.
const sweep = time.Second

// world is one organization: its declared resources, its identity provider, and its LambdaTest.
type world struct {
	*environment.Organization
	env       *environment.Environment
	namespace string
	// groups counts those that were declared.
	groups int
}

// newWorld creates an organization for one scenario. It first applies the changes to the spec or to the simulated LambdaTest. After the
// scenario it suspends the organization, so that it does not disturb other scenarios.
func newWorld(ctx context.Context, changes ...func(*environment.Organization)) *world {
	GinkgoHelper()
	added, err := env.AddOrganization(ctx, newOrganization(changes...))
	Expect(err).NotTo(HaveOccurred())
	w := &world{Organization: added, env: env, namespace: environment.Namespace}
	DeferCleanup(w.retire)
	return w
}

// newOrganization returns an organization with a unique name and frequent sweeps.
func newOrganization(changes ...func(*environment.Organization)) environment.Organization {
	organization := environment.Organization{
		Name: fmt.Sprintf("org-%d-%d", GinkgoParallelProcess(), time.Now().UnixNano()),
		Spec: v1alpha1.LambdaTestOrganizationSpec{
			SyncInterval: metav1.Duration{Duration: sweep},
			RateLimit:    v1alpha1.RateLimit{RequestsPerSecond: 200, Burst: 200},
		},
	}
	for _, change := range changes {
		change(&organization)
	}
	return organization
}

// limited bounds the calls to LambdaTest.
func limited(perSecond, burst int32) func(*environment.Organization) {
	return func(organization *environment.Organization) {
		organization.Spec.RateLimit = v1alpha1.RateLimit{RequestsPerSecond: perSecond, Burst: burst}
	}
}

// every sets the syncInterval of the organization.
func every(interval time.Duration) func(*environment.Organization) {
	return func(organization *environment.Organization) {
		organization.Spec.SyncInterval = metav1.Duration{Duration: interval}
	}
}

// specified changes the spec of the organization.
func specified(change func(*v1alpha1.LambdaTestOrganizationSpec)) func(*environment.Organization) {
	return func(organization *environment.Organization) { change(&organization.Spec) }
}

// simulating configures the simulated LambdaTest of the organization.
func simulating(options ...simulator.Option) func(*environment.Organization) {
	return func(organization *environment.Organization) {
		organization.Simulate = append(organization.Simulate, options...)
	}
}

func (w *world) retire(ctx context.Context) {
	if CurrentSpecReport().Failed() {
		AddReportEntry("what kubectl shows", w.shown(ctx), ReportEntryVisibilityFailureOrVerbose)
	}
	w.LambdaTest.ClearFaults()
	organization := &v1alpha1.LambdaTestOrganization{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: w.Name}}
	suspended := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"suspend":true}}`))
	Expect(client.IgnoreNotFound(w.env.Client.Patch(ctx, organization, suspended))).To(Succeed())
}

// shown is the output of kubectl, for the report of a failure.
func (w *world) shown(ctx context.Context) string {
	people, _ := w.env.Kubectl(ctx, "get", "lambdatestusers,lambdatestgroups", "--namespace="+w.namespace, "--output=wide",
		"--field-selector=spec.organizationRef.name="+w.Name)
	organization, _ := w.env.Kubectl(ctx, "get", "lambdatestorganizations", w.Name, "--namespace="+w.namespace, "--output=yaml")
	return people + "\n" + organization
}

// organization returns a function for Eventually: the organization's resource as it is now.
func (w *world) organization(ctx context.Context) func() (*v1alpha1.LambdaTestOrganization, error) {
	return func() (*v1alpha1.LambdaTestOrganization, error) {
		organization := &v1alpha1.LambdaTestOrganization{}
		return organization, w.env.Client.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: w.Name}, organization)
	}
}

// configure changes the spec of the organization.
func (w *world) configure(ctx context.Context, change func(*v1alpha1.LambdaTestOrganization)) {
	GinkgoHelper()
	organization, err := w.organization(ctx)()
	Expect(err).NotTo(HaveOccurred())
	Changed(ctx, w.env.Client, organization, change)
}

// suspend stops or resumes the organization.
func (w *world) suspend(ctx context.Context, suspended bool) {
	GinkgoHelper()
	w.configure(ctx, func(o *v1alpha1.LambdaTestOrganization) { o.Spec.Suspend = suspended })
}

// annotate sets an annotation of the organization.
func (w *world) annotate(ctx context.Context, name, value string) {
	GinkgoHelper()
	w.configure(ctx, func(o *v1alpha1.LambdaTestOrganization) { metav1.SetMetaDataAnnotation(&o.ObjectMeta, name, value) })
}

// tokenSecret is the Secret with LambdaTest's token.
func (w *world) tokenSecret() *corev1.Secret {
	return MakeSecret(w.namespace, w.Name+"-lambdatest-token", w.UpstreamToken)
}

// useToken puts another token of LambdaTest into the Secret.
func (w *world) useToken(ctx context.Context, token string) {
	GinkgoHelper()
	Changed(ctx, w.env.Client, w.tokenSecret(), func(secret *corev1.Secret) { secret.Data = map[string][]byte{v1alpha1.DefaultTokenKey: []byte(token)} })
}

// newToken returns a new token.
func newToken() string { return rand.Text() }

// address is a userName that no other scenario uses, because an address belongs to only one LambdaTest organization.
func (w *world) address(name string) string {
	return name + "@" + w.Name + ".example.com"
}

// addresses returns that many userNames.
func (w *world) addresses(count int) []string {
	all := make([]string, count)
	for i := range all {
		all[i] = w.address(fmt.Sprintf("user-%04d", i+1))
	}
	return all
}

// declare creates a declared user. The name of the resource is unique per organization.
func (w *world) declare(ctx context.Context, userName string, changes ...func(*v1alpha1.LambdaTestUser)) *v1alpha1.LambdaTestUser {
	GinkgoHelper()
	user := w.declaration(userName, changes...)
	Expect(w.env.Client.Create(ctx, user)).To(Succeed())
	return user
}

func (w *world) declaration(userName string, changes ...func(*v1alpha1.LambdaTestUser)) *v1alpha1.LambdaTestUser {
	user := MakeUser(userName).Named(w.declaredName(userName)).In(w.namespace).Of(w.Name).Obj()
	for _, change := range changes {
		change(user)
	}
	return user
}

func (w *world) declaredName(userName string) string {
	return "git-" + v1alpha1.PersonDigest(w.Name, userName)
}

// declareAll declares many people, several in parallel.
func (w *world) declareAll(ctx context.Context, userNames []string, changes ...func(*v1alpha1.LambdaTestUser)) []*v1alpha1.LambdaTestUser {
	GinkgoHelper()
	users := make([]*v1alpha1.LambdaTestUser, len(userNames))
	for i, userName := range userNames {
		users[i] = w.declaration(userName, changes...)
	}
	sideBySide(users, func(user *v1alpha1.LambdaTestUser) {
		Expect(w.env.Client.Create(ctx, user)).To(Succeed())
	})
	return users
}

// redeclare changes the spec of a declared user.
func (w *world) redeclare(ctx context.Context, user *v1alpha1.LambdaTestUser, change func(*v1alpha1.LambdaTestUser)) {
	GinkgoHelper()
	Changed(ctx, w.env.Client, user, change)
}

// prune deletes declared users, as a GitOps tool does when manifests are removed.
func (w *world) prune(ctx context.Context, users ...*v1alpha1.LambdaTestUser) {
	GinkgoHelper()
	sideBySide(users, func(user *v1alpha1.LambdaTestUser) {
		Expect(w.env.Client.Delete(ctx, user)).To(Succeed())
	})
}

// sideBySide calls a function for every item, several in parallel, and returns when all calls are done.
func sideBySide[T any](items []T, do func(T)) {
	const hands = 16
	todo := make(chan T)
	var all sync.WaitGroup
	for range min(hands, len(items)) {
		all.Go(func() {
			defer GinkgoRecover()
			for item := range todo {
				do(item)
			}
		})
	}
	for _, item := range items {
		todo <- item
	}
	close(todo)
	all.Wait()
}

// Changes of a declared user.

func role(role v1alpha1.Role) func(*v1alpha1.LambdaTestUser) {
	return func(user *v1alpha1.LambdaTestUser) { user.Spec.Role = role }
}

func denied(user *v1alpha1.LambdaTestUser)   { user.Spec.Active = new(false) }
func allowed(user *v1alpha1.LambdaTestUser)  { user.Spec.Active = new(true) }
func orphaned(user *v1alpha1.LambdaTestUser) { user.Spec.DeletionPolicy = v1alpha1.DeletionOrphan }
func observing(user *v1alpha1.LambdaTestUser) {
	user.Spec.ManagementPolicy = v1alpha1.ManagementObserve
}

func named(name string) func(*v1alpha1.LambdaTestUser) {
	return func(user *v1alpha1.LambdaTestUser) { user.Name = name }
}

// claim returns a resource as it is now.
func (w *world) claim(ctx context.Context, name string) (*v1alpha1.LambdaTestUser, error) {
	user := &v1alpha1.LambdaTestUser{}
	return user, w.env.Client.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, user)
}

// user returns a function for Eventually: a resource as it is now.
func (w *world) user(ctx context.Context, name string) func() (*v1alpha1.LambdaTestUser, error) {
	return func() (*v1alpha1.LambdaTestUser, error) { return w.claim(ctx, name) }
}

// readerOf returns a function for Eventually: the error of reading a resource.
func (w *world) readerOf(ctx context.Context, object client.Object) func() error {
	return func() error {
		return w.env.Client.Get(ctx, client.ObjectKeyFromObject(object), object.DeepCopyObject().(client.Object))
	}
}

// beGone matches the NotFound error of a deleted resource.
func beGone() OmegaMatcher { return MatchError(apierrors.IsNotFound, "IsNotFound") }

// standings returns a function for Eventually: the number of the organization's users by the reason of Ready.
func (w *world) standings(ctx context.Context) func() (map[string]int, error) {
	return func() (map[string]int, error) {
		var list v1alpha1.LambdaTestUserList
		err := w.env.Client.List(ctx, &list, client.InNamespace(w.namespace), client.MatchingFields{"spec.organizationRef.name": w.Name})
		count := map[string]int{}
		for i := range list.Items {
			count[reasonIn(&list.Items[i])]++
		}
		return count, err
	}
}

func reasonIn(user *v1alpha1.LambdaTestUser) string {
	ready := meta.FindStatusCondition(user.Status.Conditions, v1alpha1.ReadyCondition)
	if ready == nil || user.Status.ObservedGeneration != user.Generation {
		return "unknown"
	}
	return ready.Reason
}

// reasonOf returns a function for Eventually: the reason of the Ready condition of a resource.
func (w *world) reasonOf(ctx context.Context, name string) func() (string, error) {
	return func() (string, error) {
		user, err := w.claim(ctx, name)
		return reasonIn(user), err
	}
}

// messageOf is the message of a resource's Ready condition.
func messageOf(object Conditioned) string {
	ready := meta.FindStatusCondition(object.GetConditions(), v1alpha1.ReadyCondition)
	if ready == nil {
		return ""
	}
	return ready.Message
}
