// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Answer is an answer of LambdaTest as it came. It may contain addresses.
type Answer struct {
	Status int
	Body   []byte
}

// Raw makes one call and returns the answer as it came, whatever its status:
// for a diagnosis of what LambdaTest does. The path is below the base URL, such
// as "/Users" or "/Users/17"; body is encoded as JSON unless it is nil. The
// error says why there is no answer.
func (c *Client) Raw(ctx context.Context, method, path string, query url.Values, body any) (Answer, error) {
	route, id := path, ""
	if rest, one := strings.CutPrefix(path, "/Users/"); one {
		route, id = "/Users/{id}", rest
		if err := checkUserID(call{method: method, route: route, id: id}); err != nil {
			return Answer{}, err
		}
	}
	req := call{method: method, route: route, id: id, query: query, body: body}
	response, err := c.send(ctx, req)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return Answer{}, c.unanswered(req, err, true)
	}
	if response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusTooManyRequests || response.StatusCode >= http.StatusInternalServerError {
		return Answer{}, c.refusal(req, response.StatusCode, response.Header, read)
	}
	return Answer{Status: response.StatusCode, Body: read}, nil
}
