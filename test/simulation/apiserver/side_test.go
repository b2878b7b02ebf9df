// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

type object = map[string]any

// side is one of the two servers, with what it answered in this sequence.
type side struct {
	name, base string
	clients    map[string]*http.Client
	requests   int
	// seen holds the objects that answers showed, by path.
	seen map[string][]object
	// tokens holds the last continue token of each path.
	tokens map[string]string
	// ordinals replace resourceVersions and UIDs.
	ordinals map[string]string
	streams  []*stream
}

// answer is what is compared.
type answer struct {
	code    int
	content any
}

func (s *side) forget() {
	s.seen, s.tokens, s.ordinals, s.streams = map[string][]object{}, map[string]string{}, map[string]string{}, nil
}

// do sends a step and returns its normalized answer.
func (s *side) do(ctx context.Context, next step, namespace string) (answer, error) {
	s.requests++
	path := strings.ReplaceAll(next.path, "{ns}", namespace)
	if next.name != "" && next.method != http.MethodPost {
		path += "/" + next.name
	}
	object := path
	if next.subresource != "" {
		path += "/" + next.subresource
	}
	query := strings.ReplaceAll(next.query, "$continue", s.tokens[path])
	r, err := http.NewRequestWithContext(ctx, next.method, s.base+path+"?"+query, bytes.NewReader(next.content(s, object)))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("User-Agent", "tester/1")
	if s.name == "memory" {
		r.Header.Set("Authorization", "Bearer "+next.user)
	}
	if r.Header.Set("Content-Type", "application/json"); next.contentType != "" {
		r.Header.Set("Content-Type", next.contentType)
	}
	if next.partial {
		as := "PartialObjectMetadata"
		if next.name == "" && !strings.Contains(query, "watch=") {
			as += "List"
		}
		r.Header.Set("Accept", "application/json;as="+as+";g=meta.k8s.io;v=v1,application/json")
	}
	response, err := s.clients[next.user].Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	return s.read(path, object, next, response.StatusCode, body), nil
}

// read remembers what an answer shows, and normalizes it.
func (s *side) read(path, objectPath string, next step, code int, body []byte) answer {
	var content any
	if err := json.Unmarshal(body, &content); err != nil {
		return answer{code: code, content: strings.TrimSpace(string(body))}
	}
	if o, ok := content.(object); ok {
		metadata, _ := o["metadata"].(object)
		if token, ok := metadata["continue"].(string); ok && token != "" {
			s.tokens[path] = token
		}
		if name, _ := metadata["name"].(string); code < http.StatusMultipleChoices && name != "" && !next.partial && !strings.Contains(next.query, "dryRun") {
			if next.method == http.MethodPost {
				objectPath += "/" + name
			}
			s.seen[objectPath] = append(s.seen[objectPath], o)
		}
	}
	return answer{code: code, content: s.normalize(content, "")}
}

// normalize drops what may differ: messages, times, who owns fields, and the values of versions and UIDs.
func (s *side) normalize(value any, parent string) any {
	switch value := value.(type) {
	case []any:
		result := make([]any, len(value))
		for i, item := range value {
			result[i] = s.normalize(item, parent)
		}
		return result
	case object:
		result := object{}
		for _, name := range slices.Sorted(keys(value)) {
			if item, keep := s.normalizeField(value, name, parent); keep {
				result[name] = item
			}
		}
		return result
	}
	return value
}

func (s *side) normalizeField(o object, name, parent string) (any, bool) {
	value := o[name]
	switch {
	case name == "message" && o["status"] != "True" && o["status"] != "False" || name == "managedFields":
		return nil, false
	case name == "creationTimestamp" || name == "deletionTimestamp":
		return value != nil, value != nil
	case name == "resourceVersion" && parent == "metadata" && o["name"] == nil:
		return "of the store", true
	case name == "continue":
		return "token", value != ""
	case name == "resourceVersion" || name == "uid" && value != "":
		return s.ordinal(name, fmt.Sprint(value)), true
	case name == "name" && (o["generateName"] != nil || parent == "details" && strings.HasPrefix(fmt.Sprint(value), "z-")):
		return "generated", true
	case name == "causes":
		return causes(value.([]any)), true
	}
	return s.normalize(value, name), true
}

func (s *side) ordinal(kind, value string) string {
	if _, known := s.ordinals[value]; !known {
		s.ordinals[value] = fmt.Sprintf("%s %d", kind, len(s.ordinals))
	}
	return s.ordinals[value]
}

func causes(list []any) []any {
	texts := []any{}
	for _, item := range list {
		cause := item.(object)
		texts = append(texts, fmt.Sprintf("%v at %v", cause["reason"], cause["field"]))
	}
	slices.SortFunc(texts, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
	return slices.Compact(texts)
}

// last is the newest or the oldest known version of an object, nil if there is none.
func (s *side) last(path string, stale bool) object {
	seen := s.seen[path]
	switch {
	case len(seen) == 0:
		return nil
	case stale:
		return seen[0]
	}
	return seen[len(seen)-1]
}

// revision is the store's, once the definition is served.
func (s *side) revision(t *testing.T) string {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		body, err := s.raw(t.Context(), strings.ReplaceAll(users.path, "{ns}", "default"), false)
		if err != nil {
			t.Fatal(err)
		}
		list := object{}
		err = json.NewDecoder(body).Decode(&list)
		_ = body.Close()
		if revision := fromMetadata(list, "resourceVersion", ""); err == nil && revision != "" {
			return revision
		}
	}
	t.Fatal("the definition is not served")
	return ""
}

// stream is a watch.
type stream struct {
	plan   watchPlan
	mu     sync.Mutex
	events []object
}

func (s *stream) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.events)
}

// watch begins a watch, which ends with ctx.
func (s *side) watch(ctx context.Context, plan watchPlan, namespace string) error {
	path := strings.ReplaceAll(plan.path, "{ns}", namespace)
	query := plan.query
	if plan.fromList {
		list, err := s.raw(ctx, path, plan.partial)
		if err != nil {
			return err
		}
		defer func() { _ = list.Close() }()
		decoded := object{}
		if err := json.NewDecoder(list).Decode(&decoded); err != nil {
			return err
		}
		query += fmt.Sprintf("&resourceVersion=%v", decoded["metadata"].(object)["resourceVersion"])
	}
	body, err := s.raw(ctx, path+"?watch=1&"+query, plan.partial)
	if err != nil {
		return err
	}
	stream := &stream{plan: plan}
	s.streams = append(s.streams, stream)
	go func() {
		defer func() { _ = body.Close() }()
		for lines := bufio.NewReader(body); ; {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				return
			}
			event := object{}
			if json.Unmarshal(line, &event) != nil {
				event["broken"] = string(line)
			}
			if event["type"] == "BOOKMARK" && !strings.Contains(string(line), "initial-events-end") {
				continue // it comes when the server likes
			}
			stream.mu.Lock()
			stream.events = append(stream.events, event)
			stream.mu.Unlock()
		}
	}()
	return nil
}

func (s *side) raw(ctx context.Context, path string, partial bool) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path, nil)
	if err != nil {
		return nil, err
	}
	if partial {
		r.Header.Set("Accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")
	}
	response, err := s.clients[admin].Do(r)
	if err != nil {
		return nil, err
	}
	return response.Body, nil
}

func (s *side) normalized(stream *stream) answer {
	stream.mu.Lock()
	defer stream.mu.Unlock()
	events := []any{}
	for _, event := range stream.events {
		events = append(events, s.normalize(event, ""))
	}
	return answer{code: http.StatusOK, content: events}
}
