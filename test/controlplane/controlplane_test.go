// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/lambdatest-operator/lambdatest-operator/test/controlplane"
)

// All subtests use one control plane, because a start takes seconds.
func TestControlPlane(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "plane")
	plane, err := controlplane.Start(t.Context(), controlplane.Options{Dir: dir, ControllerManager: true, Stdout: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(plane.Stop)
	admin := clients(t, plane.Config())

	t.Run("refuses a service account without a role", func(t *testing.T) {
		namespace := createNamespace(t, admin, "refused")
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "nobody"}}
		if _, err := admin.CoreV1().ServiceAccounts(namespace).Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		config, err := plane.ServiceAccountConfig(t.Context(), namespace, "nobody")
		if err != nil {
			t.Fatal(err)
		}

		_, err = clients(t, config).CoreV1().Secrets(namespace).List(t.Context(), metav1.ListOptions{})

		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "system:serviceaccount:refused:nobody") {
			t.Errorf("listing secrets = %v, want Forbidden for the service account", err)
		}
	})

	t.Run("refuses a user with a certificate but without a role", func(t *testing.T) {
		config, err := plane.ConfigFor("ada", "developers")
		if err != nil {
			t.Fatal(err)
		}

		_, err = clients(t, config).CoreV1().Secrets("default").List(t.Context(), metav1.ListOptions{})

		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `User "ada"`) {
			t.Errorf("listing secrets = %v, want Forbidden for ada", err)
		}
	})

	t.Run("gives a kubeconfig that kubectl can use as the service account", func(t *testing.T) {
		path, err := plane.ServiceAccountKubeconfig(t.Context(), "default", "default")
		if err != nil {
			t.Fatal(err)
		}

		name, err := plane.Kubectl(t.Context(), "--kubeconfig", path, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")

		if err != nil || name != "system:serviceaccount:default:default" {
			t.Errorf("whoami = %q, %v", name, err)
		}
	})

	t.Run("deletes a namespace with its contents", func(t *testing.T) {
		namespace := createNamespace(t, admin, "leaving")
		content := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "content"}}
		if _, err := admin.CoreV1().ConfigMaps(namespace).Create(t.Context(), content, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}

		if _, err := plane.Kubectl(t.Context(), "delete", "namespace", namespace, "--timeout=60s"); err != nil {
			t.Error(err)
		}
	})

	t.Run("keeps its data when etcd and the API server are killed", func(t *testing.T) {
		namespace := createNamespace(t, admin, "kept")

		if err := plane.RestartEtcd(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := plane.RestartAPIServer(t.Context()); err != nil {
			t.Fatal(err)
		}

		if _, err := admin.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}); err != nil {
			t.Errorf("getting the namespace after the restarts: %v", err)
		}
	})

	t.Run("does not share its folder with another control plane", func(t *testing.T) {
		_, err := controlplane.Start(t.Context(), controlplane.Options{Dir: dir})

		if err == nil || !strings.Contains(err.Error(), "another control plane") {
			t.Errorf("Start() = %v, want a refusal", err)
		}
	})

	t.Run("leaves no process and no file", func(t *testing.T) {
		pids := []int{plane.Etcd.PID(), plane.APIServer.PID(), plane.ControllerManager.PID()}

		plane.Stop()

		for _, pid := range pids {
			if syscall.Kill(pid, 0) == nil {
				t.Errorf("process %d is alive", pid)
			}
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", dir, err)
		}
	})
}

// controller-runtime's envtest can use the same binaries.
func TestEnvtestRunsOnTheSameBinaries(t *testing.T) {
	binaries, err := controlplane.Assets()
	if err != nil {
		t.Fatal(err)
	}
	environment := &envtest.Environment{BinaryAssetsDirectory: binaries}
	t.Cleanup(func() { _ = environment.Stop() })

	config, err := environment.Start()
	if err != nil {
		t.Fatal(err)
	}

	version, err := clients(t, config).Discovery().ServerVersion()
	if err != nil || !strings.HasPrefix(version.GitVersion, "v1.") {
		t.Errorf("server version = %v, %v", version, err)
	}
}

func TestStartSaysHowToGetTheBinaries(t *testing.T) {
	t.Setenv("KUBEBUILDER_ASSETS", t.TempDir())

	_, err := controlplane.Start(t.Context(), controlplane.Options{})

	if err == nil || !strings.Contains(err.Error(), "make controlplane") {
		t.Errorf("Start() = %v, want advice to run make controlplane", err)
	}
}

func TestStartLeavesNothingWhenAFlagIsWrong(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "plane")

	_, err := controlplane.Start(t.Context(), controlplane.Options{Dir: dir, APIServerFlags: []string{"--no-such-flag"}})

	if err == nil || !strings.Contains(err.Error(), "unknown flag: --no-such-flag") {
		t.Errorf("Start() = %v, want the API server's own complaint", err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", dir, err)
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()

	if _, err := controlplane.Start(ctx, controlplane.Options{}); err == nil {
		t.Error("Start() = nil, want an error: a control plane cannot start in 200 ms")
	}
}

func clients(t *testing.T, config *rest.Config) kubernetes.Interface {
	t.Helper()
	set, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func createNamespace(t *testing.T, admin kubernetes.Interface, name string) string {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := admin.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	return name
}
