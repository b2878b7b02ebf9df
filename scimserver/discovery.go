// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"net/http"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// configSchema is the schema of RFC 7643, section 5.
const configSchema = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"

// documentation describes what the endpoint supports.
const documentation = "https://github.com/lambdatest-operator/lambdatest-operator/blob/main/docs/"

// serviceProviderConfig: RFC 7643, section 5, and RFC 9865, section 4. pagination has no cursorTimeout, because a cursor does not expire.
func (s *Server) serviceProviderConfig(r *request) (reply, error) {
	if err := noFilter(r); err != nil {
		return reply{}, err
	}
	supported := func(yes bool) scim.Document { return scim.Document{"supported": yes} }
	return jsonReply(http.StatusOK, scim.Document{
		"schemas":          []string{configSchema},
		"documentationUri": documentation + "scim.md",
		"patch":            supported(true),
		"bulk":             scim.Document{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
		"filter":           scim.Document{"supported": true, "maxResults": maxPageSize},
		"changePassword":   supported(false),
		"sort":             supported(false),
		"etag":             supported(true),
		"pagination": scim.Document{
			"cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": defaultPageSize, "maxPageSize": maxPageSize,
		},
		"authenticationSchemes": []scim.Document{{
			"type": "oauthbearertoken", "name": "Bearer token", "primary": true,
			"description": "A token from the organization's SCIM token Secret, in the Authorization header",
			"specUri":     "https://www.rfc-editor.org/rfc/rfc6750", "documentationUri": documentation + "scim.md#tokens",
		}},
		"meta": scim.Document{"resourceType": "ServiceProviderConfig", "location": r.base + "/ServiceProviderConfig"},
	}), nil
}

// noFilter: RFC 7644, section 4: a filter on a discovery endpoint is answered with 403.
func noFilter(r *request) error {
	if r.URL.Query().Has("filter") {
		return problem.New(http.StatusForbidden, "", "discovery endpoints cannot be filtered")
	}
	return nil
}

func (s *Server) resourceTypes(r *request) (reply, error) {
	if err := noFilter(r); err != nil {
		return reply{}, err
	}
	return documentsReply(claims.UserType.Document(r.base), claims.GroupType.Document(r.base)), nil
}

func documentsReply(documents ...scim.Document) reply {
	return jsonReply(http.StatusOK, scim.Document{
		"schemas": []string{listSchema}, "totalResults": len(documents), "itemsPerPage": len(documents), "startIndex": 1, "Resources": documents,
	})
}

func (s *Server) resourceType(r *request) (reply, error) {
	for _, t := range []*scim.ResourceType{claims.UserType, claims.GroupType} {
		if r.segment == t.Name {
			return jsonReply(http.StatusOK, t.Document(r.base)), nil
		}
	}
	return reply{}, problem.NotFound("resource type", r.segment)
}

func (s *Server) schemas(r *request) (reply, error) {
	if err := noFilter(r); err != nil {
		return reply{}, err
	}
	return documentsReply(schemasOf(r)...), nil
}

// schemasOf are the schemas as the request's organization has them.
func schemasOf(r *request) []scim.Document {
	return scim.SchemaDocuments(r.base, claims.UserTypeOf(r.organization()), claims.GroupType)
}

func (s *Server) schema(r *request) (reply, error) {
	for _, schema := range schemasOf(r) {
		if id, _ := schema["id"].(string); strings.EqualFold(id, r.segment) {
			return jsonReply(http.StatusOK, schema), nil
		}
	}
	return reply{}, problem.NotFound("schema", r.segment)
}
