// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package expect

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Odd is a resource with one odd value in its spec. The API server decides whether the schema allows the value.
type Odd struct {
	// What is the field and the value.
	What   string
	Object *unstructured.Unstructured
}

// OddResources returns, for each field of spec in a CRD, resources that differ from the given one only in that field. The values are the
// smallest, largest and strangest of its type.
func OddResources(crdFile string, from *unstructured.Unstructured) []Odd {
	GinkgoHelper()
	content, err := os.ReadFile(crdFile)
	Expect(err).NotTo(HaveOccurred())
	var crd apiextensionsv1.CustomResourceDefinition
	Expect(yaml.Unmarshal(content, &crd)).To(Succeed())
	spec := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	var all []Odd
	walkFields(&spec, []string{"spec"}, func(path []string, field *apiextensionsv1.JSONSchemaProps) {
		for _, value := range oddValues(field) {
			object := from.DeepCopy()
			if unstructured.SetNestedField(object.Object, value, path...) != nil {
				continue // below a list or a field that is no object
			}
			object.SetName(fmt.Sprintf("odd-%d", len(all)))
			all = append(all, Odd{What: shortened(fmt.Sprintf("%s: %#v", strings.Join(path, "."), value)), Object: object})
		}
	})
	Expect(all).NotTo(BeEmpty())
	return all
}

func walkFields(schema *apiextensionsv1.JSONSchemaProps, path []string, visit func([]string, *apiextensionsv1.JSONSchemaProps)) {
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		field := schema.Properties[name]
		here := append(slices.Clone(path), name)
		visit(here, &field)
		walkFields(&field, here, visit)
	}
}

func oddValues(field *apiextensionsv1.JSONSchemaProps) []any {
	values := []any{nil}
	for _, allowed := range field.Enum {
		var value any
		if yaml.Unmarshal(allowed.Raw, &value) == nil {
			values = append(values, value)
		}
	}
	switch {
	case field.XIntOrString:
		return append(values, int64(0), int64(-1), int64(100), "0%", "100%", "101%", "%", "")
	case field.Type == "string":
		return append(values, oddTexts(field)...)
	case field.Type == "boolean":
		return append(values, true, false)
	case field.Type == "integer":
		return append(values, int64(0), int64(1), int64(-1), int64(1<<31-1), int64(-1<<31))
	case field.Type == "array":
		return append(values, oddLists(field)...)
	case field.Type == "object":
		return append(values, map[string]any{})
	}
	return values
}

func oddTexts(field *apiextensionsv1.JSONSchemaProps) []any {
	longest := 4096
	if field.MaxLength != nil {
		longest = int(*field.MaxLength)
	}
	return []any{
		"", " ", "-", "null", "..", "../../x", `\`, `"`, "%2e%2e%2f", "{{.x}}", "<b>&amp;</b>",
		strings.Repeat("x", longest), strings.Repeat("👩‍🚀", longest/3),
		"\u202eetaderp", "a\u0000b", "a\nb", "\u0130\u0131", "e\u0301", `" or userName pr or userName eq "`,
		"0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0s", "-1h", "1ns", "2540400h",
		"https://[::1", "https://x:99999/", "https://user:password@example.com/", "file:///etc/passwd",
	}
}

func oddLists(field *apiextensionsv1.JSONSchemaProps) []any {
	lists := []any{[]any{}}
	if field.Items == nil || field.Items.Schema == nil {
		return lists
	}
	many := 50
	if field.MaxItems != nil {
		many = min(many, int(*field.MaxItems))
	}
	elements := oddElements(field.Items.Schema)
	for _, value := range elements {
		lists = append(lists, []any{value})
	}
	return append(lists, slices.Repeat(elements[len(elements)-1:], many))
}

// elementValues are the odd values for each field of an element. A few are enough, because the same rules apply to all elements.
const elementValues = 12

// oddElements are objects in which all fields are odd, or odd values.
func oddElements(schema *apiextensionsv1.JSONSchemaProps) []any {
	if schema.Type != "object" {
		return oddValues(schema)
	}
	objects := []any{map[string]any{}}
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		field := schema.Properties[name]
		values := oddValues(&field)
		for _, value := range values[:min(len(values), elementValues)] {
			object := map[string]any{name: value}
			for _, required := range schema.Required {
				if _, there := object[required]; !there {
					object[required] = "x"
				}
			}
			objects = append(objects, object)
		}
	}
	return objects
}

func shortened(text string) string {
	const most = 120
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
