// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// maxBodyBytes is the limit of a request's body.
const maxBodyBytes = 3 * 1024 * 1024

// request is a request whose path and headers are understood.
type request struct {
	*http.Request
	kind                         *kind
	verb                         string
	namespace, name, subresource string
	user                         string
	query                        url.Values
	body                         []byte
	// partial asks for PartialObjectMetadata.
	partial bool
}

// answer is what a client gets, unless it watches.
type answer struct {
	code int
	body []byte
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, err := s.understand(r)
	if err != nil {
		fail(w, err)
		return
	}
	trouble := s.draw(req)
	if trouble.before(req); trouble.refusal != nil { //nolint:contextcheck // the request has it
		fail(w, trouble.refusal)
		return
	}
	if req.verb == "watch" {
		s.watch(w, req) //nolint:contextcheck // the request has it
		return
	}
	result, err := s.handle(req) //nolint:contextcheck // the request has it
	if trouble.after(); trouble.lateRefusal != nil {
		err = trouble.lateRefusal
	}
	if err != nil {
		fail(w, err)
		return
	}
	write(w, result)
}

func (s *Server) handle(req *request) (answer, error) {
	switch req.verb {
	case "get":
		return s.get(req)
	case "list":
		return s.list(req)
	case "create":
		return s.create(req)
	case "update":
		return s.replace(req)
	case "patch":
		return s.patch(req)
	case "delete":
		return s.delete(req)
	case "deletecollection":
		return s.deleteCollection(req)
	}
	return answer{}, apierrors.NewMethodNotSupported(req.kind.group(), req.verb)
}

// errNoPath is the answer to paths that are not served.
var errNoPath = errors.New("404 page not found")

// understand reads the path, the headers and the body.
func (s *Server) understand(r *http.Request) (*request, error) {
	req := &request{Request: r, user: userOf(r), query: r.URL.Query()}
	resource, err := req.parsePath()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	req.kind = s.kinds[resource]
	s.mu.Unlock()
	if req.kind == nil || !req.kind.allows(req) {
		return nil, errNoPath
	}
	req.verb = req.verbOf()
	s.count(req)
	if req.subresource != "" && !slices.Contains(req.kind.subresources, req.subresource) {
		return nil, apierrors.NewNotFound(req.kind.group(), req.name)
	}
	if !req.isSupported() {
		return nil, apierrors.NewMethodNotSupported(req.kind.group(), req.verb)
	}
	if req.partial, err = negotiate(r.Header.Get("Accept"), req.verb == "list" || req.verb == "deletecollection"); err != nil {
		return nil, err
	}
	return req, req.readBody()
}

// allows compares the scope of the kind and of the request.
func (k *kind) allows(req *request) bool {
	if !k.namespaced {
		return req.namespace == ""
	}
	return req.namespace != "" || req.name == "" && (req.Method == http.MethodGet || req.Method == http.MethodDelete)
}

// parsePath splits /api/v1/… and /apis/group/version/….
func (r *request) parsePath() (schema.GroupVersionResource, error) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	resource := schema.GroupVersionResource{}
	switch {
	case parts[0] == "api" && len(parts) > 2:
		resource.Version, parts = parts[1], parts[2:]
	case parts[0] == "apis" && len(parts) > 3:
		resource.Group, resource.Version, parts = parts[1], parts[2], parts[3:]
	default:
		return resource, errNoPath
	}
	// "finalize" and "status" are subresources of a namespace, any other third part is a resource in it.
	if parts[0] == "namespaces" && len(parts) > 2 && parts[2] != "finalize" && parts[2] != "status" {
		r.namespace, parts = parts[1], parts[2:]
	}
	resource.Resource = parts[0]
	if len(parts) > 1 {
		r.name = parts[1]
	}
	if len(parts) > 2 {
		r.subresource = parts[2]
	}
	if len(parts) > 3 {
		return resource, errNoPath
	}
	return resource, nil
}

func (r *request) verbOf() string {
	switch r.Method {
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodPatch:
		return "patch"
	case http.MethodDelete:
		if r.name == "" {
			return "deletecollection"
		}
		return "delete"
	}
	watch := r.query.Get("watch")
	switch {
	case r.name != "":
		return "get"
	case r.query.Has("watch") && watch != "false" && watch != "0":
		return "watch"
	}
	return "list"
}

// isSupported says whether the path has the verb.
func (r *request) isSupported() bool {
	switch {
	case r.subresource != "":
		return r.verb == "get" || r.verb == "update" || r.verb == "patch"
	case r.verb == "create":
		return r.name == "" && !r.kind.readOnly
	case r.verb == "update" || r.verb == "patch":
		return r.name != ""
	}
	return true
}

func (r *request) readBody() error {
	if r.verb == "get" || r.verb == "list" || r.verb == "watch" {
		return nil
	}
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); r.verb != "patch" && kind != "" && kind != "application/json" {
		return unsupportedMediaType("application/json")
	}
	var err error
	if r.body, err = io.ReadAll(io.LimitReader(r.Body, maxBodyBytes+1)); err != nil {
		return fmt.Errorf("reading the body: %w", err)
	}
	if len(r.body) > maxBodyBytes {
		return apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("limit is %d", maxBodyBytes))
	}
	return nil
}

func unsupportedMediaType(supported ...string) error {
	return status(http.StatusUnsupportedMediaType, metav1.StatusReasonUnsupportedMediaType,
		"the body of the request was in an unknown format - accepted media types include: "+strings.Join(supported, ", "))
}

func status(code int32, reason metav1.StatusReason, message string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: code, Reason: reason, Message: message}}
}

var errNotAcceptable = status(http.StatusNotAcceptable, metav1.StatusReasonNotAcceptable,
	"only the following media types are accepted: application/json")

// negotiate finds the first form in Accept that the server can write.
func negotiate(accept string, isList bool) (partial bool, err error) {
	if accept == "" {
		return false, nil
	}
	partialKind := "PartialObjectMetadata"
	if isList {
		partialKind += "List"
	}
	for clause := range strings.SplitSeq(accept, ",") {
		name, parameters, _ := strings.Cut(strings.ReplaceAll(clause, " ", ""), ";")
		if name != "application/json" && name != "*/*" && name != "application/*" {
			continue
		}
		switch as := parameter(parameters, "as"); {
		case as == "":
			return false, nil
		case as == partialKind:
			return true, nil
		case strings.HasPrefix(as, "PartialObjectMetadata"): // the other one
			return false, errNotAcceptable
		}
	}
	return false, errNotAcceptable
}

func parameter(parameters, name string) string {
	for pair := range strings.SplitSeq(parameters, ";") {
		if key, value, _ := strings.Cut(pair, "="); key == name {
			return value
		}
	}
	return ""
}

// userOf is who asks: the bearer token is the name of the user.
func userOf(r *http.Request) string {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return token
	}
	name, _, _ := strings.Cut(r.UserAgent(), "/")
	return name
}

func (s *Server) count(req *request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[RequestKind{User: req.user, Verb: req.verb, Resource: req.kind.group(), Subresource: req.subresource}]++
}

// decodeOptions fills options from the query.
func (r *request) decodeOptions(options runtime.Object) error {
	if err := scheme.ParameterCodec.DecodeParameters(r.query, metav1.SchemeGroupVersion, options); err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	return nil
}

// show is the answer with one object.
func (r *request) show(code int, v *version) answer {
	if r.partial {
		return answer{code: code, body: partialJSON(v)}
	}
	return answer{code: code, body: r.kind.json(v)}
}

func (s *Server) get(req *request) (answer, error) {
	options := &metav1.GetOptions{}
	if err := req.decodeOptions(options); err != nil {
		return answer{}, err
	}
	if err := s.waitFor(req.Context(), options.ResourceVersion); err != nil {
		return answer{}, err
	}
	s.mu.Lock()
	v := req.kind.table.versions[keyOf(req.namespace, req.name)]
	s.mu.Unlock()
	if v == nil {
		return answer{}, apierrors.NewNotFound(req.kind.group(), req.name)
	}
	return req.show(http.StatusOK, v), nil
}

func write(w http.ResponseWriter, a answer) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.code)
	_, _ = w.Write(a.body) // the client may be gone
}

// statusOf is an error as the API shows it.
func statusOf(err error) metav1.Status {
	var known apierrors.APIStatus
	result := metav1.Status{Code: http.StatusInternalServerError, Message: err.Error()}
	if errors.As(err, &known) {
		result = known.Status()
	}
	result.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	result.Status = metav1.StatusFailure
	if result.Code == 0 {
		result.Code = http.StatusInternalServerError
	}
	return result
}

func fail(w http.ResponseWriter, err error) {
	if errors.Is(err, errNoPath) {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	result := statusOf(err)
	if result.Details != nil && result.Details.RetryAfterSeconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(result.Details.RetryAfterSeconds)))
	}
	body, err := json.Marshal(result)
	if err != nil {
		panic(err) // a Status has no field that fails
	}
	write(w, answer{code: int(result.Code), body: body})
}
