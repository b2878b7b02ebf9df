// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/test/process"
)

const (
	// fluxAssetsVariable names the folder that hack/flux/build.sh fills. Without it the suite does not run.
	fluxAssetsVariable = "FLUX_ASSETS"
	// fluxNamespace is where Flux and its resources live, as `flux install` has it.
	fluxNamespace = "flux-system"
	// fluxInterval is how often Flux looks at the repository, and applies again what it has.
	fluxInterval = 2 * time.Second
	// fluxWait is how long a Kustomization waits for its resources to become ready; Flux takes no less.
	fluxWait = 30 * time.Second

	fluxRequestedAt = "reconcile.fluxcd.io/requestedAt"
)

// flux is Flux's two controllers as processes, each with a service account that has all rights, as after `flux install`.
type flux struct {
	controllers []*process.Process
}

func startFlux(ctx context.Context, assets, dir string) (*flux, error) {
	if err := env.Plane.InstallCRDs(filepath.Join(assets, "crds")); err != nil {
		return nil, fmt.Errorf("installing Flux's CRDs: %w", err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: fluxNamespace}}
	if err := env.Client.Create(ctx, namespace); err != nil {
		return nil, err
	}
	storage := filepath.Join(dir, "storage")
	if err := os.MkdirAll(storage, 0o700); err != nil {
		return nil, err
	}
	addresses, err := freeAddresses(3)
	if err != nil {
		return nil, err
	}
	f := &flux{}
	for _, controller := range []struct {
		name, health string
		flags        []string
	}{
		{"source-controller", addresses[0], []string{
			"--storage-path=" + storage, "--storage-addr=" + addresses[2], "--storage-adv-addr=" + addresses[2],
		}},
		{"kustomize-controller", addresses[1], nil},
	} {
		started, err := startFluxController(ctx, assets, dir, controller.name, controller.health, controller.flags)
		if err != nil {
			f.stop()
			return nil, err
		}
		f.controllers = append(f.controllers, started)
	}
	return f, nil
}

func startFluxController(ctx context.Context, assets, dir, name, health string, flags []string) (*process.Process, error) {
	kubeconfig, err := fluxKubeconfig(ctx, name)
	if err != nil {
		return nil, err
	}
	temporary := filepath.Join(dir, name)
	if err := os.MkdirAll(temporary, 0o700); err != nil {
		return nil, err
	}
	controller := process.New(process.Command{
		Name: name,
		Path: filepath.Join(assets, name),
		Args: append([]string{
			"--health-addr=" + health,
			"--metrics-addr=0",
			"--requeue-dependency=1s",
			"--max-retry-delay=2s",
			"--interval-jitter-percentage=0",
			"--kube-api-qps=200", "--kube-api-burst=200",
		}, flags...),
		Env:     append(os.Environ(), "KUBECONFIG="+kubeconfig, "TMPDIR="+temporary, "HOME="+temporary, "RUNTIME_NAMESPACE="+fluxNamespace),
		LogPath: filepath.Join(dir, name+".log"),
		Ready:   func(ctx context.Context) error { return answersOK(ctx, "http://"+health+"/readyz") },
	})
	return controller, controller.Start(ctx)
}

// fluxKubeconfig makes the service account that the controller has in a cluster.
func fluxKubeconfig(ctx context.Context, name string) (string, error) {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: fluxNamespace, Name: name}}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: fluxNamespace, Name: name}},
	}
	for _, object := range []client.Object{account, binding} {
		if err := env.Client.Create(ctx, object); err != nil {
			return "", err
		}
	}
	return env.Plane.ServiceAccountKubeconfig(ctx, fluxNamespace, name)
}

func (f *flux) stop() {
	for _, controller := range f.controllers {
		controller.Stop()
	}
}

// logs are the ends of the controllers' logs.
func (f *flux) logs() string {
	const tail = 8192
	var all strings.Builder
	for _, controller := range f.controllers {
		if content, err := os.ReadFile(controller.LogPath()); err == nil {
			fmt.Fprintf(&all, "\nthe end of the log of %s:\n%s", controller.Name(), content[max(0, len(content)-tail):])
		}
	}
	return all.String()
}

// kustomization is Flux following one repository.
type kustomization struct {
	name       string
	repository *repository
}

// suspend stops a GitRepository and a Kustomization alike.
var suspend = client.RawPatch(types.MergePatchType, []byte(`{"spec":{"suspend":true}}`))

// follow lets Flux apply, prune and wait for what is in the repository, in the namespace of that name,
// until the spec ends.
func follow(ctx context.Context, name string, repository *repository) *kustomization {
	GinkgoHelper()
	k := &kustomization{name: name, repository: repository}
	source := fluxObject("source.toolkit.fluxcd.io/v1", "GitRepository", name, map[string]any{
		"interval": fluxInterval.String(),
		"url":      repository.url,
		"ref":      map[string]any{"branch": "main"},
	})
	applier := fluxObject("kustomize.toolkit.fluxcd.io/v1", "Kustomization", name, map[string]any{
		"interval":        fluxInterval.String(),
		"retryInterval":   fluxInterval.String(),
		"timeout":         fluxWait.String(),
		"sourceRef":       map[string]any{"kind": "GitRepository", "name": name},
		"path":            "./" + peopleDir,
		"targetNamespace": name,
		"prune":           true,
		"wait":            true,
	})
	for _, object := range []*unstructured.Unstructured{source, applier} {
		Expect(env.Client.Create(ctx, object)).To(Succeed())
		// Suspended, Flux lets go of what it applied.
		DeferCleanup(func(ctx SpecContext) {
			Expect(env.Client.Patch(ctx, object, suspend)).To(Succeed())
			Expect(env.Client.Delete(ctx, object)).To(Succeed())
		})
	}
	return k
}

// commit commits, notifies Flux as a webhook would, and returns when Flux has applied the commit and all its resources are ready.
func (k *kustomization) commit(ctx context.Context, message string, changes ...change) {
	GinkgoHelper()
	k.applied(ctx, k.push(ctx, message, changes...))
}

// push commits and notifies Flux as a webhook would.
func (k *kustomization) push(ctx context.Context, message string, changes ...change) string {
	GinkgoHelper()
	hash := k.repository.commit(ctx, message, changes...)
	k.fetch(ctx)
	return hash
}

// fetch is what a webhook does after a commit.
func (k *kustomization) fetch(ctx context.Context) {
	GinkgoHelper()
	k.request(ctx, "source.toolkit.fluxcd.io/v1", "GitRepository")
}

// applied returns when Flux has applied the commit and everything in it is ready.
func (k *kustomization) applied(ctx context.Context, hash string) {
	GinkgoHelper()
	Eventually(func() (string, error) {
		status, err := k.status(ctx)
		if err != nil {
			return "", err
		}
		if ready := status.condition("Ready"); ready == nil || ready.Status != metav1.ConditionTrue {
			return "", fmt.Errorf("the Kustomization is not ready: %+v", status)
		}
		return status.LastAppliedRevision, nil
	}).Should(HaveSuffix(hash))
}

// again makes Flux apply once more, and returns when it has done so.
func (k *kustomization) again(ctx context.Context) {
	GinkgoHelper()
	at := k.request(ctx, "kustomize.toolkit.fluxcd.io/v1", "Kustomization")
	Eventually(func() (kustomizationStatus, error) { return k.status(ctx) }).Should(HaveField("LastHandledReconcileAt", at))
}

// request asks for a reconciliation as `flux reconcile` does.
func (k *kustomization) request(ctx context.Context, version, kind string) string {
	GinkgoHelper()
	at := time.Now().Format(time.RFC3339Nano)
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, fluxRequestedAt, at)
	object := fluxObject(version, kind, k.name, nil)
	Expect(env.Client.Patch(ctx, object, client.RawPatch(types.MergePatchType, []byte(patch)))).To(Succeed())
	return at
}

// kustomizationStatus is what people read with `flux get kustomizations`.
type kustomizationStatus struct {
	LastAppliedRevision    string             `json:"lastAppliedRevision"`
	LastAttemptedRevision  string             `json:"lastAttemptedRevision"`
	LastHandledReconcileAt string             `json:"lastHandledReconcileAt"`
	Conditions             []metav1.Condition `json:"conditions"`
	Inventory              struct {
		Entries []struct {
			ID string `json:"id"`
		} `json:"entries"`
	} `json:"inventory"`
	History []struct {
		Digest               string `json:"digest"`
		LastReconciledStatus string `json:"lastReconciledStatus"`
		TotalReconciliations int    `json:"totalReconciliations"`
	} `json:"history"`
}

func (s kustomizationStatus) condition(kind string) *metav1.Condition {
	return meta.FindStatusCondition(s.Conditions, kind)
}

// reconciliations counts how often Flux applied what it has now.
func (s kustomizationStatus) reconciliations() int {
	if len(s.History) == 0 {
		return 0
	}
	return s.History[0].TotalReconciliations
}

func (k *kustomization) status(ctx context.Context) (kustomizationStatus, error) {
	object := fluxObject("kustomize.toolkit.fluxcd.io/v1", "Kustomization", k.name, nil)
	if err := env.Client.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
		return kustomizationStatus{}, err
	}
	var whole struct {
		Status kustomizationStatus `json:"status"`
	}
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &whole)
	return whole.Status, err
}

// condition returns a function for Eventually: a condition that `flux get kustomizations` shows, for that commit.
func (k *kustomization) condition(ctx context.Context, kind, hash string) func() (metav1.Condition, error) {
	return func() (metav1.Condition, error) {
		status, err := k.status(ctx)
		if err != nil {
			return metav1.Condition{}, err
		}
		condition := status.condition(kind)
		if condition == nil || !strings.HasSuffix(status.LastAttemptedRevision, hash) {
			return metav1.Condition{}, errors.New("Flux has not processed this commit yet")
		}
		return *condition, nil
	}
}

func fluxObject(version, kind, name string, spec map[string]any) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": version,
		"kind":       kind,
		"metadata":   map[string]any{"namespace": fluxNamespace, "name": name},
	}}
	if spec != nil {
		object.Object["spec"] = spec
	}
	return object
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
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}

// freeAddresses finds loopback addresses nobody listens on. They are all held until the last one is found, so that they differ.
func freeAddresses(count int) ([]string, error) {
	addresses := make([]string, 0, count)
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = listener.Close() }()
		addresses = append(addresses, "127.0.0.1:"+strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
	}
	return addresses, nil
}
