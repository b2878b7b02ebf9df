// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/test/controlplane"
)

// cluster is a control plane that something is installed into.
type cluster struct {
	client.Client
	plane *controlplane.ControlPlane
	// home is where helm keeps its files.
	home string
}

func startCluster(ctx context.Context, apiServerFlags ...string) *cluster {
	GinkgoHelper()
	plane, err := controlplane.Start(ctx, controlplane.Options{ControllerManager: true, Stdout: GinkgoWriter, APIServerFlags: apiServerFlags})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(plane.Stop)
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	admin, err := client.New(plane.Config(), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	return &cluster{Client: admin, plane: plane, home: GinkgoT().TempDir()}
}

// kubectl runs kubectl as administrator.
func (c *cluster) kubectl(ctx context.Context, args ...string) string {
	GinkgoHelper()
	output, err := c.plane.Kubectl(ctx, args...)
	Expect(err).NotTo(HaveOccurred())
	return output
}

// helm runs helm as administrator.
func (c *cluster) helm(ctx context.Context, args ...string) string {
	GinkgoHelper()
	output, err := runHelm(ctx, c.home, append(args, "--kubeconfig", c.plane.KubeconfigPath())...)
	Expect(err).NotTo(HaveOccurred())
	return output
}

// as is a client of a service account.
func (c *cluster) as(ctx context.Context, account client.ObjectKey) client.Client {
	GinkgoHelper()
	config, err := c.plane.ServiceAccountConfig(ctx, account.Namespace, account.Name)
	Expect(err).NotTo(HaveOccurred())
	made, err := client.New(config, client.Options{Scheme: c.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	return made
}

// may asks the API server whether a service account has a right; an empty namespace means in all of them.
func (c *cluster) may(ctx context.Context, account client.ObjectKey, verb, group, resource, namespace string) bool {
	GinkgoHelper()
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:   "system:serviceaccount:" + account.Namespace + ":" + account.Name,
		Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + account.Namespace, "system:authenticated"},
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Verb: verb, Group: group, Resource: resource, Namespace: namespace, Version: "*",
		},
	}}
	Expect(c.Create(ctx, review)).To(Succeed())
	return review.Status.Allowed
}

// rendered is what helm or kustomize print, object by object.
type rendered []*unstructured.Unstructured

func parsed(manifests string) rendered {
	GinkgoHelper()
	var all rendered
	documents := yaml.NewYAMLOrJSONDecoder(strings.NewReader(manifests), len(manifests))
	for {
		object := &unstructured.Unstructured{}
		err := documents.Decode(object)
		if errors.Is(err, io.EOF) {
			return all
		}
		Expect(err).NotTo(HaveOccurred())
		if len(object.Object) > 0 {
			all = append(all, object)
		}
	}
}

// one is the object of that kind and name.
func (r rendered) one(kind, name string) *unstructured.Unstructured {
	GinkgoHelper()
	for _, object := range r {
		if object.GetKind() == kind && object.GetName() == name {
			return object
		}
	}
	Fail(fmt.Sprintf("there is no %s %s among %s", kind, name, r.names()))
	return nil
}

func (r rendered) names() []string {
	var names []string
	for _, object := range r {
		names = append(names, object.GetKind()+" "+object.GetName())
	}
	return names
}

// kustomized renders a folder below config.
func kustomized(ctx context.Context, folder string) rendered {
	GinkgoHelper()
	binaries, err := controlplane.Assets()
	Expect(err).NotTo(HaveOccurred())
	output, err := run(exec.CommandContext(ctx, filepath.Join(binaries, "kubectl"), "kustomize", filepath.Join(root, "config", folder)))
	Expect(err).NotTo(HaveOccurred())
	return parsed(output)
}

// templated renders the chart as the release "lambdatest-operator" in the namespace that config/ installs into, unless args say otherwise.
func templated(ctx context.Context, args ...string) (rendered, error) {
	GinkgoHelper()
	output, err := runHelm(ctx, GinkgoT().TempDir(),
		append([]string{"template", "lambdatest-operator", chartPath(), "--namespace", "lambdatest-operator-system"}, args...)...)
	if err != nil {
		return nil, err
	}
	return parsed(output), nil
}

// runHelm runs helm so that it reads and writes nothing in the home folder.
func runHelm(ctx context.Context, home string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, helmPath(), args...)
	command.Env = append(os.Environ(),
		"HELM_CACHE_HOME="+filepath.Join(home, "cache"),
		"HELM_CONFIG_HOME="+filepath.Join(home, "config"),
		"HELM_DATA_HOME="+filepath.Join(home, "data"),
	)
	return run(command)
}

func run(command *exec.Cmd) (string, error) {
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("running %s: %w: %s", strings.Join(command.Args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}
