// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

const (
	// argoManager is the field manager that Argo CD applies with, in both ways.
	argoManager = "argocd-controller"
	// argoTracking marks what belongs to an application, and what may therefore be pruned.
	argoTracking = "argocd.argoproj.io/tracking-id"
)

// argo does what Argo CD's application controller does to resources, in one of its two ways:
//
//	             applies with                                       is out of sync when
//	client-side  kubectl apply (last-applied annotation)            the three-way patch of last applied, wanted and live changes live
//	server-side  kubectl apply --server-side --force-conflicts      a dry run of that apply changes live
//
// Argo CD's engine calls kubectl's code, and so does this type; the check for out of sync follows Argo CD's published rules. All settings
// are Argo CD's defaults: resources are tracked by annotation, and pruned in the foreground.
type argo struct {
	// application has the name of the namespace that it applies to.
	application string
	repository  *repository
	serverSide  bool
}

// argo follows the repository.
func (w *world) argo(serverSide bool) *argo {
	return &argo{application: w.namespace, repository: w.git, serverSide: serverSide}
}

// commit commits and syncs.
func (a *argo) commit(ctx context.Context, message string, changes ...change) {
	GinkgoHelper()
	a.repository.commit(ctx, message, changes...)
	a.sync(ctx)
}

// sync applies everything, whether it differs or not, and prunes what is not wanted any more.
func (a *argo) sync(ctx context.Context) {
	GinkgoHelper()
	wanted := a.wanted()
	for _, object := range wanted {
		a.apply(ctx, object)
	}
	a.prune(ctx, wanted)
}

// outOfSync names what self-healing would apply again.
func (a *argo) outOfSync(ctx context.Context) []string {
	GinkgoHelper()
	var names []string
	for _, object := range a.wanted() {
		if a.differs(ctx, object) {
			names = append(names, object.GetName())
		}
	}
	return names
}

// heal is one round of self-healing.
func (a *argo) heal(ctx context.Context) {
	GinkgoHelper()
	for _, object := range a.wanted() {
		if a.differs(ctx, object) {
			a.apply(ctx, object)
		}
	}
}

// wanted is what is in Git, marked as the application's.
func (a *argo) wanted() []*unstructured.Unstructured {
	GinkgoHelper()
	manifests := a.repository.manifests()
	wanted := make([]*unstructured.Unstructured, 0, len(manifests))
	for _, manifest := range manifests {
		object := &unstructured.Unstructured{}
		Expect(yaml.Unmarshal([]byte(manifest), &object.Object)).To(Succeed())
		object.SetNamespace(a.application)
		id := fmt.Sprintf("%s:%s/%s:%s/%s", a.application, object.GroupVersionKind().Group, object.GetKind(), object.GetNamespace(), object.GetName())
		annotations := object.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[argoTracking] = id
		object.SetAnnotations(annotations)
		wanted = append(wanted, object)
	}
	return wanted
}

func (a *argo) apply(ctx context.Context, object *unstructured.Unstructured) {
	GinkgoHelper()
	Expect(a.kubectlApply(ctx, object)).To(Succeed())
}

func (a *argo) kubectlApply(ctx context.Context, object *unstructured.Unstructured) error {
	GinkgoHelper()
	args := []string{"apply", "--filename=-", "--field-manager=" + argoManager}
	if a.serverSide {
		args = append(args, "--server-side", "--force-conflicts")
	}
	command, err := env.Plane.KubectlCommand(ctx, args...)
	Expect(err).NotTo(HaveOccurred())
	content, err := object.MarshalJSON()
	Expect(err).NotTo(HaveOccurred())
	var stderr bytes.Buffer
	command.Stdin, command.Stderr = bytes.NewReader(content), &stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, stderr.String())
	}
	return nil
}

// prune deletes resources with the application's annotation that are no longer in Git.
func (a *argo) prune(ctx context.Context, wanted []*unstructured.Unstructured) {
	GinkgoHelper()
	keep := map[string]bool{}
	for _, object := range wanted {
		keep[object.GetAnnotations()[argoTracking]] = true
	}
	list := &v1alpha1.LambdaTestUserList{}
	Expect(env.Client.List(ctx, list, client.InNamespace(a.application))).To(Succeed())
	for _, user := range list.Items {
		if id := user.Annotations[argoTracking]; id != "" && !keep[id] {
			a.remove(ctx, &user)
		}
	}
}

// remove deletes the listed resources, unless they are being deleted already. A resource that no longer exists counts as pruned: Argo CD
// fails that sync, tries again, and finds nothing.
func (a *argo) remove(ctx context.Context, listed *v1alpha1.LambdaTestUser) {
	GinkgoHelper()
	if !listed.DeletionTimestamp.IsZero() {
		return
	}
	err := env.Client.Delete(ctx, listed, client.PropagationPolicy(metav1.DeletePropagationForeground))
	Expect(client.IgnoreNotFound(err)).To(Succeed())
}

func (a *argo) differs(ctx context.Context, wanted *unstructured.Unstructured) bool {
	GinkgoHelper()
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(wanted.GroupVersionKind())
	err := env.Client.Get(ctx, client.ObjectKeyFromObject(wanted), live)
	if apierrors.IsNotFound(err) {
		return true
	}
	Expect(err).NotTo(HaveOccurred())
	if a.serverSide {
		return serverSideDiffers(ctx, wanted, live)
	}
	return threeWayDiffers(wanted, live)
}

// threeWayDiffers compares only the fields that were applied last: other fields of the live object are defaults, or belong to other clients.
func threeWayDiffers(wanted, live *unstructured.Unstructured) bool {
	GinkgoHelper()
	lastApplied := []byte(live.GetAnnotations()[corev1.LastAppliedConfigAnnotation])
	Expect(lastApplied).NotTo(BeEmpty())
	patch, err := jsonmergepatch.CreateThreeWayJSONMergePatch(lastApplied, must(wanted.MarshalJSON()), must(live.MarshalJSON()))
	Expect(err).NotTo(HaveOccurred())
	change := map[string]any{}
	Expect(json.Unmarshal(patch, &change)).To(Succeed())
	return len(change) > 0
}

func serverSideDiffers(ctx context.Context, wanted, live *unstructured.Unstructured) bool {
	GinkgoHelper()
	predicted := wanted.DeepCopy()
	//nolint:staticcheck // a patch of unstructured content, as kubectl sends it
	Expect(env.Client.Patch(ctx, predicted, client.Apply, client.DryRunAll, client.ForceOwnership, client.FieldOwner(argoManager))).To(Succeed())
	for _, object := range []*unstructured.Unstructured{predicted, live} {
		object.SetManagedFields(nil)
		object.SetResourceVersion("")
		delete(object.Object, "status") // ignored for custom resources unless Argo CD is told otherwise
	}
	return !equalJSON(predicted.Object, live.Object)
}

func equalJSON(a, b map[string]any) bool {
	GinkgoHelper()
	return bytes.Equal(must(json.Marshal(a)), must(json.Marshal(b)))
}
