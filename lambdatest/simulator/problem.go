// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// problem is a refusal, in the form of RFC 7644, section 3.12.
type problem struct {
	status   int
	scimType string
	detail   string
}

// Error implements error.
func (p *problem) Error() string {
	return p.detail
}

type wireProblem struct {
	Schemas  []string `json:"schemas"`
	Status   string   `json:"status"`
	ScimType string   `json:"scimType,omitempty"`
	Detail   string   `json:"detail"`
}

func invalidValue(detail string) error {
	return &problem{http.StatusBadRequest, "invalidValue", detail}
}

func invalidSyntax(detail string) error {
	return &problem{http.StatusBadRequest, "invalidSyntax", detail}
}

func invalidPath(detail string) error {
	return &problem{http.StatusBadRequest, "invalidPath", detail}
}

func invalidFilter(detail string) error {
	return &problem{http.StatusBadRequest, "invalidFilter", detail}
}

func anotherOrganization() error {
	return &problem{http.StatusBadRequest, "", "the user belongs to another organization"}
}

func notFound(detail string) error {
	return &problem{http.StatusNotFound, "", detail}
}

func taken(detail string) error {
	return &problem{http.StatusConflict, "uniqueness", detail}
}

func groupsOff() error {
	return &problem{http.StatusForbidden, "", "group provisioning is not enabled for this organization"}
}

func tooLarge(detail string) error {
	return &problem{http.StatusRequestEntityTooLarge, "", detail}
}

// refusal is the answer for a problem: of the administration API, and of SCIM
// unless the reading says otherwise.
func refusal(err error) reply {
	p := asProblem(err)
	return reply{status: p.status, body: wireProblem{
		Schemas:  []string{"urn:ietf:params:scim:api:messages:2.0:Error"},
		Status:   strconv.Itoa(p.status),
		ScimType: p.scimType,
		Detail:   p.detail,
	}}
}

func asProblem(err error) *problem {
	var p *problem
	if !errors.As(err, &p) {
		p = &problem{status: http.StatusInternalServerError, detail: err.Error()}
	}
	return p
}

// wireVendorProblem is an error as the vendor's user API words it.
type wireVendorProblem struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Message any    `json:"message"`
}

// refusal is the answer to a call that a problem gives.
func (o *Org) refusal(err error) reply {
	p := asProblem(err)
	title := http.StatusText(p.status)
	switch o.meets(errorBody) {
	case typeTitleMessage:
		o.refusals++
		// The vendor's samples have a message in each of these shapes.
		messages := []any{p.detail, map[string]string{"request": p.detail}, []map[string]string{{"error": p.detail}}}
		return reply{status: p.status, body: wireVendorProblem{"error", title + " Error", messages[(o.refusals-1)%len(messages)]}}
	case htmlError:
		return reply{status: p.status, raw: fmt.Sprintf("<!DOCTYPE html><html><head><title>%d %s</title></head><body><h1>%[2]s</h1></body></html>", p.status, title)}
	}
	return refusal(err)
}
