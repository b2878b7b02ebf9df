// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// crds makes templates from the CRDs. Helm installs a crds/ folder but never upgrades it; templates are upgraded with the chart, and an
// annotation keeps them when the chart is uninstalled.
func crds() ([]output, error) {
	sources, err := filepath.Glob("config/crd/bases/*.yaml")
	if err != nil {
		return nil, err
	}
	var outputs []output
	for _, source := range sources {
		content, err := os.ReadFile(source)
		if err != nil {
			return nil, err
		}
		rendered, err := crd(source, string(content))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", source, err)
		}
		outputs = append(outputs, rendered)
	}
	return outputs, nil
}

func crd(source, content string) (output, error) {
	rendered, err := literal(strings.TrimPrefix(content, "---\n")).
		replace(1, "metadata:\n  annotations:\n", `metadata:
  labels:
    {{- include "lambdatest-operator.labels" . | nindent 4 }}
  annotations:
    {{- if .Values.crds.keep }}
    helm.sh/resource-policy: keep
    {{- end }}
`).result()
	name := strings.TrimPrefix(filepath.Base(source), "iam.lambdatest.io_")
	return output{
		path:    filepath.Join(templates, "crds", name),
		content: fmt.Sprintf(generatedTemplate, source) + "{{- if .Values.crds.install }}\n" + rendered + "{{- end }}\n",
	}, err
}
