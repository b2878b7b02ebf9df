// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package environment

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/controlplane"
)

const (
	// Namespace is the namespace of the organizations and their users.
	Namespace = "default"
	// OperatorNamespace is the namespace in which config/ installs the operator.
	OperatorNamespace = "lambdatest-operator-system"
	// OperatorServiceAccount is the ServiceAccount of the operator.
	OperatorServiceAccount = "lambdatest-operator"

	// startTimeout is long enough for a loaded machine. It begins after everything is built.
	startTimeout = 3 * time.Minute
)

// Options say what to run.
type Options struct {
	// Dir is the folder for data and logs; empty means a temporary one. Stop removes all files that were written there.
	Dir string
	// Replicas is the number of operator replicas; 0 means 2.
	Replicas int
	// OperatorFlags are added to the flags of each replica.
	OperatorFlags []string
	// ReplicaFlags, unless nil, returns further flags for one replica (the first is 0). They come last and override others. It receives the
	// kubeconfig that the replica would use.
	ReplicaFlags func(replica int, kubeconfig string) ([]string, error)
	// Organizations are the organizations to create, each with its own simulated LambdaTest organization; nil means Organizations().
	Organizations []Organization
	// Progress receives messages about the start; nil discards them.
	Progress io.Writer
}

// Environment is the running product.
type Environment struct {
	Plane     *controlplane.ControlPlane
	Simulator *simulator.Server
	Replicas  []*Replica
	Front     *Front
	// Client is a client with the rights of the administrator.
	Client client.Client
	// Organizations are the organizations by name.
	Organizations map[string]*Organization

	dir       string
	temporary bool
	progress  io.Writer
}

// Start starts everything, and returns when every replica serves and every organization is ready. If anything fails, it stops everything.
func Start(ctx context.Context, options Options) (*Environment, error) {
	env := &Environment{progress: options.Progress, Organizations: map[string]*Organization{}}
	if env.progress == nil {
		env.progress = io.Discard
	}
	if err := env.start(ctx, options); err != nil {
		env.Stop()
		return nil, err
	}
	return env, nil
}

func (e *Environment) start(ctx context.Context, options Options) error {
	if err := e.openDir(options.Dir); err != nil {
		return err
	}
	binary, err := e.installAndBuild(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	organizations := options.Organizations
	if organizations == nil {
		organizations = Organizations()
	}
	if organizations, err = e.startSimulator(organizations); err != nil {
		return err
	}
	if err := e.createOrganizations(ctx, organizations); err != nil {
		return err
	}
	fmt.Fprintf(e.progress, "a simulated LambdaTest answers at %s\n", e.Simulator.BaseURL())
	if err := e.startReplicas(ctx, binary, options); err != nil {
		return err
	}
	return e.waitForOrganizations(ctx)
}

// installAndBuild starts the control plane and installs config/dev in it, while the operator is being built.
func (e *Environment) installAndBuild(ctx context.Context) (string, error) {
	built := make(chan error, 1)
	binary := filepath.Join(e.dir, "lambdatest-operator")
	fmt.Fprintln(e.progress, "building the operator …")
	go func() { built <- build(ctx, binary) }()
	installed := e.install(ctx)
	if err := <-built; err != nil {
		return "", err
	}
	return binary, installed
}

func (e *Environment) install(ctx context.Context) error {
	var err error
	e.Plane, err = controlplane.Start(ctx, controlplane.Options{
		Dir: filepath.Join(e.dir, "controlplane"), ControllerManager: true, Stdout: e.progress,
	})
	if err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return err
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return err
	}
	if e.Client, err = client.New(e.Plane.Config(), client.Options{Scheme: scheme}); err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	return e.applyConfig(ctx)
}

// applyConfig installs the CRDs and waits for them before it applies the rest, because creates right after CRDs are slow in the API server.
func (e *Environment) applyConfig(ctx context.Context) error {
	root, err := controlplane.ModuleRoot()
	if err != nil {
		return err
	}
	if err := e.Plane.InstallCRDs(filepath.Join(root, "config/crd/bases")); err != nil {
		return err
	}
	if _, err := e.Plane.Kubectl(ctx, "apply", "--server-side", "-k", filepath.Join(root, "config/dev")); err != nil {
		return fmt.Errorf("installing config/dev: %w", err)
	}
	fmt.Fprintln(e.progress, "installed config/dev: CRDs, RBAC, admission policy")
	return nil
}

// Dir is the folder for data and logs.
func (e *Environment) Dir() string { return e.dir }

// Kubectl runs kubectl as administrator and returns what it prints.
func (e *Environment) Kubectl(ctx context.Context, args ...string) (string, error) {
	return e.Plane.Kubectl(ctx, args...)
}

// Stop ends every process and removes all files. It stops the operator first, so that it can shut down in order. It may be called twice.
func (e *Environment) Stop() {
	if e.Front != nil {
		e.Front.Close()
	}
	e.stopReplicas()
	if e.Plane != nil {
		e.Plane.Stop()
	}
	if e.Simulator != nil {
		e.Simulator.Close()
	}
	e.removeDir()
}

func (e *Environment) openDir(dir string) error {
	var err error
	if dir == "" {
		e.temporary = true
		e.dir, err = os.MkdirTemp("", "environment-")
		return err
	}
	if e.dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	return os.MkdirAll(e.dir, 0o700)
}

// removeDir removes the folder, unless it contains other files.
func (e *Environment) removeDir() {
	if e.temporary {
		_ = os.RemoveAll(e.dir)
		return
	}
	for _, own := range []string{"lambdatest-operator", "kubeconfig", "logs"} {
		_ = os.RemoveAll(filepath.Join(e.dir, own))
	}
	_ = os.Remove(e.dir)
}
