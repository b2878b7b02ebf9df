// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// serviceAccountTokenLifetime is longer than any development environment runs, because the token in a kubeconfig is not renewed.
const serviceAccountTokenLifetime = 30 * 24 * time.Hour

// Config returns a copy of the administrator's configuration, without client-side rate limit.
func (c *ControlPlane) Config() *rest.Config {
	return rest.CopyConfig(c.config)
}

// ConfigFor returns a configuration with a client certificate for the given user name and groups. RBAC decides what it may do.
func (c *ControlPlane) ConfigFor(user string, groups ...string) (*rest.Config, error) {
	pair, err := c.pki.client(user, groups...)
	if err != nil {
		return nil, err
	}
	config := c.anonymous()
	config.CertData, config.KeyData = pair.certificate, pair.key
	return config, nil
}

// ServiceAccountConfig returns a configuration with a token of the service account, which must exist.
func (c *ControlPlane) ServiceAccountConfig(ctx context.Context, namespace, name string) (*rest.Config, error) {
	clients, err := kubernetes.NewForConfig(c.config)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	seconds := int64(serviceAccountTokenLifetime / time.Second)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	answer, err := clients.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name, request, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("requesting a token for service account %s/%s: %w", namespace, name, err)
	}
	config := c.anonymous()
	config.BearerToken = answer.Status.Token
	return config, nil
}

func (c *ControlPlane) anonymous() *rest.Config {
	return &rest.Config{
		Host:            "https://" + loopback(c.ports.apiServer),
		TLSClientConfig: rest.TLSClientConfig{CAData: c.pki.pem},
		QPS:             -1,
	}
}

// KubeconfigPath is the administrator's kubeconfig. Stop removes the file.
func (c *ControlPlane) KubeconfigPath() string {
	return c.folder.path("kubeconfigs", "admin")
}

// ServiceAccountKubeconfig writes a kubeconfig for the service account, which must exist, so that a program can run
// with exactly its permissions. Stop removes the file.
func (c *ControlPlane) ServiceAccountKubeconfig(ctx context.Context, namespace, name string) (string, error) {
	config, err := c.ServiceAccountConfig(ctx, namespace, name)
	if err != nil {
		return "", err
	}
	path := c.folder.path("kubeconfigs", namespace+"-"+name)
	return path, writeKubeconfig(path, config)
}

// KubectlCommand is a kubectl command as administrator, for callers that connect its input or output. It reads and
// writes nothing in the home folder.
func (c *ControlPlane) KubectlCommand(ctx context.Context, args ...string) (*exec.Cmd, error) {
	binaries, err := Assets()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(binaries, "kubectl"), args...)
	cmd.Env = append(os.Environ(),
		"KUBECONFIG="+c.KubeconfigPath(),
		"KUBECACHEDIR="+c.folder.path("kubectl-cache"),
		"KUBERC=off",
	)
	return cmd, nil
}

// Kubectl runs kubectl as administrator and returns its output. The error contains its error output.
func (c *ControlPlane) Kubectl(ctx context.Context, args ...string) (string, error) {
	cmd, err := c.KubectlCommand(ctx, args...)
	if err != nil {
		return "", err
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("running kubectl %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

// Apply applies manifests as administrator: files, folders, and folders with a kustomization.yaml.
func (c *ControlPlane) Apply(ctx context.Context, paths ...string) error {
	for _, path := range paths {
		flag := "--filename"
		if _, err := os.Stat(filepath.Join(path, "kustomization.yaml")); err == nil {
			flag = "--kustomize"
		}
		if _, err := c.Kubectl(ctx, "apply", "--server-side", "--force-conflicts", flag, path); err != nil {
			return err
		}
	}
	return nil
}

func writeKubeconfig(path string, config *rest.Config) error {
	const name = "controlplane"
	kubeconfig := clientcmdapi.NewConfig()
	kubeconfig.Clusters[name] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	kubeconfig.AuthInfos[name] = &clientcmdapi.AuthInfo{
		ClientCertificateData: config.CertData,
		ClientKeyData:         config.KeyData,
		Token:                 config.BearerToken,
	}
	kubeconfig.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	kubeconfig.CurrentContext = name
	if err := clientcmd.WriteToFile(*kubeconfig, path); err != nil {
		return fmt.Errorf("writing kubeconfig %s: %w", path, err)
	}
	return nil
}
