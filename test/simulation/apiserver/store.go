// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sort"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	// firstRevision is above 1, so that a watch from revision 1 begins before the history, as on a real server.
	firstRevision = 1000
	// compactionInterval is kube-apiserver's: etcd keeps the history of the last one to two intervals.
	compactionInterval = 5 * time.Minute
	// maxObjectBytes is etcd's limit of a request.
	maxObjectBytes = 1536 * 1024
)

// errTooLarge is what etcd answers, which kube-apiserver passes on as a 500.
var errTooLarge = errors.New("etcdserver: request is too large")

// object is a decoded resource. A stored one never changes: a write stores another one, and both may share parts.
type object = map[string]any

// version is one stored version of an object.
type version struct {
	key      string // namespace/name, or name
	object   object
	revision int64
	// body is the object as JSON without apiVersion and kind.
	body []byte
	// completed says that defaults were added when it was stored. A real server adds them when it reads, so that its next write differs from
	// what is stored, even if it changes nothing.
	completed bool

	partialOnce sync.Once
	partialBody []byte
}

// newVersion encodes an object, which gets the revision as its resourceVersion, unless that is 0.
func newVersion(key string, o object, revision int64) (*version, error) {
	o = maps.Clone(o)
	metadata := maps.Clone(metadataOf(o))
	if metadata["resourceVersion"] = strconv.FormatInt(revision, 10); revision == 0 {
		delete(metadata, "resourceVersion")
	}
	o["metadata"] = metadata
	untyped := maps.Clone(o)
	delete(untyped, "apiVersion")
	delete(untyped, "kind")
	body, err := json.Marshal(untyped)
	if err != nil {
		return nil, err
	}
	return &version{key: key, object: o, revision: revision, body: body}, nil
}

// partial is the metadata as JSON.
func (v *version) partial() []byte {
	v.partialOnce.Do(func() {
		v.partialBody, _ = json.Marshal(object{"metadata": metadataOf(v.object)}) // it was decoded from JSON
	})
	return v.partialBody
}

// tombstone is the version as a watch shows it when it is gone.
func (v *version) tombstone(revision int64) *version {
	gone, err := newVersion(v.key, v.object, revision)
	if err != nil {
		panic(err) // it was encoded before
	}
	return gone
}

// change is a write in the history of a table. before is nil if the object was created, after is nil if it was removed.
type change struct {
	revision      int64
	before, after *version
}

// table holds the objects of one resource.
type table struct {
	resource schema.GroupResource
	versions map[string]*version
	keys     []string // sorted
	// history holds the changes after the revision compacted, in their order.
	history   []change
	compacted int64
	changed   signal
}

// signal tells the goroutines that wait for it. Its channel is made by the first of them, so that it belongs to their bubble.
type signal struct{ channel chan struct{} }

func (s *signal) wait() <-chan struct{} {
	if s.channel == nil {
		s.channel = make(chan struct{})
	}
	return s.channel
}

func (s *signal) send() {
	if s.channel != nil {
		close(s.channel)
		s.channel = nil
	}
}

func newTable(resource schema.GroupResource) *table {
	return &table{resource: resource, versions: map[string]*version{}, compacted: firstRevision}
}

func (t *table) put(v *version) {
	if _, known := t.versions[v.key]; !known {
		at, _ := slices.BinarySearch(t.keys, v.key)
		t.keys = slices.Insert(t.keys, at, v.key)
	}
	t.versions[v.key] = v
}

func (t *table) remove(key string) {
	delete(t.versions, key)
	if at, found := slices.BinarySearch(t.keys, key); found {
		t.keys = slices.Delete(t.keys, at, at+1)
	}
}

func (t *table) record(c change) {
	t.history = append(t.history, c)
	t.changed.send()
}

// since returns the changes after a revision; ok is false if some of them were forgotten. The slice must not be changed.
func (t *table) since(revision int64) (changes []change, ok bool) {
	at := sort.Search(len(t.history), func(i int) bool { return t.history[i].revision > revision })
	return t.history[at:len(t.history):len(t.history)], revision >= t.compacted
}

// at returns the versions of a revision in the order of their keys; ok is false if the history no longer reaches back to it.
func (t *table) at(revision int64) (versions []*version, ok bool) {
	later, ok := t.since(revision)
	if !ok {
		return nil, false
	}
	state, keys := t.versions, t.keys
	if len(later) > 0 {
		state = maps.Clone(state)
		for _, c := range slices.Backward(later) {
			if c.after != nil {
				delete(state, c.after.key)
			}
			if c.before != nil {
				state[c.before.key] = c.before
			}
		}
		keys = slices.Sorted(maps.Keys(state))
	}
	versions = make([]*version, len(keys))
	for i, key := range keys {
		versions[i] = state[key]
	}
	return versions, true
}

// compact forgets the changes up to a revision.
func (t *table) compact(revision int64) {
	kept, _ := t.since(revision)
	t.history, t.compacted = slices.Clone(kept), max(t.compacted, revision)
}

// store holds everything. Its methods need the lock of the server.
type store struct {
	tables   map[schema.GroupResource]*table
	revision int64
	// marked is the revision of the last compaction's time, which the next compaction compacts to.
	marked    int64
	markedAt  time.Time
	observers []func(Write)
	removed   signal
}

// table returns the table of a resource.
func (s *store) table(resource schema.GroupResource) *table {
	t := s.tables[resource]
	if t == nil {
		t = newTable(resource)
		t.compacted = max(t.compacted, s.revision)
		s.tables[resource] = t
	}
	return t
}

// commit stores an object, or removes it if after is nil, and tells the observers. It returns the version that is stored now, or the
// tombstone. completed says whether the object has defaults that the request did not store.
func (s *store) commit(t *table, before *version, key string, after object, completed bool, write Write) (*version, error) {
	revision := s.revision + 1
	c := change{revision: revision, before: before}
	var result *version
	if after == nil {
		result = before.tombstone(revision)
		t.remove(key)
		s.removed.send()
	} else {
		stored, err := newVersion(key, after, revision)
		if err != nil {
			return nil, err
		}
		if len(stored.body) > maxObjectBytes {
			return nil, errTooLarge
		}
		stored.completed = completed
		t.put(stored)
		c.after, result, write.New = stored, stored, stored.object
	}
	s.revision = revision
	t.record(c)
	if before != nil {
		write.Old = before.object
	}
	write.Revision, write.Time = revision, time.Now()
	for _, observe := range s.observers {
		observe(write)
	}
	s.compactOld(write.Time)
	return result, nil
}

// compactOld does what kube-apiserver does every five minutes, when the next write comes.
func (s *store) compactOld(now time.Time) {
	if now.Sub(s.markedAt) < compactionInterval {
		return
	}
	s.compact(s.marked)
	s.marked, s.markedAt = s.revision, now
}

func (s *store) compact(revision int64) {
	for _, t := range s.tables {
		t.compact(revision)
	}
}

func metadataOf(o object) object {
	metadata, _ := o["metadata"].(object)
	return metadata
}

// meta gives access to the metadata of an object.
func meta(o object) *unstructured.Unstructured { return &unstructured.Unstructured{Object: o} }

func keyOf(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}
