// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

// The identity provider: SCIM over HTTP, with the organization's token.

const (
	userSchema     = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupSchema    = "urn:ietf:params:scim:schemas:core:2.0:Group"
	patchSchema    = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	userExtension  = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User"
	groupExtension = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:Group"
)

type attributes = map[string]any

// scim sends a request of the identity provider to the next replica and expects an answer.
func (w *world) scim(ctx context.Context, method, path string, body any, status int) attributes {
	GinkgoHelper()
	answered, answer, err := ask(ctx, w.env.Front.SCIMURL, w.SCIMToken, method, path, body)
	Expect(err).NotTo(HaveOccurred())
	Expect(answered).To(Equal(status), "%s %s: %s", method, path, answer)
	if len(answer) == 0 {
		return nil
	}
	decoded := attributes{}
	Expect(json.Unmarshal(answer, &decoded)).To(Succeed())
	return decoded
}

// ask sends a request to the SCIM endpoint at that URL.
func ask(ctx context.Context, url, token, method, path string, body any) (status int, answer []byte, err error) {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, url+path, content)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/scim+json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// statuses returns a function for Eventually: the status that each replica answers with that token.
func (w *world) statuses(ctx context.Context, token string) func() ([]int, error) {
	return func() ([]int, error) {
		var all []int
		for _, replica := range w.env.Replicas {
			status, _, err := ask(ctx, replica.SCIMURL, token, http.MethodGet, "/Users?startIndex=1&count=2", nil)
			if err != nil {
				return nil, fmt.Errorf("asking %s: %w", replica.Name(), err)
			}
			all = append(all, status)
		}
		return all, nil
	}
}

func newcomer(userName string, extra ...attributes) attributes {
	body := attributes{
		"schemas":  []string{userSchema},
		"userName": userName,
		"name":     attributes{"givenName": "Ada", "familyName": "Lovelace"},
		"active":   true,
	}
	for _, more := range extra {
		for name, value := range more {
			body[name] = value
		}
	}
	return body
}

// provision creates a user through the identity provider and returns the SCIM id.
func (w *world) provision(ctx context.Context, userName string, extra ...attributes) string {
	GinkgoHelper()
	return w.scim(ctx, http.MethodPost, "/Users", newcomer(userName, extra...), http.StatusCreated)["id"].(string)
}

// provisioned creates a user through the identity provider, waits for the account and returns the SCIM id.
func (w *world) provisioned(ctx context.Context, userName string, extra ...attributes) string {
	GinkgoHelper()
	id := w.provision(ctx, userName, extra...)
	Eventually(w.account(userName)).Should(beActive())
	return id
}

// withRole is the SCIM extension with a role.
func withRole(role string) attributes {
	return attributes{userExtension: attributes{"OrganizationRole": role}}
}

// push is GET, then PUT of the answer merged with the changes: an Okta profile push.
func (w *world) push(ctx context.Context, id string, changes attributes) attributes {
	GinkgoHelper()
	current := w.scim(ctx, http.MethodGet, "/Users/"+id, nil, http.StatusOK)
	for name, value := range changes {
		current[name] = value
	}
	return w.scim(ctx, http.MethodPut, "/Users/"+id, current, http.StatusOK)
}

// deny deactivates a user through the identity provider, in one request.
func (w *world) deny(ctx context.Context, id string) {
	GinkgoHelper()
	w.scim(ctx, http.MethodPatch, "/Users/"+id, patch("replace", "", attributes{"active": false}), http.StatusOK)
}

// denyAt is deny at one replica.
func (w *world) denyAt(ctx context.Context, replica *environment.Replica, id string) {
	GinkgoHelper()
	body := patch("replace", "", attributes{"active": false})
	status, answer, err := ask(ctx, replica.SCIMURL, w.SCIMToken, http.MethodPatch, "/Users/"+id, body)
	Expect(err).NotTo(HaveOccurred())
	Expect(status).To(Equal(http.StatusOK), "%s", answer)
}

// patch is the body of a PATCH with one operation.
func patch(operation, path string, value any) attributes {
	change := attributes{"op": operation, "value": value}
	if path != "" {
		change["path"] = path
	}
	return attributes{"schemas": []string{patchSchema}, "Operations": []attributes{change}}
}
