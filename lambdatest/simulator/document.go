// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"slices"
)

// document is a JSON object whose names are matched exactly. encoding/json
// ignores the case of names; LambdaTest may not, so this does not.
type document map[string]json.RawMessage

func parse(body []byte, schema string) (document, error) {
	var doc document
	if err := json.Unmarshal(body, &doc); err != nil || doc == nil {
		return nil, invalidSyntax("the body is not a JSON object")
	}
	schemas, err := texts(doc["schemas"])
	if err != nil {
		return nil, invalidValue("schemas is not a list of strings")
	}
	if doc.has("schemas") && !slices.Contains(schemas, schema) {
		return nil, invalidValue("schemas lacks " + schema)
	}
	return doc, nil
}

// has reports whether there is a value; null is no value (RFC 7643, section 2.5).
func (d document) has(name string) bool {
	return len(d[name]) > 0 && string(d[name]) != "null"
}

// text reads a string; nil when there is none.
func (d document) text(name string) (*string, error) {
	var value *string
	if d.has(name) && json.Unmarshal(d[name], &value) != nil {
		return nil, invalidValue(name + " is not a string")
	}
	return value, nil
}

// flag reads true or false; nil when there is neither. "True" is a string, see
// asFlag.
func (d document) flag(name string) (*bool, error) {
	var value *bool
	if d.has(name) && json.Unmarshal(d[name], &value) != nil {
		return nil, invalidValue(name + " is neither true nor false")
	}
	return value, nil
}

// object reads an object; nil when there is none.
func (d document) object(name string) (document, error) {
	var value document
	if d.has(name) && json.Unmarshal(d[name], &value) != nil {
		return nil, invalidValue(name + " is not an object")
	}
	return value, nil
}

// objects reads a list of objects.
func objects(raw json.RawMessage) ([]document, error) {
	var values []document
	if len(raw) > 0 && json.Unmarshal(raw, &values) != nil {
		return nil, invalidValue("not a list of objects")
	}
	return values, nil
}

// texts reads a list of strings.
func texts(raw json.RawMessage) ([]string, error) {
	var values []string
	if len(raw) > 0 && json.Unmarshal(raw, &values) != nil {
		return nil, invalidValue("not a list of strings")
	}
	return values, nil
}

// only refuses all other names.
func (d document) only(names ...string) error {
	for name := range d {
		if !slices.Contains(names, name) {
			return invalidSyntax(name + " cannot be set here")
		}
	}
	return nil
}

// patchOperation is one entry of "Operations"; its path may be empty.
type patchOperation struct {
	op    string
	path  string
	value json.RawMessage
}

// operations reads the body of a PATCH.
func operations(body []byte) ([]patchOperation, error) {
	doc, err := parse(body, "urn:ietf:params:scim:api:messages:2.0:PatchOp")
	if err != nil {
		return nil, err
	}
	entries, err := objects(doc["Operations"])
	if err != nil || len(entries) == 0 {
		return nil, invalidSyntax("Operations is not a list of operations")
	}
	result := make([]patchOperation, 0, len(entries))
	for _, entry := range entries {
		op, opErr := entry.text("op")
		path, pathErr := entry.text("path")
		if opErr != nil || pathErr != nil || op == nil {
			return nil, invalidSyntax("an operation has op and path, both strings")
		}
		if path == nil {
			path = new(string)
		}
		result = append(result, patchOperation{op: *op, path: *path, value: entry["value"]})
	}
	return result, nil
}

// set returns the operation as a document with one value, so that PATCH and PUT
// read values in the same way.
func (p patchOperation) set(name string) document {
	return document{name: p.value}
}
