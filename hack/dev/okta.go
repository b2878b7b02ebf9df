// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
)

// okta sends requests as Okta does: the same headers, bodies and order.
type okta struct {
	baseURL, token string
}

// oktaPage is the page size of Okta's import.
const oktaPage = 100

const roleExtension = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User"

// person is a person in Okta's directory.
type person struct {
	userName, givenName, familyName, oktaID string
}

var (
	katherine = person{"katherine@example.com", "Katherine", "Johnson", "00u1katherine"}
	edsger    = person{"edsger@example.com", "Edsger", "Dijkstra", "00u1edsger"}
	barbara   = person{"barbara@example.com", "Barbara", "Liskov", "00u1barbara"}
	donald    = person{"donald@example.com", "Donald", "Knuth", "00u1donald"}
	grace     = person{"grace@example.com", "Grace", "Hopper", "00u1grace"}
)

// resource is a SCIM resource as decoded JSON.
type resource = map[string]any

func newOkta(baseURL, token string) *okta { return &okta{baseURL: baseURL, token: token} }

// testConnection sends the requests of Okta's button of that name.
func (o *okta) testConnection(ctx context.Context) error {
	_, err := o.call(ctx, http.MethodGet, "/Users?startIndex=1&count=2", nil, http.StatusOK)
	return err
}

// lookup finds a user by userName; nil if there is none.
func (o *okta) lookup(ctx context.Context, userName string) (resource, error) {
	filter := url.QueryEscape(fmt.Sprintf("userName eq %q", userName))
	page, err := o.call(ctx, http.MethodGet, "/Users?filter="+filter+"&startIndex=1&count=100", nil, http.StatusOK)
	if err != nil {
		return nil, err
	}
	for _, found := range page["Resources"].([]any) {
		return found.(resource), nil
	}
	return nil, nil
}

// create looks up first, as Okta does, and then posts. It returns the SCIM id.
func (o *okta) create(ctx context.Context, p person) (string, error) {
	known, err := o.lookup(ctx, p.userName)
	if err != nil {
		return "", err
	}
	if known != nil {
		return "", fmt.Errorf("%s already exists", p.userName)
	}
	created, err := o.call(ctx, http.MethodPost, "/Users", p.body(), http.StatusCreated)
	if err != nil {
		return "", err
	}
	return created["id"].(string), nil
}

func (p person) body() resource {
	return resource{
		"schemas":     []string{"urn:ietf:params:scim:schemas:core:2.0:User"},
		"userName":    p.userName,
		"name":        resource{"givenName": p.givenName, "familyName": p.familyName},
		"emails":      []resource{{"primary": true, "value": p.userName, "type": "work"}},
		"displayName": p.givenName + " " + p.familyName,
		"locale":      "en-US",
		"externalId":  p.oktaID,
		"groups":      []string{},
		"password":    "1mz050nq",
		"active":      true,
	}
}

// importAll reads all pages of users and returns the userNames.
func (o *okta) importAll(ctx context.Context) ([]string, error) {
	var names []string
	for start := 1; ; start += oktaPage {
		query := "/Users?startIndex=" + strconv.Itoa(start) + "&count=" + strconv.Itoa(oktaPage)
		page, err := o.call(ctx, http.MethodGet, query, nil, http.StatusOK)
		if err != nil {
			return nil, err
		}
		for _, found := range page["Resources"].([]any) {
			names = append(names, found.(resource)["userName"].(string))
		}
		if total := int(page["totalResults"].(float64)); start+oktaPage > total {
			return names, nil
		}
	}
}

// push is Okta's profile push: GET, then PUT of the answer merged with the changes.
func (o *okta) push(ctx context.Context, id string, changes resource) error {
	current, err := o.call(ctx, http.MethodGet, "/Users/"+id, nil, http.StatusOK)
	if err != nil {
		return err
	}
	maps.Copy(current, changes)
	_, err = o.call(ctx, http.MethodPut, "/Users/"+id, current, http.StatusOK)
	return err
}

// pushRole is a profile push with a role.
func (o *okta) pushRole(ctx context.Context, id, role string) error {
	return o.push(ctx, id, resource{roleExtension: resource{"OrganizationRole": role}})
}

// setActive deactivates or reactivates a user as a custom (AIW) app does.
func (o *okta) setActive(ctx context.Context, id string, active bool) error {
	return o.push(ctx, id, resource{"active": active})
}

// deactivateByPatch deactivates a user as a catalogue (OIN) app does.
func (o *okta) deactivateByPatch(ctx context.Context, id string) error {
	_, err := o.call(ctx, http.MethodPatch, "/Users/"+id, resource{
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []resource{{"op": "replace", "value": resource{"active": false}}},
	}, http.StatusOK)
	return err
}

func (o *okta) call(ctx context.Context, method, path string, body any, expected int) (resource, error) {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, o.baseURL+path, content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "Okta SCIM Client 1.0.0")
	request.Header.Set("Accept", "application/scim+json")
	request.Header.Set("Accept-Charset", "utf-8")
	request.Header.Set("Authorization", "Bearer "+o.token)
	if body != nil {
		request.Header.Set("Content-Type", "application/scim+json; charset=utf-8")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != expected {
		return nil, fmt.Errorf("%s %s: expected %d, got %d: %s", method, path, expected, response.StatusCode, answer)
	}
	var decoded resource
	if err := json.Unmarshal(answer, &decoded); err != nil {
		return nil, fmt.Errorf("%s %s: reading %q: %w", method, path, answer, err)
	}
	return decoded, nil
}
