// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// request is the part of a call that an operation needs.
type request struct {
	route string // "GET /Users/{id}"
	path  string
	id    string
	query url.Values
	body  []byte
}

// reply is an answer before it is written. Its body shares no memory with the
// state, so it can be written without the lock.
type reply struct {
	status     int
	body       any    // encoded as JSON, unless raw is set
	raw        string // instead of body
	retryAfter string
	cut        bool // no answer: the connection is cut
}

// operation is the work of one route. The caller holds the lock.
type operation func(*Org, request) (reply, error)

// calls are the calls of the contract.
var calls = map[string]operation{
	"GET /Users":         (*Org).listUsers,
	"POST /Users":        (*Org).postUser,
	"GET /Users/{id}":    (*Org).getUser,
	"PUT /Users/{id}":    (*Org).putUser,
	"PATCH /Users/{id}":  (*Org).patchUser,
	"DELETE /Users/{id}": (*Org).deleteUser,

	"GET /Groups":         (*Org).listGroups,
	"POST /Groups":        (*Org).postGroup,
	"GET /Groups/{id}":    (*Org).getGroup,
	"PUT /Groups/{id}":    (*Org).putGroup,
	"PATCH /Groups/{id}":  (*Org).patchGroup,
	"DELETE /Groups/{id}": (*Org).deleteGroup,
}

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for route, do := range calls {
		method, path, _ := strings.Cut(route, " ")
		mux.HandleFunc(method+" "+Prefix+path, func(w http.ResponseWriter, r *http.Request) {
			s.serve(route, do, w, r)
		})
	}
	mux.HandleFunc(Prefix+"/", func(w http.ResponseWriter, r *http.Request) {
		s.serve(r.Method+" "+strings.TrimPrefix(r.URL.Path, Prefix), nowhere, w, r)
	})
	s.adminRoutes(mux)
	return mux
}

// nowhere is the operation for a path or method that the API does not have.
func nowhere(*Org, request) (reply, error) {
	return reply{}, notFound("this path does not exist")
}

// serve handles one call: it finds the organization, chooses the faults, waits,
// carries out the operation and writes the answer. It holds no lock while it waits.
func (s *Server) serve(route string, do operation, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	in := request{route: route, path: r.URL.Path, id: r.PathValue("id"), query: r.URL.Query(), body: body}
	if err != nil {
		do = func(*Org, request) (reply, error) { return reply{}, tooLarge("the body is too large or incomplete") }
	}
	org, valid, met := s.meet(r, in)
	if !valid {
		org.carryOut(in, encounter{}, unauthorized).write(w)
		return
	}
	if !met.wait(r.Context()) {
		org.abandon(in)
		panic(http.ErrAbortHandler)
	}
	org.carryOut(in, met, do).write(w)
}

// meet chooses the faults of a call, unless its token is refused.
func (s *Server) meet(r *http.Request, in request) (*Org, bool, encounter) {
	s.world.Lock()
	defer s.world.Unlock()
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	org, valid := s.world.withToken(token)
	if !valid || !strings.EqualFold(scheme, "Bearer") {
		return org, false, encounter{}
	}
	return org, true, org.encounter(in.route)
}

func unauthorized(*Org, request) (reply, error) {
	return reply{}, &problem{status: http.StatusUnauthorized, detail: "the token is wrong or has expired"}
}

// carryOut does the operation, unless a fault prevents it, and records the call
// under the same lock, so that the record has the order of the effects.
func (o *Org) carryOut(in request, met encounter, do operation) reply {
	o.world.Lock()
	defer o.world.Unlock()
	o.settle()
	o.acting = acting{in.route, met.kind(), map[string]bool{}}
	defer func() { o.acting = acting{} }()
	out, prevented := met.instead(o)
	if !prevented {
		done, err := do(o, in)
		if err != nil {
			done = o.refusal(err)
		}
		out = met.spoil(done)
	}
	o.countAnswer()
	o.record(in, out, met.kind())
	return out
}

// abandon records a call whose caller gave up before it was carried out.
func (o *Org) abandon(in request) {
	o.world.Lock()
	defer o.world.Unlock()
	o.record(in, reply{cut: true}, Abandoned)
}

func (out reply) write(w http.ResponseWriter) {
	if out.cut {
		panic(http.ErrAbortHandler)
	}
	if out.retryAfter != "" {
		w.Header().Set("Retry-After", out.retryAfter)
	}
	switch {
	case out.raw != "":
		w.Header().Set("Content-Type", http.DetectContentType([]byte(out.raw)))
		w.WriteHeader(out.status)
		fmt.Fprint(w, out.raw)
	case out.body == nil:
		w.WriteHeader(out.status)
	default:
		w.Header().Set("Content-Type", "application/scim+json")
		w.WriteHeader(out.status)
		// The caller may have closed the connection; then the answer cannot be delivered.
		_ = json.NewEncoder(w).Encode(out.body)
	}
}

func (in request) method() string {
	method, _, _ := strings.Cut(in.route, " ")
	return method
}
