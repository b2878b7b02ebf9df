// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"net/http"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// Schemas of the discovery resources: RFC 7643, sections 5 to 7.
const (
	configSchema       = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	resourceTypeSchema = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	schemaSchema       = "urn:ietf:params:scim:schemas:core:2.0:Schema"
)

type document = map[string]any

// serviceProviderConfig: RFC 7643, section 5, and RFC 9865, section 4.
func (s *Server) serviceProviderConfig(r *request) (reply, error) {
	if err := noFilter(r); err != nil {
		return reply{}, err
	}
	supported := func(yes bool) document { return document{"supported": yes} }
	return jsonReply(http.StatusOK, document{
		"schemas":        []string{configSchema},
		"patch":          supported(true),
		"bulk":           document{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
		"filter":         document{"supported": true, "maxResults": maxPageSize},
		"changePassword": supported(false),
		"sort":           supported(false),
		"etag":           supported(true),
		"pagination": document{
			"cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": defaultPageSize, "maxPageSize": maxPageSize,
		},
		"authenticationSchemes": []document{{
			"type": "oauthbearertoken", "name": "Bearer token", "primary": true,
			"description": "A token from the organization's SCIM token Secret, in the Authorization header",
			"specUri":     "https://www.rfc-editor.org/rfc/rfc6750",
		}},
		"meta": document{"resourceType": "ServiceProviderConfig", "location": r.base + "/ServiceProviderConfig"},
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
	return documentsReply(userType.document(r.base), groupType.document(r.base)), nil
}

func documentsReply(documents ...document) reply {
	return jsonReply(http.StatusOK, document{
		"schemas": []string{listSchema}, "totalResults": len(documents), "itemsPerPage": len(documents), "startIndex": 1, "Resources": documents,
	})
}

func (s *Server) resourceType(r *request) (reply, error) {
	for _, t := range []*resourceType{userType, groupType} {
		if r.segment == t.name {
			return jsonReply(http.StatusOK, t.document(r.base)), nil
		}
	}
	return reply{}, problem.NotFound("resource type", r.segment)
}

func (t *resourceType) document(base string) document {
	return document{
		"schemas":          []string{resourceTypeSchema},
		"id":               t.name,
		"name":             t.name,
		"description":      t.description,
		"endpoint":         t.endpoint,
		"schema":           t.schema,
		"schemaExtensions": []document{{"schema": t.extension, "required": false}},
		"meta":             document{"resourceType": "ResourceType", "location": base + "/ResourceTypes/" + t.name},
	}
}

func (s *Server) schemas(r *request) (reply, error) {
	if err := noFilter(r); err != nil {
		return reply{}, err
	}
	return documentsReply(schemaDocuments(r.base)...), nil
}

func (s *Server) schema(r *request) (reply, error) {
	for _, schema := range schemaDocuments(r.base) {
		if id, _ := schema["id"].(string); strings.EqualFold(id, r.segment) {
			return jsonReply(http.StatusOK, schema), nil
		}
	}
	return reply{}, problem.NotFound("schema", r.segment)
}

// schemaDocuments lists what is stored and no more: RFC 7643, section 7.
func schemaDocuments(base string) []document {
	var documents []document
	for _, t := range []*resourceType{userType, groupType} {
		var own []document
		var extension *attribute
		for _, a := range t.attributes {
			switch {
			case a.isExtension():
				extension = a
			case !isCommon(a):
				own = append(own, a.document())
			}
		}
		documents = append(documents,
			schemaDocument(base, t.schema, t.name, t.description, own),
			schemaDocument(base, t.extension, "LambdaTest "+t.name, extension.description, subDocuments(extension.sub)))
	}
	return documents
}

func schemaDocument(base, id, name, description string, attributes []document) document {
	return document{
		"schemas": []string{schemaSchema}, "id": id, "name": name, "description": description, "attributes": attributes,
		"meta": document{"resourceType": "Schema", "location": base + "/Schemas/" + id},
	}
}

func subDocuments(attributes []*attribute) []document {
	documents := make([]document, 0, len(attributes))
	for _, a := range attributes {
		documents = append(documents, a.document())
	}
	return documents
}

func (a *attribute) document() document {
	d := document{
		"name":        a.name,
		"type":        a.dataType,
		"multiValued": a.multiValued,
		"description": a.description,
		"required":    a.required,
		"mutability":  a.mutability,
		"returned":    a.returned,
	}
	if a.dataType == typeString || a.dataType == typeReference {
		d["caseExact"] = a.caseExact
	}
	if a.dataType != typeComplex {
		d["uniqueness"] = a.uniqueness()
	}
	if len(a.canonical) > 0 {
		d["canonicalValues"] = a.canonical
	}
	if len(a.references) > 0 {
		d["referenceTypes"] = a.references
	}
	if len(a.sub) > 0 {
		d["subAttributes"] = subDocuments(a.sub)
	}
	return d
}

func (a *attribute) uniqueness() string {
	if a.unique {
		return "server"
	}
	return "none"
}
