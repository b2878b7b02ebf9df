// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// policies makes templates from the admission policies.
func policies() ([]output, error) {
	owned, err := policy("config/policy/operator_owned.yaml", "owned", "admission_policy.yaml")
	if err != nil {
		return nil, err
	}
	deletion, err := policy("config/policy/deletion_warning.yaml", "deletion", "deletion_warning.yaml")
	return []output{owned, deletion}, err
}

// policy makes a template from an admission policy, whose name ends so. The two accounts stay literals, see docs/decisions. With watchNamespaces, the
// policy applies only in those namespaces, so that it does not concern another operator in other namespaces.
func policy(source, name, template string) (output, error) {
	content, err := os.ReadFile(source)
	if err != nil {
		return output{}, err
	}
	rendered, err := literal(string(content)).
		replace(2, "metadata:\n  name: lambdatest-operator-"+name+"\n", `metadata:
  name: {{ include "lambdatest-operator.clusterName" . }}-`+name+`
  labels:
    {{- include "lambdatest-operator.labels" . | nindent 4 }}
`).
		replace(1, "policyName: lambdatest-operator-"+name+"\n", "policyName: {{ include \"lambdatest-operator.clusterName\" . }}-"+name+"\n").
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
		path:    filepath.Join(templates, template),
		content: fmt.Sprintf(generatedTemplate, source) + "{{- if .Values.admissionPolicy.enabled }}\n" + rendered + "{{- end }}\n",
	}, err
}
