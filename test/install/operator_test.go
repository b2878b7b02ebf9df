// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
	"github.com/lambdatest-operator/lambdatest-operator/test/process"
)

// operator is a process that runs as the pods of a Deployment would: with its arguments and under its service account.
type operator struct {
	*process.Process
	cluster    *cluster
	lambdaTest *simulator.Server
	account    client.ObjectKey
	scheme     string
	scim       string
	metrics    string
}

// startOperator runs the operator with the arguments of the Deployment. Only the environment of the container differs: the kubeconfig, the
// namespace of the pod, and addresses on this machine. LambdaTest is simulated. Further arguments are those of the spec.
func startOperator(ctx context.Context, c *cluster, deployment *appsv1.Deployment, more ...string) *operator {
	GinkgoHelper()
	pod := deployment.Spec.Template.Spec
	o := &operator{
		cluster:    c,
		lambdaTest: simulator.Start(simulator.Token(simulator.DefaultToken)),
		account:    client.ObjectKey{Namespace: deployment.Namespace, Name: pod.ServiceAccountName},
		scheme:     "http",
		scim:       freeAddress(),
		metrics:    freeAddress(),
	}
	DeferCleanup(o.lambdaTest.Close)
	health := freeAddress()
	kubeconfig, err := c.plane.ServiceAccountKubeconfig(ctx, o.account.Namespace, o.account.Name)
	Expect(err).NotTo(HaveOccurred())
	args := append(o.mounted(ctx, deployment),
		"--kubeconfig="+kubeconfig,
		"--leader-election-namespace="+deployment.Namespace,
		"--scim-bind-address="+o.scim,
		"--health-probe-bind-address="+health,
		"--upstream-hosts="+o.lambdaTest.URL(),
		"--scim-drain-delay=0s",
	)
	if slices.Contains(args, "--metrics-bind-address=0") {
		o.metrics = ""
	} else {
		args = append(args, "--metrics-bind-address="+o.metrics)
	}
	if slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "--scim-tls-cert-file=") }) {
		o.scheme = "https"
	}
	args = append(args, more...)
	o.Process = process.New(process.Command{
		Name: "operator", Path: binary, Args: args,
		LogPath: filepath.Join(GinkgoT().TempDir(), "operator.log"),
		Ready:   func(ctx context.Context) error { return answersOK(ctx, "http://"+health+"/readyz") },
	})
	ready, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	Expect(o.Start(ready)).To(Succeed())
	DeferCleanup(o.Stop)
	return o
}

// mounted returns the arguments of the Deployment with the files of its Secrets in the place where they are on this machine.
func (o *operator) mounted(ctx context.Context, deployment *appsv1.Deployment) []string {
	GinkgoHelper()
	container := deployment.Spec.Template.Spec.Containers[0]
	args := slices.Clone(container.Args)
	for _, volume := range deployment.Spec.Template.Spec.Volumes {
		folder := GinkgoT().TempDir()
		secret := &corev1.Secret{}
		Expect(o.cluster.Get(ctx, client.ObjectKey{Namespace: deployment.Namespace, Name: volume.Secret.SecretName}, secret)).To(Succeed())
		for name, content := range secret.Data {
			Expect(os.WriteFile(filepath.Join(folder, name), content, 0o600)).To(Succeed())
		}
		for _, mount := range container.VolumeMounts {
			for i := range args {
				if mount.Name == volume.Name {
					args[i] = strings.ReplaceAll(args[i], mount.MountPath, folder)
				}
			}
		}
	}
	return args
}

// connects creates the organization as the chart's notes say, and returns the SCIM token.
func (o *operator) connects(ctx context.Context, namespace string) (scimToken string) {
	GinkgoHelper()
	o.cluster.kubectl(ctx, "--namespace", namespace, "create", "secret", "generic", "lambdatest-token", "--from-literal=token="+simulator.DefaultToken)
	organization := &v1alpha1.LambdaTestOrganization{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "default"},
		Spec: v1alpha1.LambdaTestOrganizationSpec{
			BaseURL:        o.lambdaTest.BaseURL(),
			TokenSecretRef: v1alpha1.SecretKeyReference{Name: "lambdatest-token"},
		},
	}
	Applied(ctx, o.cluster.Client, organization)
	o.cluster.kubectl(ctx, "--namespace", namespace, "wait", "--for=condition=Ready", "lambdatestorganizations/default", "--timeout=60s")
	secret := &corev1.Secret{}
	Expect(o.cluster.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "default-scim-token"}, secret)).To(Succeed())
	for _, token := range secret.Data {
		return string(token)
	}
	Fail("the Secret default-scim-token is empty")
	return ""
}

// creates sends Okta's request for a newly assigned user, and returns the id.
func (o *operator) creates(ctx context.Context, token, userName string) (id string) {
	GinkgoHelper()
	status, created := o.answers(ctx, token, http.MethodPost, "/Users", map[string]any{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User"},
		"userName": userName,
		"name":     map[string]string{"givenName": "Ada", "familyName": "Lovelace"},
		"active":   true,
		"groups":   []string{},
	})
	Expect(status).To(Equal(http.StatusCreated), "the answer to POST /Users: %+v", created)
	return created["id"].(string)
}

// answers sends a request of an identity provider and returns status and body of the answer.
func (o *operator) answers(ctx context.Context, token, method, path string, body any) (status int, answer map[string]any) {
	GinkgoHelper()
	content, err := json.Marshal(body)
	Expect(err).NotTo(HaveOccurred())
	request, err := http.NewRequestWithContext(ctx, method, o.scheme+"://"+o.scim+"/scim/v2"+path, bytes.NewReader(content))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/scim+json; charset=utf-8")
	response, err := insecureClient().Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusNoContent {
		Expect(json.NewDecoder(response.Body).Decode(&answer)).To(Succeed())
	}
	return response.StatusCode, answer
}

// scrape asks for the metrics, or what is beside them, with the token of a service account, or without any, and returns the status.
func (o *operator) scrape(ctx context.Context, path string, account *client.ObjectKey) int {
	GinkgoHelper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+o.metrics+path, nil)
	Expect(err).NotTo(HaveOccurred())
	if account != nil {
		config, err := o.cluster.plane.ServiceAccountConfig(ctx, account.Namespace, account.Name)
		Expect(err).NotTo(HaveOccurred())
		request.Header.Set("Authorization", "Bearer "+config.BearerToken)
	}
	response, err := insecureClient().Do(request)
	Expect(err).NotTo(HaveOccurred())
	_ = response.Body.Close()
	return response.StatusCode
}

// insecureClient takes certificates that a process has just made for itself.
func insecureClient() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
}

func answersOK(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}

func freeAddress() string {
	GinkgoHelper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
