// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package expect

import (
	"os"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// MaxItems is the maxItems of a list in a CRD, which is read from the file at that path.
func MaxItems(t *testing.T, file string, path ...string) int {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	definition := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.Unmarshal(text, definition); err != nil {
		t.Fatal(err)
	}
	field := *definition.Spec.Versions[0].Schema.OpenAPIV3Schema
	for _, name := range path {
		field = field.Properties[name]
	}
	if field.MaxItems == nil {
		t.Fatalf("%v of %s is not bounded", path, file)
	}
	return int(*field.MaxItems)
}
