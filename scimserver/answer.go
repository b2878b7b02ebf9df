// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// mediaType is that of every answer, whatever came in (RFC 7644, section 8.1).
const mediaType = "application/scim+json"

const errorSchema = "urn:ietf:params:scim:api:messages:2.0:Error"

// reply is what an operation answers. Only answer touches a ResponseWriter.
type reply struct {
	status int
	header http.Header
	// prefix and body are what is written, one after the other.
	prefix, body []byte
}

func noContent() reply { return reply{status: http.StatusNoContent} }

// jsonReply renders what has no schema table: discovery and errors.
func jsonReply(status int, value any) reply {
	body, err := json.Marshal(value)
	if err != nil { // structs and maps of this package: cannot happen
		return reply{status: http.StatusInternalServerError}
	}
	return reply{status: status, body: body}
}

// resourceReply answers with one resource, its version and its place, or says that the client has this version already.
func resourceReply(r *request, status int, t *scim.ResourceType, v scim.Valuer) reply {
	p, _ := r.projection(t)
	body := t.Append(make([]byte, 0, 1024), v, p)
	etag, _ := v.Value("meta.version").(string) // of what was shown just now
	location, _ := v.Value("meta.location").(string)
	if r.Method == http.MethodGet && r.isUnchanged(etag) {
		return reply{status: http.StatusNotModified, header: http.Header{"Etag": {etag}}}
	}
	return reply{status: status, header: http.Header{"Etag": {etag}, "Location": {location}}, body: body}
}

// errorReply is RFC 7644, section 3.12. The status is a string there.
func errorReply(p *problem.Problem) reply {
	body := struct {
		Schemas  []string     `json:"schemas"`
		Status   string       `json:"status"`
		ScimType problem.Kind `json:"scimType,omitempty"`
		Detail   string       `json:"detail"`
	}{[]string{errorSchema}, strconv.Itoa(p.Status), p.Kind, p.Detail}
	answer := jsonReply(p.Status, body)
	answer.header = p.Header
	return answer
}

// answer writes a reply.
func answer(w http.ResponseWriter, a reply) {
	header := w.Header()
	for name, values := range a.header {
		header[name] = values
	}
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if len(a.body) > 0 {
		header.Set("Content-Type", mediaType)
		header.Set("Content-Length", strconv.Itoa(len(a.prefix)+len(a.body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.prefix) // a client that is gone needs no answer
	_, _ = w.Write(a.body)
}
