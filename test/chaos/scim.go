// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// SCIM as identity providers speak it.

const (
	userSchema     = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupSchema    = "urn:ietf:params:scim:schemas:core:2.0:Group"
	patchSchema    = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	userExtension  = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User"
	groupExtension = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:Group"

	// patience is how long a provider waits for an answer.
	patience = 12 * time.Second
)

type attributes = map[string]any

// errNotSent means that a request certainly had no effect: no replica answered, or it was refused before processing.
var errNotSent = errors.New("the request was not taken")

// errNoAnswer means that the outcome of a request is unknown.
var errNoAnswer = errors.New("the outcome is unknown")

// scimClient sends requests to one replica.
type scimClient struct {
	http *http.Client
	base string
}

func newSCIMClient(address string) *scimClient {
	transport := &http.Transport{MaxIdleConnsPerHost: 16, DialContext: (&net.Dialer{Timeout: time.Second}).DialContext}
	return &scimClient{http: &http.Client{Timeout: patience, Transport: transport}, base: "http://" + address + "/scim/v2"}
}

// reply is an answer with a known outcome.
type reply struct {
	status int
	tag    string
	body   attributes
}

// send returns errNotSent, errNoAnswer, or a reply.
func (c *scimClient) send(ctx context.Context, token, method, path, ifMatch string, body any) (reply, error) {
	request, err := newRequest(ctx, method, c.base+path, body)
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if ifMatch != "" {
		request.Header.Set("If-Match", ifMatch)
	}
	response, err := c.http.Do(request)
	if err != nil {
		var dialling *net.OpError
		if errors.As(err, &dialling) && dialling.Op == "dial" {
			return reply{}, fmt.Errorf("%w: %w", errNotSent, err)
		}
		return reply{}, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	switch {
	case response.StatusCode == http.StatusUnauthorized, response.StatusCode == http.StatusTooManyRequests:
		return reply{}, fmt.Errorf("%w: %s", errNotSent, response.Status)
	case response.StatusCode >= http.StatusInternalServerError:
		return reply{}, fmt.Errorf("%w: %s: %s", errNoAnswer, response.Status, content)
	case err != nil:
		return reply{}, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	answer := reply{status: response.StatusCode, tag: response.Header.Get("Etag")}
	if len(content) > 0 {
		if err := json.Unmarshal(content, &answer.body); err != nil {
			return reply{}, fmt.Errorf("%w: %w", errNoAnswer, err)
		}
	}
	return answer, nil
}

func newRequest(ctx context.Context, method, url string, body any) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, url, content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/scim+json")
	return request, nil
}

// patch is the body of a PATCH with one operation.
func patch(operation, path string, value any) attributes {
	change := attributes{"op": operation, "value": value}
	if path != "" {
		change["path"] = path
	}
	return attributes{"schemas": []string{patchSchema}, "Operations": []attributes{change}}
}

// wire spells a request about a user.
func (r userRequest) wire(userName, id string) (method, path string, body any) {
	whole := attributes{
		"schemas": []string{userSchema, userExtension}, "userName": userName, "name": attributes{"givenName": "Ada", "familyName": "Lovelace"},
		"active": r.Active, "displayName": r.Display, userExtension: attributes{"OrganizationRole": r.Role},
	}
	path = "/Users/" + id
	switch r.Verb {
	case userCreate:
		whole["active"], whole["externalId"] = true, r.External
		return http.MethodPost, "/Users", whole
	case userRead:
		return http.MethodGet, path, nil
	case userActivate:
		return http.MethodPatch, path, patch("replace", "", attributes{"active": r.Active})
	case userRename, userRenameIf:
		return http.MethodPatch, path, patch("replace", "displayName", r.Display)
	case userReplace:
		return http.MethodPut, path, whole
	case userDenyOddly:
		whole["active"], whole["userName"] = false, "renamed-"+userName
		return http.MethodPut, path, whole
	case userDenyAndRole:
		return http.MethodPatch, path, patch("replace", "", attributes{"active": false, userExtension: attributes{"OrganizationRole": "Emperor"}})
	case userDelete:
		return http.MethodDelete, path, nil
	}
	panic("no such request: " + r.Verb)
}

// userAnswered reads what came back about a user.
func userAnswered(r reply) userAnswer {
	answer := userAnswer{Status: r.status, Tag: storedVersion(r.tag)}
	if r.status >= http.StatusBadRequest {
		answer.Tag, answer.Detail = "", text(r.body, "detail")
		return answer
	}
	answer.Active, _ = r.body["active"].(bool)
	answer.Display, answer.External = text(r.body, "displayName"), text(r.body, "externalId")
	if extension, ok := r.body[userExtension].(attributes); ok {
		answer.Role = text(extension, "OrganizationRole")
	}
	return answer
}

func text(body attributes, name string) string {
	value, _ := body[name].(string)
	return value
}

// wire spells a request about a group.
func (r groupRequest) wire(displayName string) (method, path string, body any) {
	members := []attributes{}
	for _, id := range strings.Fields(r.Members) {
		members = append(members, attributes{"value": id})
	}
	path = "/Groups/" + r.ID
	switch r.Verb {
	case groupCreate:
		body := attributes{"schemas": []string{groupSchema, groupExtension}, "displayName": displayName, "members": members}
		if r.Role != "" {
			body[groupExtension] = attributes{"LambdatestRoles": []string{r.Role}}
		}
		return http.MethodPost, "/Groups", body
	case groupRead:
		return http.MethodGet, path, nil
	case groupAdd:
		return http.MethodPatch, path, patch("add", "members", members)
	case groupRemove:
		return http.MethodPatch, path, patch("remove", "members", members)
	case groupReplace:
		return http.MethodPut, path, attributes{"schemas": []string{groupSchema}, "displayName": displayName, "members": members}
	case groupDelete:
		return http.MethodDelete, path, nil
	}
	panic("no such request: " + r.Verb)
}

// groupAnswered reads what came back about a group.
func groupAnswered(r reply) groupAnswer {
	answer := groupAnswer{Status: r.status}
	if r.status >= http.StatusBadRequest {
		answer.Detail = text(r.body, "detail")
		return answer
	}
	answer.ID = text(r.body, "id")
	var ids []string
	members, _ := r.body["members"].([]any)
	for _, member := range members {
		if fields, ok := member.(attributes); ok {
			ids = append(ids, text(fields, "value"))
		}
	}
	answer.Members = setOf(ids)
	return answer
}

// storedVersion is the part of an ETag that a write compares: the version of the stored user. The rest follows groups and the role in force.
func storedVersion(tag string) string {
	parts := strings.Split(tag, ".")
	if len(parts) < 3 {
		return tag
	}
	return parts[0] + "." + parts[1] + `"`
}
