// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
)

const policySource = "config/policy/operator_owned.yaml"

// policy makes a template from the admission policy. The two accounts stay literals, see docs/decisions. With watchNamespaces, the policy
// applies only in those namespaces, so that it does not refuse another operator in other namespaces.
func policy() (output, error) {
	content, err := os.ReadFile(policySource)
	if err != nil {
		return output{}, err
	}
	rendered, err := literal(string(content)).
		replace(2, "metadata:\n  name: lambdatest-operator-owned\n", `metadata:
  name: {{ include "lambdatest-operator.clusterName" . }}-owned
  labels:
    {{- include "lambdatest-operator.labels" . | nindent 4 }}
`).
		replace(1, "policyName: lambdatest-operator-owned\n", "policyName: {{ include \"lambdatest-operator.clusterName\" . }}-owned\n").
		replace(1, "'system:serviceaccount:lambdatest-operator-system:lambdatest-operator'", `'{{ include "lambdatest-operator.account" . }}'`).
		replace(1, "'system:serviceaccount:lambdatest-operator-system:lambdatest-restore'", `'{{ include "lambdatest-operator.restoreAccount" . }}'`).
		replace(1, "  matchConstraints:\n", `  matchConstraints:
    {{- with .Values.watchNamespaces }}
    namespaceSelector:
      matchExpressions:
      - {key: kubernetes.io/metadata.name, operator: In, values: {{ toJson . }}}
    {{- end }}
`).result()
	return output{
		path:    filepath.Join(templates, "admission_policy.yaml"),
		content: fmt.Sprintf(generatedTemplate, policySource) + "{{- if .Values.admissionPolicy.enabled }}\n" + rendered + "{{- end }}\n",
	}, err
}
