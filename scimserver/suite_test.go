// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver"
	"github.com/lambdatest-operator/lambdatest-operator/test/controlplane"
)

func TestScimserver(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(patience)
	RunSpecs(t, "scimserver")
}

// patience is how long replicas may take to see what another wrote, on a loaded machine.
const patience = 10 * time.Second

var (
	config   *rest.Config
	scheme   = runtime.NewScheme()
	k8s      client.Client // straight to the API server
	replicas []*replica    // two, over the same API server
	tenants  int
)

// replica is a running server.
type replica struct {
	server  *scimserver.Server
	url     string // base URL, with the SCIM path
	events  *events.FakeRecorder
	metrics *prometheus.Registry
	log     *logLines
	stop    context.CancelFunc
	done    chan error
}

var _ = BeforeSuite(func(ctx SpecContext) {
	plane, err := controlplane.Start(ctx, controlplane.Options{})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(plane.Stop)
	Expect(plane.InstallCRDs(filepath.Join("..", "config", "crd", "bases"))).To(Succeed())
	config = rest.CopyConfig(plane.Config())
	config.QPS = -1
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	k8s, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	replicas = []*replica{startReplica(scimserver.Options{}), startReplica(scimserver.Options{})}
	DeferCleanup(func() {
		for _, r := range replicas {
			r.stop()
			Eventually(r.done).WithTimeout(30 * time.Second).Should(Receive(BeNil()))
		}
	})
}, NodeTimeout(3*time.Minute))

// startReplica runs a server with a cache of its own. Unset options are filled in.
func startReplica(options scimserver.Options, sees ...func(*cache.Options)) *replica {
	GinkgoHelper()
	caching := cache.Options{Scheme: scheme, DefaultTransform: cache.TransformStripManagedFields()}
	for _, limit := range sees {
		limit(&caching)
	}
	store, err := cache.New(config, caching)
	Expect(err).NotTo(HaveOccurred())
	r := &replica{
		events:  events.NewFakeRecorder(1000),
		metrics: prometheus.NewRegistry(),
		log:     &logLines{},
		done:    make(chan error, 2),
	}
	if options.Client == nil {
		options.Client, options.Reader = k8s, k8s
	}
	options.Cache, options.Recorder, options.Registerer = store, r.events, r.metrics
	options.Log = logr.New(r.log)
	if options.Limits.FailedAttempts == 0 {
		options.Limits.FailedAttempts = 1_000_000 // all specs come from one address
	}
	if options.Listener == nil {
		options.Listener, err = net.Listen("tcp", "127.0.0.1:0")
		Expect(err).NotTo(HaveOccurred())
	}
	r.url = "http://" + options.Listener.Addr().String() + scimserver.BasePath
	r.server, err = scimserver.New(options)
	Expect(err).NotTo(HaveOccurred())
	forever := context.Background() //nolint:forbidigo // a replica outlives the node that starts it
	ctx, stop := context.WithCancel(forever)
	cacheLife, stopCache := context.WithCancel(forever)
	r.stop = stop
	go func() { _ = store.Start(cacheLife) }()
	go func() {
		r.done <- r.server.Start(ctx)
		stopCache()
	}()
	Eventually(func() error { return r.server.Ready(nil) }).Should(Succeed())
	return r
}

// tenant is an organization of its own, in a namespace of its own, so that specs do not meet.
type tenant struct {
	organization *v1alpha1.LambdaTestOrganization
	token        string
}

// newTenant creates an organization and its token, and returns when both replicas know it.
func newTenant(ctx context.Context, change ...func(*v1alpha1.LambdaTestOrganization)) *tenant {
	GinkgoHelper()
	tenants++
	name := fmt.Sprintf("tenant-%d", tenants)
	Expect(k8s.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
	t := &tenant{token: strings.Repeat(name+"-", 6), organization: &v1alpha1.LambdaTestOrganization{
		ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "acme"},
		Spec:       v1alpha1.LambdaTestOrganizationSpec{TokenSecretRef: v1alpha1.SecretKeyReference{Name: "upstream"}},
	}}
	for _, c := range change {
		c(t.organization)
	}
	t.writeSecret(ctx, map[string]string{"okta": t.token}, nil)
	Expect(k8s.Create(ctx, t.organization)).To(Succeed())
	for _, r := range replicas {
		Eventually(func() int { return t.ask(r, "GET", "/ServiceProviderConfig", "").status }).Should(Equal(200))
	}
	return t
}

// writeSecret creates or replaces the tenant's tokens.
func (t *tenant) writeSecret(ctx context.Context, tokens, annotations map[string]string) {
	GinkgoHelper()
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: t.organization.Namespace, Name: "acme-scim-token", Annotations: annotations},
		StringData: tokens,
	}
	Expect(client.IgnoreNotFound(k8s.Delete(ctx, secret.DeepCopy()))).To(Succeed())
	Expect(k8s.Create(ctx, secret)).To(Succeed())
}

// answered is what a replica answered.
type answered struct {
	status int
	header http.Header
	text   string
	json   map[string]any
}

// ask sends one request to one replica. A header is "Name: value".
func (t *tenant) ask(r *replica, method, path, body string, headers ...string) answered {
	GinkgoHelper()
	request, err := http.NewRequest(method, r.url+path, bytes.NewBufferString(body))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Authorization", "Bearer "+t.token)
	if body != "" {
		request.Header.Set("Content-Type", "application/scim+json")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	Expect(err).NotTo(HaveOccurred())
	text, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	Expect(response.Body.Close()).To(Succeed())
	a := answered{status: response.StatusCode, header: response.Header, text: string(text)}
	if len(text) > 0 {
		Expect(response.Header.Get("Content-Type")).To(Equal("application/scim+json"), a.text)
		Expect(json.Unmarshal(text, &a.json)).To(Succeed(), a.text)
	}
	return a
}

// do asks the first replica and expects a status.
func (t *tenant) do(status int, method, path, body string, headers ...string) answered {
	GinkgoHelper()
	a := t.ask(replicas[0], method, path, body, headers...)
	Expect(a.status).To(Equal(status), "%s %s %s: %s", method, path, body, a.text)
	return a
}

// user creates a user and returns its id.
func (t *tenant) user(userName string, more ...string) string {
	GinkgoHelper()
	return t.do(201, "POST", "/Users", userBody(userName, more...)).json["id"].(string)
}

// userBody is a user with the fields that every provider sends. more are further members of the JSON object.
func userBody(userName string, more ...string) string {
	fields := append([]string{
		`"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]`,
		fmt.Sprintf(`"userName":%q`, userName),
		`"name":{"givenName":"Ada","familyName":"Example"}`,
	}, more...)
	return "{" + strings.Join(fields, ",") + "}"
}

// group creates a group with members and returns its id.
func (t *tenant) group(displayName string, members ...string) string {
	GinkgoHelper()
	return t.do(201, "POST", "/Groups", fmt.Sprintf(`{"displayName":%q,"members":%s}`, displayName, memberList(members...))).json["id"].(string)
}

func memberList(ids ...string) string {
	list := []string{}
	for _, id := range ids {
		list = append(list, fmt.Sprintf(`{"value":%q}`, id))
	}
	return "[" + strings.Join(list, ",") + "]"
}

// stored reads a user's resource.
func (t *tenant) stored(ctx context.Context, id string) *v1alpha1.LambdaTestUser {
	GinkgoHelper()
	user := &v1alpha1.LambdaTestUser{}
	Expect(k8s.Get(ctx, client.ObjectKey{Namespace: t.organization.Namespace, Name: id}, user)).To(Succeed())
	return user
}

// storedGroup reads a group's resource.
func (t *tenant) storedGroup(ctx context.Context, id string) *v1alpha1.LambdaTestGroup {
	GinkgoHelper()
	group := &v1alpha1.LambdaTestGroup{}
	Expect(k8s.Get(ctx, client.ObjectKey{Namespace: t.organization.Namespace, Name: id}, group)).To(Succeed())
	return group
}

// filtered is the path of a list with a filter.
func filtered(path, filter string) string { return path + "?filter=" + url.QueryEscape(filter) }

// ids returns the ids of a list, in order.
func (a answered) ids() []string {
	GinkgoHelper()
	list, ok := a.json["Resources"].([]any)
	Expect(ok).To(BeTrue(), a.text)
	ids := []string{}
	for _, resource := range list {
		ids = append(ids, resource.(map[string]any)["id"].(string))
	}
	return ids
}
