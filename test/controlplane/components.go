// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"k8s.io/client-go/rest"

	"github.com/lambdatest-operator/lambdatest-operator/test/process"
)

// controllers are the controllers of kube-controller-manager that have an effect in a cluster without nodes.
var controllers = []string{
	"garbage-collector-controller",
	"namespace-controller",
	"serviceaccount-controller",
	"serviceaccount-token-controller",
	"root-ca-certificate-publisher-controller",
	"clusterrole-aggregation-controller",
	"validatingadmissionpolicy-status-controller",
}

func (c *ControlPlane) etcd(binaries string) *process.Process {
	client, peers := "http://"+loopback(c.ports.etcd), "http://"+loopback(c.ports.etcdPeers)
	return c.component(binaries, "etcd", answers(http.DefaultClient, client+"/readyz"),
		"--data-dir="+c.folder.path("etcd"),
		"--listen-client-urls="+client,
		"--advertise-client-urls="+client,
		"--listen-peer-urls="+peers,
		"--initial-advertise-peer-urls="+peers,
		"--initial-cluster=default="+peers,
		// Without fsync, data still survives the death of the process, which is all that specs need, and starting and writing are faster.
		"--unsafe-no-fsync",
	)
}

func (c *ControlPlane) apiServer(binaries string, extra []string) (*process.Process, error) {
	if err := c.pki.writeServer(); err != nil {
		return nil, err
	}
	if err := c.pki.writeServiceAccountKey(); err != nil {
		return nil, err
	}
	client, err := rest.HTTPClientFor(c.config)
	if err != nil {
		return nil, fmt.Errorf("making a client of the API server: %w", err)
	}
	// The API server is ready shortly before the namespace "default" exists.
	ready := answers(client, c.config.Host+"/readyz", c.config.Host+"/api/v1/namespaces/default")
	flags := []string{
		"--etcd-servers=http://" + loopback(c.ports.etcd),
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", c.ports.apiServer),
		"--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=10.0.0.0/24",
		"--tls-cert-file=" + c.pki.path("server.crt"),
		"--tls-private-key-file=" + c.pki.path("server.key"),
		"--client-ca-file=" + c.pki.path("ca.crt"),
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + c.pki.path("service-account.key"),
		"--service-account-signing-key-file=" + c.pki.path("service-account.key"),
	}
	return c.component(binaries, "kube-apiserver", ready, append(flags, extra...)...), nil
}

func (c *ControlPlane) controllerManager(binaries string) (*process.Process, error) {
	config, err := c.ConfigFor("system:kube-controller-manager")
	if err != nil {
		return nil, err
	}
	kubeconfig := c.folder.path("kubeconfigs", "controller-manager")
	if err := writeKubeconfig(kubeconfig, config); err != nil {
		return nil, err
	}
	client, err := rest.HTTPClientFor(c.config)
	if err != nil {
		return nil, fmt.Errorf("making a client of the controller manager: %w", err)
	}
	// It is healthy shortly before its controllers have created the service account "default".
	ready := answers(client,
		"https://"+loopback(c.ports.controllerManager)+"/healthz",
		c.config.Host+"/api/v1/namespaces/default/serviceaccounts/default")
	return c.component(binaries, "kube-controller-manager", ready,
		"--kubeconfig="+kubeconfig,
		"--controllers="+strings.Join(controllers, ","),
		// Each controller uses its own account, so that admission policies can distinguish them.
		"--use-service-account-credentials",
		"--leader-elect=false",
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", c.ports.controllerManager),
		"--tls-cert-file="+c.pki.path("server.crt"),
		"--tls-private-key-file="+c.pki.path("server.key"),
		"--root-ca-file="+c.pki.path("ca.crt"),
		"--service-account-private-key-file="+c.pki.path("service-account.key"),
	), nil
}

func (c *ControlPlane) component(binaries, name string, ready func(context.Context) error, flags ...string) *process.Process {
	return process.New(process.Command{
		Name:    name,
		Path:    filepath.Join(binaries, name),
		Args:    flags,
		LogPath: c.folder.path("logs", name+".log"),
		Ready:   ready,
	})
}

// answers is a readiness check: every URL must answer 200.
func answers(client *http.Client, urls ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, url := range urls {
			if err := answersOK(ctx, client, url); err != nil {
				return err
			}
		}
		return nil
	}
}

func answersOK(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}

// CompactEtcd makes etcd forget the history up to a revision, which is a resourceVersion of the API server.
func (c *ControlPlane) CompactEtcd(ctx context.Context, revision string) error {
	body := strings.NewReader(fmt.Sprintf(`{"revision":%q,"physical":true}`, revision))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+loopback(c.ports.etcd)+"/v3/kv/compaction", body)
	if err != nil {
		return fmt.Errorf("compacting etcd: %w", err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("compacting etcd: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("compacting etcd: it answers %s", response.Status)
	}
	return nil
}
