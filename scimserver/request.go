// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/token"
)

// request is one HTTP request and what the server learns about it; grant is nil until the request is admitted, and body until it is read.
type request struct {
	*http.Request
	id      string
	route   string
	grant   *token.Grant
	base    string // the provider's base URL: scheme, host and BasePath
	segment string // what stood for {id} in the route
	body    map[string]any
	audit   written
	control *http.ResponseController
	bodies  *shares // the memory of bodies
	held    int64   // of it
	reading *shares // the large bodies that are being read
	answers answers
	hasTurn bool
}

// organization is the one that the request's token is for.
func (r *request) organization() *v1alpha1.LambdaTestOrganization { return r.grant.Organization }

// organizationKey names it.
func (r *request) organizationKey() types.NamespacedName { return r.grant.OrganizationKey() }

var idForLogs = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,64}$`)

// requestID keeps the id that a proxy gave the request, when it is fit for a log.
func requestID(r *http.Request) string {
	given := r.Header.Get("X-Request-Id")
	if idForLogs.MatchString(given) {
		return given
	}
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand.Read ends the program first
	return hex.EncodeToString(random[:])
}

// baseURL is what resources' locations begin with: the configured external URL, or what the client used, as proxies report it.
func (s *Server) baseURL(r *http.Request) string {
	if s.options.ExternalURL != "" {
		return s.options.ExternalURL + BasePath
	}
	scheme := "http"
	if r.TLS != nil || isHTTPS(r.Header.Get("X-Forwarded-Proto")) {
		scheme = "https"
	}
	return (&url.URL{Scheme: scheme, Host: r.Host, Path: BasePath}).String()
}

// isHTTPS reads X-Forwarded-Proto. Of several proxies the first in the list spoke with the client.
func isHTTPS(forwarded string) bool {
	first, _, _ := strings.Cut(forwarded, ",")
	return strings.EqualFold(strings.TrimSpace(first), "https")
}

// json reads the body, which must be one JSON object of a media type that SCIM has (RFC 7644, section 3.1).
func (r *request) json(limit int64) (map[string]any, error) {
	if err := acceptable(r.Header.Get("Content-Type")); err != nil {
		return nil, err
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, problem.New(http.StatusUnsupportedMediaType, "", "a body with Content-Encoding is not supported")
	}
	body, err := r.readBody(limit)
	if err != nil {
		return nil, err
	}
	r.body, err = scim.Decode(bytes.TrimPrefix(body, byteOrderMark), limit/bytesPerElement)
	return r.body, err
}

// byteOrderMark may begin a body: RFC 8259, section 8.1, lets a receiver ignore it.
var byteOrderMark = []byte("\ufeff")

// acceptable tolerates a missing media type, and parameters of any kind.
func acceptable(contentType string) error {
	if contentType == "" {
		return nil
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) || mediaType != "application/scim+json" && mediaType != "application/json" {
		return problem.New(http.StatusUnsupportedMediaType, "", "the body must be application/scim+json or application/json")
	}
	return nil
}

// query reads the query string: names in any case, empty parameters as absent, unknown ones ignored. A query that cannot be decoded is
// refused, because what was lost may have been the filter.
func (r *request) query() (url.Values, error) {
	// A semicolon is an ordinary character in a query (RFC 3986, section 3.4); url.ParseQuery takes it for a mistake.
	given, err := url.ParseQuery(strings.ReplaceAll(r.URL.RawQuery, ";", "%3B"))
	if err != nil {
		return nil, problem.BadValue("the query string is not well-formed")
	}
	query := url.Values{}
	for name, values := range given {
		name = strings.ToLower(name)
		for _, value := range values {
			if strings.TrimSpace(value) != "" {
				query.Add(name, value)
			}
		}
	}
	return query, nil
}

// projection reads `attributes` and `excludedAttributes`. asked tells whether there were any. It never fails, because a denial must
// not fail by it.
func (r *request) projection(t *scim.ResourceType) (p scim.Projection, asked bool) {
	query, _ := r.query()
	attributes, excluded := commaSeparated(query["attributes"]), commaSeparated(query["excludedattributes"])
	return t.Project(attributes, excluded), len(attributes)+len(excluded) > 0
}

func commaSeparated(values []string) []string {
	var names []string
	for _, value := range values {
		for name := range strings.SplitSeq(value, ",") {
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// ifMatch returns the precondition of a write: nil when the client names no version. The comparison ignores the mark of weakness, as
// RFC 7644, section 3.14, does in its examples.
func (r *request) ifMatch() func(etag string) error {
	wanted := claims.ResourceETags(r.Header.Values("If-Match"))
	if len(wanted) == 0 {
		return nil
	}
	return func(etag string) error {
		if namesVersion(wanted, etag) {
			return nil
		}
		return staleVersion(etag)
	}
}

// isUnchanged tells whether the client has this version already.
func (r *request) isUnchanged(etag string) bool {
	return namesVersion(r.Header.Values("If-None-Match"), etag)
}

func namesVersion(headers []string, etag string) bool {
	for _, version := range commaSeparated(headers) {
		if version == "*" || strings.TrimPrefix(version, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}
