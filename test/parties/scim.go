// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package parties

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

	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
)

// SCIM as identity providers speak it.

const (
	userSchema     = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupSchema    = "urn:ietf:params:scim:schemas:core:2.0:Group"
	patchSchema    = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	userExtension  = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User"
	groupExtension = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:Group"

	// Patience is how long a provider waits for an answer.
	Patience = 12 * time.Second
)

type attributes = map[string]any

// ErrNotSent means that a request certainly had no effect: no replica answered, or it was refused before processing.
var ErrNotSent = errors.New("the request was not taken")

// ErrNoAnswer means that the outcome of a request is unknown.
var ErrNoAnswer = errors.New("the outcome is unknown")

// Endpoint is the SCIM endpoint of one replica.
type Endpoint struct {
	client *http.Client
	base   string
}

// NewEndpoint returns the endpoint at a base URL, as in http://127.0.0.1:8080/scim/v2. The client's timeout should be Patience. A dialer that
// fails returns a *net.OpError of the operation "dial": such a request certainly had no effect.
func NewEndpoint(base string, client *http.Client) *Endpoint {
	return &Endpoint{client: client, base: base}
}

// CloseIdleConnections closes connections that no request uses.
func (c *Endpoint) CloseIdleConnections() { c.client.CloseIdleConnections() }

// Reply is an answer with a known outcome.
type Reply struct {
	Status int
	Tag    string
	Body   map[string]any
}

// Send returns ErrNotSent, ErrNoAnswer, or a reply.
func (c *Endpoint) Send(ctx context.Context, token, method, path, ifMatch string, body any) (Reply, error) {
	request, err := newRequest(ctx, method, c.base+path, body)
	if err != nil {
		return Reply{}, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if ifMatch != "" {
		request.Header.Set("If-Match", ifMatch)
	}
	response, err := c.client.Do(request)
	if err != nil {
		var dialling *net.OpError
		if errors.As(err, &dialling) && dialling.Op == "dial" {
			return Reply{}, fmt.Errorf("%w: %w", ErrNotSent, err)
		}
		return Reply{}, fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	switch {
	case response.StatusCode == http.StatusUnauthorized, response.StatusCode == http.StatusTooManyRequests:
		return Reply{}, fmt.Errorf("%w: %s", ErrNotSent, response.Status)
	case response.StatusCode >= http.StatusInternalServerError:
		return Reply{}, fmt.Errorf("%w: %s: %s", ErrNoAnswer, response.Status, content)
	case err != nil:
		return Reply{}, fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	answer := Reply{Status: response.StatusCode, Tag: response.Header.Get("Etag")}
	if len(content) > 0 {
		if err := json.Unmarshal(content, &answer.Body); err != nil {
			return Reply{}, fmt.Errorf("%w: %w", ErrNoAnswer, err)
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

// userWire spells a request about a user.
func userWire(r promises.UserRequest, userName, id string) (method, path string, body any) {
	whole := attributes{
		"schemas": []string{userSchema, userExtension}, "userName": userName, "name": attributes{"givenName": "Ada", "familyName": "Lovelace"},
		"active": r.Active, "displayName": r.Display, userExtension: attributes{"OrganizationRole": r.Role},
	}
	path = "/Users/" + id
	switch r.Verb {
	case promises.UserCreate:
		whole["active"], whole["externalId"] = true, r.External
		return http.MethodPost, "/Users", whole
	case promises.UserRead:
		return http.MethodGet, path, nil
	case promises.UserActivate:
		return http.MethodPatch, path, patch("replace", "", attributes{"active": r.Active})
	case promises.UserRename, promises.UserRenameIf:
		return http.MethodPatch, path, patch("replace", "displayName", r.Display)
	case promises.UserReplace:
		return http.MethodPut, path, whole
	case promises.UserDenyOddly:
		whole["active"], whole["userName"] = false, "renamed-"+userName
		return http.MethodPut, path, whole
	case promises.UserDenyAndRole:
		return http.MethodPatch, path, patch("replace", "", attributes{"active": false, userExtension: attributes{"OrganizationRole": "Emperor"}})
	case promises.UserDelete:
		return http.MethodDelete, path, nil
	}
	panic("no such request: " + r.Verb)
}

// userAnswered reads what came back about a user.
func userAnswered(r Reply) promises.UserAnswer {
	answer := promises.UserAnswer{Status: r.Status, Tag: storedVersion(r.Tag)}
	if r.Status >= http.StatusBadRequest {
		answer.Tag, answer.Detail = "", text(r.Body, "detail")
		return answer
	}
	answer.Active, _ = r.Body["active"].(bool)
	answer.Display, answer.External = text(r.Body, "displayName"), text(r.Body, "externalId")
	if extension, ok := r.Body[userExtension].(attributes); ok {
		answer.Role = text(extension, "OrganizationRole")
	}
	return answer
}

func text(body attributes, name string) string {
	value, _ := body[name].(string)
	return value
}

// groupWire spells a request about a group.
func groupWire(r promises.GroupRequest, displayName string) (method, path string, body any) {
	members := []attributes{}
	for _, id := range strings.Fields(r.Members) {
		members = append(members, attributes{"value": id})
	}
	path = "/Groups/" + r.ID
	switch r.Verb {
	case promises.GroupCreate:
		body := attributes{"schemas": []string{groupSchema, groupExtension}, "displayName": displayName, "members": members}
		if r.Role != "" {
			body[groupExtension] = attributes{"LambdatestRoles": []string{r.Role}}
		}
		return http.MethodPost, "/Groups", body
	case promises.GroupRead:
		return http.MethodGet, path, nil
	case promises.GroupAdd:
		return http.MethodPatch, path, patch("add", "members", members)
	case promises.GroupRemove:
		return http.MethodPatch, path, patch("remove", "members", members)
	case promises.GroupReplace:
		return http.MethodPut, path, attributes{"schemas": []string{groupSchema}, "displayName": displayName, "members": members}
	case promises.GroupDelete:
		return http.MethodDelete, path, nil
	}
	panic("no such request: " + r.Verb)
}

// groupAnswered reads what came back about a group.
func groupAnswered(r Reply) promises.GroupAnswer {
	answer := promises.GroupAnswer{Status: r.Status}
	if r.Status >= http.StatusBadRequest {
		answer.Detail = text(r.Body, "detail")
		return answer
	}
	answer.ID = text(r.Body, "id")
	var ids []string
	members, _ := r.Body["members"].([]any)
	for _, member := range members {
		if fields, ok := member.(attributes); ok {
			ids = append(ids, text(fields, "value"))
		}
	}
	answer.Members = promises.SetOf(ids)
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
