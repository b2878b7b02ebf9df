// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// Options say what a server has from its start. Only CRDDir is required.
type Options struct {
	// CRDDir is the folder with the definitions of the custom resources (YAML).
	CRDDir string
	// PolicyFile holds the admission policies and their bindings (YAML). There are none if it is empty.
	PolicyFile string
	// Namespaces exist from the start, beside default, kube-system and kube-public.
	Namespaces []string
	// Rand draws faults, names and UIDs. If it is nil, a generator with a fixed seed does.
	Rand *rand.Rand
	// MayDo answers what a policy asks of the authorizer. If it is nil, every user may do everything.
	MayDo func(user, verb string, resource schema.GroupResource, namespace, name string) bool
}

// Server is an API server in memory. Its methods may be called at any time from any goroutine.
type Server struct {
	policies []policy

	// mu guards what follows. It is never held while a connection is read or written, or while something is waited for.
	mu       sync.Mutex
	store    store
	kinds    map[schema.GroupVersionResource]*kind
	rand     *rand.Rand
	faults   Faults
	requests map[RequestKind]int
	watches  int
	// cut tells all watches to end.
	cut signal
	// expiring holds the ends of Events in their order, and expiries the valid one of each Event.
	expiring []expiring
	expiries map[string]time.Time
}

// Key is the place of an object.
type Key struct {
	Resource        schema.GroupResource
	Namespace, Name string
}

// Write is one committed write.
type Write struct {
	Time     time.Time
	Revision int64
	// Verb is the verb of the request: create, update, patch, delete; or expire, when the hour of an Event is over. Subresource is empty, or
	// "status" or "finalize".
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
func New(options Options) (*Server, error) {
	if options.Rand == nil {
		options.Rand = rand.New(rand.NewPCG(1, 2))
	}
	s := &Server{
		store:    store{tables: map[schema.GroupResource]*table{}, revision: firstRevision},
		kinds:    map[schema.GroupVersionResource]*kind{},
		rand:     options.Rand,
		requests: map[RequestKind]int{},
		expiries: map[string]time.Time{},
	}
	for _, k := range coreKinds() {
		if err := s.serve(k); err != nil {
			return nil, err
		}
	}
	if err := s.define(options.CRDDir); err != nil {
		return nil, err
	}
	for _, name := range append([]string{"default", "kube-system", "kube-public"}, options.Namespaces...) {
		if err := s.addNamespace(name); err != nil {
			return nil, err
		}
	}
	s.store.markedAt = time.Time{} // New may run before the bubble, whose clock is another one
	if options.PolicyFile == "" {
		return s, nil
	}
	var err error
	s.policies, err = readPolicies(options.PolicyFile, options.MayDo)
	return s, err
}

// serve adds a kind. Kinds of one resource share its objects.
func (s *Server) serve(k *kind) error {
	group := k.group()
	if group.Group == eventsGroup {
		group.Group = "" // as kube-apiserver stores them
	}
	k.init(s.store.table(group))
	if k.fieldManagers == nil {
		var err error
		if k.fieldManagers, err = coreFieldManagers(k); err != nil {
			return err
		}
	}
	s.kinds[k.GroupVersionResource] = k
	return nil
}

// define serves the definitions of a folder.
func (s *Server) define(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no definitions in %s", dir)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("reading a definition: %w", err)
		}
		definition := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.UnmarshalStrict(content, definition); err != nil {
			return fmt.Errorf("decoding %s: %w", file, err)
		}
		if definition.Kind != "CustomResourceDefinition" {
			continue // kustomization.yaml
		}
		k, err := customKind(definition)
		if err != nil {
			return err
		}
		if err := s.serve(k); err != nil {
			return err
		}
		o, err := definitionObject(definition)
		if err != nil {
			return err
		}
		if err := s.add(s.kinds[definitionsResource], o); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) addNamespace(name string) error {
	return s.add(s.kinds[namespacesResource], object{
		"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": name}, "spec": object{"finalizers": []any{"kubernetes"}},
		"status": object{"phase": "Active"},
	})
}

// add stores an object before the first request.
func (s *Server) add(k *kind, o object) error {
	s.identify(o)
	if _, err := k.rules.read(o); err != nil {
		return err
	}
	key := meta(o).GetName()
	_, err := s.store.commit(k.table, nil, key, o, false, Write{})
	return err
}

var (
	namespacesResource  = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	definitionsResource = apiextensionsv1.SchemeGroupVersion.WithResource("customresourcedefinitions")
)

// Subscribe calls observe for every later write, in the order of the writes, under the lock of the store: observe must return at once and
// must not call the server.
func (s *Server) Subscribe(observe func(Write)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store.observers = append(s.store.observers, observe)
}

// Requests returns how many requests of each kind arrived, faults included.
func (s *Server) Requests() map[RequestKind]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.requests)
}

// Get returns an object. It is shared: do not change it.
func (s *Server) Get(key Key) (map[string]any, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.store.table(key.Resource).versions[keyOf(key.Namespace, key.Name)]
	if v == nil {
		return nil, false
	}
	return v.object, true
}

// List returns the objects of a resource in the order of their keys, of all namespaces if namespace is empty. They are shared: do not change
// them.
func (s *Server) List(resource schema.GroupResource, namespace string) []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, objects := s.store.table(resource), []map[string]any{}
	for _, key := range t.keys {
		if o := t.versions[key].object; namespace == "" || meta(o).GetNamespace() == namespace {
			objects = append(objects, o)
		}
	}
	return objects
}

// Revision is that of the last write.
func (s *Server) Revision() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.store.revision
}

// Compact forgets the history of all writes, as etcd's compaction does: watches that would begin in the past, and further pages of lists,
// answer 410.
func (s *Server) Compact() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store.compact(s.store.revision)
}

// CutWatches cuts the connection of every watch.
func (s *Server) CutWatches() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut.send()
}

// Stored counts what the server holds: the objects, the changes in its history, and the watches.
func (s *Server) Stored() (objects, changes, watches int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.store.tables {
		objects += len(t.versions)
		changes += len(t.history)
	}
	return objects, changes, s.watches
}

// Mapper knows the kinds that the server serves, as discovery would tell.
func (s *Server) Mapper() apimeta.RESTMapper {
	s.mu.Lock()
	defer s.mu.Unlock()
	groups := []schema.GroupVersion{}
	for _, k := range s.sortedKinds() {
		if !slices.Contains(groups, k.GroupVersion()) {
			groups = append(groups, k.GroupVersion())
		}
	}
	mapper := apimeta.NewDefaultRESTMapper(groups)
	for _, k := range s.kinds {
		scope := apimeta.RESTScopeRoot
		if k.namespaced {
			scope = apimeta.RESTScopeNamespace
		}
		mapper.AddSpecific(k.gvk(), k.GroupVersionResource, k.GroupVersion().WithResource(k.kind), scope)
	}
	return mapper
}

// sortedKinds are the kinds in an order that does not change.
func (s *Server) sortedKinds() []*kind {
	return slices.SortedFunc(maps.Values(s.kinds), func(a, b *kind) int {
		return strings.Compare(a.String(), b.String())
	})
}

// keyOf is the place of a version.
func (s *Server) keyOf(t *table, v *version) Key {
	return Key{Resource: t.resource, Namespace: meta(v.object).GetNamespace(), Name: meta(v.object).GetName()}
}
