// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

const (
	scimMedia     = "application/scim+json"
	userSchema    = "urn:ietf:params:scim:schemas:core:2.0:User"
	userExtension = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User"
	groupSchema   = "urn:ietf:params:scim:schemas:core:2.0:Group"
	patchSchema   = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// object is JSON.
type object map[string]any

// provider is an identity provider that talks to one SCIM endpoint over as many connections as it has clients.
type provider struct {
	base, token string
	http        *http.Client
}

func newProvider(base, token string) *provider {
	const connections = 64
	return &provider{base: base, token: token, http: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true},
	}}
}

// send makes a request and returns the body of the answer, whose status must be the wanted one.
func (p *provider) send(ctx context.Context, method, path string, body any, wanted int) ([]byte, error) {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, p.base+path, content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", scimMedia)
	request.Header.Set("Content-Type", scimMedia)
	request.Header.Set("Authorization", "Bearer "+p.token)
	response, err := p.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != wanted {
		return nil, fmt.Errorf("%s %s: %s instead of %d: %s", method, path, response.Status, wanted, answer[:min(len(answer), 500)])
	}
	return answer, nil
}

func (p *provider) create(ctx context.Context, who person) error {
	_, err := p.send(ctx, http.MethodPost, "/Users", who.post(), http.StatusCreated)
	return err
}

func (p *provider) get(ctx context.Context, who person) error {
	_, err := p.send(ctx, http.MethodGet, "/Users/"+who.id(), nil, http.StatusOK)
	return err
}

// find looks somebody up, as providers do before anything else.
func (p *provider) find(ctx context.Context, who person) error {
	filter := url.QueryEscape(fmt.Sprintf("userName eq %q", who.userName()))
	answer, err := p.send(ctx, http.MethodGet, "/Users?filter="+filter+"&startIndex=1&count=100", nil, http.StatusOK)
	if err == nil && !bytes.Contains(answer, []byte(who.id())) {
		return fmt.Errorf("looking up %s found somebody else: %s", who.userName(), answer)
	}
	return err
}

// rename changes one attribute.
func (p *provider) rename(ctx context.Context, who person, displayName string) error {
	change := patch(object{"op": "replace", "path": "displayName", "value": displayName})
	_, err := p.send(ctx, http.MethodPatch, "/Users/"+who.id(), change, http.StatusOK)
	return err
}

// page reads users from the one that startIndex numbers.
func (p *provider) page(ctx context.Context, start, count int) ([]byte, error) {
	return p.send(ctx, http.MethodGet, fmt.Sprintf("/Users?startIndex=%d&count=%d", start, count), nil, http.StatusOK)
}

func patch(operations ...object) object {
	return object{"schemas": []string{patchSchema}, "Operations": operations}
}

// post is what a provider sends to create the person, of whom the endpoint then makes the resource.
func (p person) post() object {
	return object{
		"schemas":     []string{userSchema, userExtension},
		"userName":    p.userName(),
		"externalId":  p.externalID(),
		"displayName": p.givenName() + " " + p.familyName(),
		"name":        object{"givenName": p.givenName(), "familyName": p.familyName()},
		"emails":      []object{{"value": p.userName(), "type": "work", "primary": true}},
		"active":      true,
		userExtension: object{"OrganizationRole": string(v1alpha1.RoleUser)},
	}
}
