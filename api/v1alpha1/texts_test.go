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
	eachSchema(t, func(file string, resource fieldSchema) {
		resource.Properties["spec"].each(file+": spec", func(path string, field fieldSchema) {
			if field.Type == "string" && !field.isClosed() {
				t.Errorf("%s admits control and formatting characters", path)
			}
		})
	})
}

// Every replica keeps all resources in memory: a field without a bound lets one author of manifests fill it. Texts of the status are not
// bounded here: only the operator writes them, it cuts them, and a refused status would be tried again and again.
func TestEveryTextAndListOfTheAPIIsBounded(t *testing.T) {
	eachSchema(t, func(file string, resource fieldSchema) {
		for _, part := range []string{"spec", "status"} {
			resource.Properties[part].each(file+": "+part, func(path string, field fieldSchema) {
				switch {
				case field.Type == "string" && part == "spec" && field.MaxLength == nil && len(field.Enum) == 0 && field.Format != "date-time":
					t.Errorf("%s has no maxLength", path)
				case field.Type == "array" && field.MaxItems == nil:
					t.Errorf("%s has no maxItems", path)
				case field.AdditionalProperties != nil && field.MaxProperties == nil:
					t.Errorf("%s has no maxProperties", path)
				case field.OpenEnded:
					t.Errorf("%s keeps fields that the schema does not name", path)
				}
			})
		}
	})
}

// eachSchema visits the schema of every version of every kind.
func eachSchema(t *testing.T, visit func(file string, resource fieldSchema)) {
	t.Helper()
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
			visit(filepath.Base(file), version.Schema.OpenAPIV3Schema)
		}
	}
}

// fieldSchema is what these tests need to know of a field.
type fieldSchema struct {
	Type       string                 `json:"type"`
	Format     string                 `json:"format"`
	Pattern    string                 `json:"pattern"`
	Enum       []string               `json:"enum"`
	Properties map[string]fieldSchema `json:"properties"`
	Items      *fieldSchema           `json:"items"`

	MaxLength            *int64       `json:"maxLength"`
	MaxItems             *int64       `json:"maxItems"`
	MaxProperties        *int64       `json:"maxProperties"`
	AdditionalProperties *fieldSchema `json:"additionalProperties"`
	OpenEnded            bool         `json:"x-kubernetes-preserve-unknown-fields"`

	Validations []struct {
		Rule string `json:"rule"`
	} `json:"x-kubernetes-validations"`
}

// each visits a field and all fields in it.
func (s fieldSchema) each(path string, visit func(string, fieldSchema)) {
	visit(path, s)
	for name, field := range s.Properties {
		field.each(path+"."+name, visit)
	}
	if s.Items != nil {
		s.Items.each(path+"[]", visit)
	}
	if s.AdditionalProperties != nil {
		s.AdditionalProperties.each(path+"{}", visit)
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
