// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

const (
	roleSource = "config/rbac/role.yaml"
	// clusterGroup is the only API group with cluster-wide resources that the operator reads.
	clusterGroup = "apiextensions.k8s.io"
	operatorName = "lambdatest-operator"
)

// sharedRoles are the roles of config/rbac whose rules the chart also contains: file, name there, name of the chart's template.
var sharedRoles = []struct{ file, name, template string }{
	{"leader_election.yaml", "lambdatest-operator-leader-election", "leaderElection"},
	{"metrics.yaml", "lambdatest-operator-metrics-auth", "metricsAuth"},
	{"metrics.yaml", "lambdatest-operator-metrics-reader", "metricsReader"},
	{"aggregated_roles.yaml", "lambdatest-operator-view", "view"},
	{"aggregated_roles.yaml", "lambdatest-operator-edit", "edit"},
	{"aggregated_roles.yaml", "lambdatest-operator-admin", "admin"},
}

// rights writes the rules of every shared role as templates for the chart, and the operator's role for a single namespace.
func rights() ([]output, error) {
	operator, err := rules(roleSource, operatorName)
	if err != nil {
		return nil, err
	}
	namespaced, cluster := split(operator)
	templated, err := rulesTemplates(namespaced, cluster)
	if err != nil {
		return nil, err
	}
	role, err := singleNamespaceRole(namespaced, cluster)
	return []output{templated, role}, err
}

// split separates the rules that a Role can grant from those that only a ClusterRole can grant. A Role in a namespace can grant reading
// that namespace itself.
func split(rules []rbacv1.PolicyRule) (namespaced, cluster []rbacv1.PolicyRule) {
	for _, rule := range rules {
		if len(rule.APIGroups) == 1 && rule.APIGroups[0] == clusterGroup {
			cluster = append(cluster, rule)
		} else {
			namespaced = append(namespaced, rule)
		}
	}
	return namespaced, cluster
}

func rulesTemplates(namespaced, cluster []rbacv1.PolicyRule) (output, error) {
	var content strings.Builder
	fmt.Fprintf(&content, generatedTemplate, "config/rbac")
	define := func(name string, rules []rbacv1.PolicyRule) error {
		text, err := ruleLines(rules)
		if err != nil {
			return err
		}
		fmt.Fprintf(&content, "\n{{- define \"lambdatest-operator.rules.%s\" -}}\n%s{{- end }}\n", name, text)
		return nil
	}
	problems := []error{define("namespaced", namespaced), define("cluster", cluster)}
	for _, shared := range sharedRoles {
		found, err := rules(filepath.Join("config/rbac", shared.file), shared.name)
		problems = append(problems, err, define(shared.template, found))
	}
	return output{path: filepath.Join(templates, "_rules.tpl"), content: content.String()}, errors.Join(problems...)
}

func singleNamespaceRole(namespaced, cluster []rbacv1.PolicyRule) (output, error) {
	namespacedLines, err := ruleLines(namespaced)
	if err != nil {
		return output{}, err
	}
	clusterLines, err := ruleLines(cluster)
	if err != nil {
		return output{}, err
	}
	content := fmt.Sprintf(generatedYAML, roleSource) + `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: lambdatest-operator
  namespace: lambdatest-operator-system
rules:
` + namespacedLines + `---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: lambdatest-operator-crds
rules:
` + clusterLines
	return output{path: filepath.Join(overlay, "role.yaml"), content: content}, nil
}

func ruleLines(rules []rbacv1.PolicyRule) (string, error) {
	if len(rules) == 0 {
		return "[]\n", nil
	}
	lines, err := sigsyaml.Marshal(rules)
	return string(lines), err
}

// rules finds the rules of a Role or ClusterRole in a file.
func rules(file, name string) ([]rbacv1.PolicyRule, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), len(content))
	for {
		role := rbacv1.ClusterRole{}
		err := documents.Decode(&role)
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s has no role %s", file, name)
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		if role.Name == name && strings.HasSuffix(role.Kind, "Role") {
			return role.Rules, nil
		}
	}
}
