// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scim

// Schemas of the discovery resources: RFC 7643, sections 5 to 7.
const (
	resourceTypeSchema = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	schemaSchema       = "urn:ietf:params:scim:schemas:core:2.0:Schema"
)

// Document is a resource of discovery, as JSON has it.
type Document = map[string]any

// Document is the resource type as /ResourceTypes shows it: RFC 7643, section 6.
func (t *ResourceType) Document(base string) Document {
	return Document{
		"schemas":          []string{resourceTypeSchema},
		"id":               t.Name,
		"name":             t.Name,
		"description":      t.Description,
		"endpoint":         t.Endpoint,
		"schema":           t.Schema,
		"schemaExtensions": []Document{{"schema": t.Extension, "required": false}},
		"meta":             Document{"resourceType": "ResourceType", "location": base + "/ResourceTypes/" + t.Name},
	}
}

// SchemaDocuments returns the schemas of resource types: what is stored and no more (RFC 7643, section 7).
func SchemaDocuments(base string, types ...*ResourceType) []Document {
	var documents []Document
	for _, t := range types {
		var own []Document
		var extension *Attribute
		for _, a := range t.Attributes {
			switch {
			case a.isExtension():
				extension = a
			case !isCommon(a):
				own = append(own, a.document())
			}
		}
		documents = append(documents,
			schemaDocument(base, t.Schema, t.Name, t.Description, own),
			schemaDocument(base, t.Extension, "LambdaTest "+t.Name, extension.Description, subDocuments(extension.Sub)))
	}
	return documents
}

func schemaDocument(base, id, name, description string, attributes []Document) Document {
	return Document{
		"schemas": []string{schemaSchema}, "id": id, "name": name, "description": description, "attributes": attributes,
		"meta": Document{"resourceType": "Schema", "location": base + "/Schemas/" + id},
	}
}

func subDocuments(attributes []*Attribute) []Document {
	documents := make([]Document, 0, len(attributes))
	for _, a := range attributes {
		documents = append(documents, a.document())
	}
	return documents
}

func (a *Attribute) document() Document {
	d := Document{
		"name":        a.Name,
		"type":        a.DataType,
		"multiValued": a.MultiValued,
		"description": a.Description,
		"required":    a.Required,
		"mutability":  a.Mutability,
		"returned":    a.returned,
	}
	if a.DataType == TypeString || a.DataType == TypeReference {
		d["caseExact"] = a.CaseExact
	}
	if a.DataType != TypeComplex {
		d["uniqueness"] = a.uniqueness()
	}
	if len(a.Canonical) > 0 {
		d["canonicalValues"] = a.Canonical
	}
	if len(a.References) > 0 {
		d["referenceTypes"] = a.References
	}
	if len(a.Sub) > 0 {
		d["subAttributes"] = subDocuments(a.Sub)
	}
	return d
}

func (a *Attribute) uniqueness() string {
	if a.Unique {
		return "server"
	}
	return "none"
}
