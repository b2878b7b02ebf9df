// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/test/controlplane"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

const envFile = "env"

// writeEnvFile writes shell assignments for users of the environment, and returns the path of the file.
func writeEnvFile(env *environment.Environment) (string, error) {
	var scimURLs, metricsURLs, pids []string
	for _, replica := range env.Replicas {
		scimURLs = append(scimURLs, replica.SCIMURL)
		metricsURLs = append(metricsURLs, replica.MetricsURL)
		pids = append(pids, strconv.Itoa(replica.PID()))
	}
	path, err := searchPath()
	if err != nil {
		return "", err
	}
	organization, anyName := env.Organizations["default"], env.Organizations["any"]
	assignments := []struct{ name, value string }{
		{"KUBECONFIG", env.Plane.KubeconfigPath()},
		{"SCIM_BASE_URL", env.Front.SCIMURL},
		{"SCIM_BASE_URLS", strings.Join(scimURLs, " ")},
		{"SCIM_TOKEN", organization.SCIMToken},
		{"SCIM_TOKEN_2", anyName.SCIMToken},
		{"SIMULATOR_URL", env.Simulator.URL()},
		{"SIMULATOR_TOKEN", organization.UpstreamToken},
		{"METRICS_URLS", strings.Join(metricsURLs, " ")},
		{"MANAGER_PIDS", strings.Join(pids, " ")},
	}
	var content strings.Builder
	for _, assignment := range assignments {
		fmt.Fprintf(&content, "export %s='%s'\n", assignment.name, assignment.value)
	}
	fmt.Fprintf(&content, "export PATH='%s':\"$PATH\"\n", path)
	file := filepath.Join(env.Dir(), envFile)
	return file, os.WriteFile(file, []byte(content.String()), 0o600)
}

// searchPath is a PATH with the operator's programs and kubectl.
func searchPath() (string, error) {
	root, err := controlplane.ModuleRoot()
	if err != nil {
		return "", err
	}
	assets, err := controlplane.Assets()
	if err != nil {
		return "", err
	}
	return filepath.Join(root, "bin") + ":" + assets, nil
}

// readEnvFile reads the assignments that writeEnvFile wrote.
func readEnvFile(dir string) (map[string]string, error) {
	file, err := os.Open(filepath.Join(dir, envFile))
	if err != nil {
		return nil, fmt.Errorf("nothing is running in %s; start it with `make run`: %w", dir, err)
	}
	defer func() { _ = file.Close() }()
	values := map[string]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, value, found := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "=")
		if found {
			values[name] = strings.Trim(value, "'")
		}
	}
	return values, nil
}
