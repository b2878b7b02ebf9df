// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/lambdatest-operator/lambdatest-operator/test/process"
)

// startTimeout is long enough for a loaded machine; on a free one, the start takes a few seconds.
const startTimeout = 2 * time.Minute

// Options say what to run.
type Options struct {
	// Dir is the folder for data, certificates, kubeconfigs and logs; it is created if it does not exist. Files of an
	// earlier control plane in it are removed first. Empty means a temporary folder.
	Dir string
	// ControllerManager also starts the controllers of namespaces, garbage and service accounts. Without them,
	// deleted namespaces and owned objects stay.
	ControllerManager bool
	// APIServerFlags are added to the flags of kube-apiserver, as in "--audit-log-path=…". They override others.
	APIServerFlags []string
	// Stdout receives messages about the start; nil discards them.
	Stdout io.Writer
}

// ControlPlane is a running control plane. Its processes can be stopped, killed and started again one by one;
// they keep their port and data.
type ControlPlane struct {
	Etcd      *process.Process
	APIServer *process.Process
	// ControllerManager is nil unless Options requested it.
	ControllerManager *process.Process

	folder folder
	pki    *authority
	ports  ports
	config *rest.Config
	stop   sync.Once
}

// Start runs a control plane and returns when it can be used: the API server is ready, and the namespace "default" and,
// with the controller manager, its service account exist. If anything fails, or ctx ends, it stops everything.
func Start(ctx context.Context, options Options) (*ControlPlane, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()

	binaries, err := Assets()
	if err != nil {
		return nil, err
	}
	plane, err := prepare(binaries, options)
	if err != nil {
		return nil, fmt.Errorf("preparing the control plane: %w", err)
	}
	if err := plane.start(ctx, options.Stdout); err != nil {
		plane.Stop()
		return nil, err
	}
	return plane, nil
}

// prepare does everything before the first process starts.
func prepare(binaries string, options Options) (*ControlPlane, error) {
	folder, err := openFolder(options.Dir)
	if err != nil {
		return nil, err
	}
	plane := &ControlPlane{folder: folder}
	if err := plane.configure(binaries, options); err != nil {
		plane.folder.remove()
		return nil, err
	}
	return plane, nil
}

func (c *ControlPlane) configure(binaries string, options Options) error {
	var err error
	if c.ports, err = freePorts(); err != nil {
		return err
	}
	if c.pki, err = newAuthority(c.folder.path("pki")); err != nil {
		return err
	}
	if c.config, err = c.ConfigFor("admin", "system:masters"); err != nil {
		return err
	}
	if err := writeKubeconfig(c.KubeconfigPath(), c.config); err != nil {
		return err
	}
	c.Etcd = c.etcd(binaries)
	if c.APIServer, err = c.apiServer(binaries, options.APIServerFlags); err != nil {
		return err
	}
	if options.ControllerManager {
		c.ControllerManager, err = c.controllerManager(binaries)
	}
	return err
}

func (c *ControlPlane) start(ctx context.Context, stdout io.Writer) error {
	if stdout == nil {
		stdout = io.Discard
	}
	for _, part := range c.parts() {
		begun := time.Now()
		if err := part.Start(ctx); err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s is ready after %s\n", part.Name(), time.Since(begun).Round(100*time.Millisecond))
	}
	return nil
}

// parts are the processes in the order of their start.
func (c *ControlPlane) parts() []*process.Process {
	parts := []*process.Process{c.Etcd, c.APIServer}
	if c.ControllerManager != nil {
		parts = append(parts, c.ControllerManager)
	}
	return parts
}

// Stop ends every process and removes every file the control plane wrote. It may be called twice.
func (c *ControlPlane) Stop() {
	// Only once: at a second call, another process may use the folder.
	c.stop.Do(func() {
		parts := c.parts()
		slices.Reverse(parts)
		for _, part := range parts {
			part.Stop()
		}
		c.folder.remove()
	})
}

// RestartAPIServer kills the API server, starts it again on its port and returns when it is ready.
func (c *ControlPlane) RestartAPIServer(ctx context.Context) error {
	return c.APIServer.Restart(ctx)
}

// RestartEtcd kills etcd, starts it again on its port and data and returns when both etcd and the API server are ready.
func (c *ControlPlane) RestartEtcd(ctx context.Context) error {
	if err := c.Etcd.Restart(ctx); err != nil {
		return err
	}
	return c.APIServer.WaitReady(ctx)
}

// InstallCRDs applies the CustomResourceDefinitions in files or folders, and returns when they are served.
func (c *ControlPlane) InstallCRDs(paths ...string) error {
	_, err := envtest.InstallCRDs(c.config, envtest.CRDInstallOptions{Paths: paths, ErrorIfPathMissing: true})
	if err != nil {
		return fmt.Errorf("installing CRDs: %w", err)
	}
	return nil
}

// folder is where a control plane keeps its files.
type folder struct {
	root string
	lock *os.File
}

// ownSubfolders are the only entries that a control plane writes in its folder; others are left unchanged.
var ownSubfolders = []string{"etcd", "pki", "kubeconfigs", "kubectl-cache", "logs"}

// lockName is a file that is locked while a control plane uses the folder. The lock ends with the process.
const lockName = "lock"

func openFolder(dir string) (folder, error) {
	root, err := makeRoot(dir)
	if err != nil {
		return folder{}, err
	}
	f := folder{root: root}
	if f.lock, err = lockFile(f.path(lockName)); err != nil {
		return folder{}, fmt.Errorf("taking %s, which another control plane may be using: %w", root, err)
	}
	for _, name := range ownSubfolders {
		if err := os.RemoveAll(f.path(name)); err != nil {
			return folder{}, fmt.Errorf("removing what an earlier control plane left: %w", err)
		}
		if err := os.MkdirAll(f.path(name), 0o700); err != nil {
			return folder{}, fmt.Errorf("making the folder: %w", err)
		}
	}
	return f, nil
}

func makeRoot(dir string) (string, error) {
	if dir == "" {
		temporary, err := os.MkdirTemp("", "controlplane-")
		if err != nil {
			return "", fmt.Errorf("making a temporary folder: %w", err)
		}
		return temporary, nil
	}
	root, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("finding %s: %w", dir, err)
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return "", fmt.Errorf("making the folder: %w", err)
	}
	return root, nil
}

func lockFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

func (f folder) path(elements ...string) string {
	return filepath.Join(append([]string{f.root}, elements...)...)
}

// remove is best effort: the operating system empties its temporary folder, and the next start empties a given one.
func (f folder) remove() {
	for _, name := range append([]string{lockName}, ownSubfolders...) {
		_ = os.RemoveAll(f.path(name))
	}
	_ = f.lock.Close()
	_ = os.Remove(f.root) // fails if it contains other files
}
