// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Options say what a server has from its start. Only CRDDir is required.
type Options struct {
	// CRDDir is the folder with the definitions of the custom resources (YAML).
	CRDDir string
	// PolicyFile holds the admission policies and their bindings (YAML). There are none if it is empty.
	PolicyFile string
	// Namespaces exist from the start, beside default, kube-system and kube-public.
	Namespaces []string
	// Rand draws faults and names. If it is nil, a generator with a fixed seed does.
	Rand *rand.Rand
	// MayDo answers what a policy asks of the authorizer. If it is nil, every user may do everything.
	MayDo func(user, verb string, resource schema.GroupResource, namespace, name string) bool
}

// Server is an API server in memory. Its methods may be called at any time from any goroutine.
type Server struct{}

// Key is the place of an object.
type Key struct {
	Resource        schema.GroupResource
	Namespace, Name string
}

// Write is one committed write.
type Write struct {
	Time     time.Time
	Revision int64
	// Verb is the verb of the request: create, update, patch, delete. Subresource is empty or "status" or "finalize".
	Verb, Subresource string
	Key               Key
	// User is who asked, and From is the remote address of the request.
	User, From string
	// Old is nil if the object was created, New is nil if it was removed. They are shared: do not change them.
	Old, New map[string]any
}

// RequestKind is what requests are counted by.
type RequestKind struct {
	User, Verb  string // verbs are those of the API: get, list, watch, create, update, patch, delete, deletecollection
	Resource    schema.GroupResource
	Subresource string
}

// New returns a server that has the custom resources, the namespaces and the policies of the options.
func New(options Options) (*Server, error) { return &Server{}, nil }

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {}

// Subscribe calls observe for every later write, in the order of the writes, under the lock of the store: observe must return at once and
// must not call the server.
func (s *Server) Subscribe(observe func(Write)) {}

// Requests returns how many requests of each kind arrived, faults included.
func (s *Server) Requests() map[RequestKind]int { return nil }

// Get returns an object. It is shared: do not change it.
func (s *Server) Get(key Key) (map[string]any, bool) { return nil, false }

// List returns the objects of a resource in the order of their keys, of all namespaces if namespace is empty. They are shared: do not change
// them.
func (s *Server) List(resource schema.GroupResource, namespace string) []map[string]any { return nil }

// Revision is that of the last write.
func (s *Server) Revision() int64 { return 0 }

// Compact forgets the history of all writes, as etcd's compaction does: watches that would begin in the past, and further pages of lists,
// answer 410.
func (s *Server) Compact() {}

// CutWatches ends every watch.
func (s *Server) CutWatches() {}

// Stored counts what the server holds: the objects, and the watches.
func (s *Server) Stored() (objects, watches int) { return 0, 0 }

// RunControllers does what the controllers of a cluster do for the operator until ctx ends: it empties and removes namespaces and definitions
// that are being deleted.
func (s *Server) RunControllers(ctx context.Context) {}
