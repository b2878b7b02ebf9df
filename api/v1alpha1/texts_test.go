// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// A text that somebody writes is shown to others, in tables, logs and pages. A new field has to refuse what hides in a text, too.
func TestEveryTextOfTheAPIRefusesHiddenCharacters(t *testing.T) {
	files, err := filepath.Glob("../../config/crd/bases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v: %v", files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var crd struct {
			Spec struct {
				Versions []struct {
					Schema struct {
						OpenAPIV3Schema fieldSchema `json:"openAPIV3Schema"`
					} `json:"schema"`
				} `json:"versions"`
			} `json:"spec"`
		}
		if err := yaml.Unmarshal(content, &crd); err != nil {
			t.Fatal(err)
		}
		for _, version := range crd.Spec.Versions {
			spec := version.Schema.OpenAPIV3Schema.Properties["spec"]
			spec.eachText(filepath.Base(file)+": spec", func(path string, field fieldSchema) {
				if !field.isClosed() {
					t.Errorf("%s admits control and formatting characters", path)
				}
			})
		}
	}
}

// fieldSchema is what this test needs to know of a field.
type fieldSchema struct {
	Type        string                 `json:"type"`
	Format      string                 `json:"format"`
	Pattern     string                 `json:"pattern"`
	Enum        []string               `json:"enum"`
	Properties  map[string]fieldSchema `json:"properties"`
	Items       *fieldSchema           `json:"items"`
	Validations []struct {
		Rule string `json:"rule"`
	} `json:"x-kubernetes-validations"`
}

func (s fieldSchema) eachText(path string, visit func(string, fieldSchema)) {
	if s.Type == "string" {
		visit(path, s)
	}
	for name, field := range s.Properties {
		field.eachText(path+"."+name, visit)
	}
	if s.Items != nil {
		s.Items.eachText(path+"[]", visit)
	}
}

func (s fieldSchema) isClosed() bool {
	for _, each := range s.Validations {
		if strings.Contains(each.Rule, `p{C}`) || strings.Contains(each.Rule, `P{C}`) {
			return true
		}
	}
	return len(s.Enum) > 0 || s.Format != "" || s.Pattern != ""
}
