// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"

	"github.com/elimity-com/scim"
	"github.com/elimity-com/scim/errors"
)

// GetAll implements scim.ResourceHandler for lists without a filter.
func (s store) GetAll(_ *http.Request, params scim.ListRequestParams) (scim.Page, error) {
	first := min(max(params.StartIndex-1, 0), len(s))
	last := min(first+params.Count, len(s))
	return scim.Page{TotalResults: len(s), Resources: s[first:last]}, nil
}

// Nothing else is measured.

// Get implements scim.ResourceHandler.
func (store) Get(_ *http.Request, id string) (scim.Resource, error) {
	return scim.Resource{}, errors.ScimErrorResourceNotFound(id)
}

// Create implements scim.ResourceHandler.
func (store) Create(*http.Request, scim.ResourceAttributes) (scim.Resource, error) {
	return scim.Resource{}, errors.ScimErrorMutability
}

// Replace implements scim.ResourceHandler.
func (store) Replace(*http.Request, string, scim.ResourceAttributes) (scim.Resource, error) {
	return scim.Resource{}, errors.ScimErrorMutability
}

// Delete implements scim.ResourceHandler.
func (store) Delete(*http.Request, string) error { return errors.ScimErrorMutability }

// Patch implements scim.ResourceHandler.
func (store) Patch(*http.Request, string, []scim.PatchOperation) (scim.Resource, error) {
	return scim.Resource{}, errors.ScimErrorMutability
}
