// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"
)

// listDelay is how long another replica may take to show a write in a list.
const listDelay = 2 * time.Second

// transcript is an exchange as it goes over the wire, request and expected answer.
type transcript struct {
	Name string `json:"name"`
	// Source says where the shapes come from.
	Source string            `json:"source"`
	Header map[string]string `json:"header"`
	Steps  []step            `json:"steps"`
}

type step struct {
	Note    string            `json:"note"`
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Header  map[string]string `json:"header"`
	Body    any               `json:"body"`
	RawBody string            `json:"rawBody"`
	Expect  expectation       `json:"expect"`
	// Capture stores properties of the answer as variables.
	Capture map[string]string `json:"capture"`
	// List says that the answer may lag behind other replicas, so that it is asked for again for a while.
	List bool `json:"list"`
}

// expectation is what an answer must look like. Body is matched as a subset: objects may have more keys, lists must have the same
// elements in the same order. "{{any}}" matches whatever is not empty, "{{absent}}" a key that must not be there.
type expectation struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header"`
	Body   any               `json:"body"`
}

func readTranscripts(folder fs.FS) ([]*transcript, error) {
	names, err := fs.Glob(folder, "*.json")
	if err != nil {
		return nil, fmt.Errorf("finding transcripts: %w", err)
	}
	var all []*transcript
	for _, name := range names {
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, fmt.Errorf("reading transcript: %w", err)
		}
		t := &transcript{Name: strings.TrimSuffix(name, ".json")}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(t); err != nil {
			return nil, fmt.Errorf("reading transcript %s: %w", name, err)
		}
		all = append(all, t)
	}
	if len(all) == 0 {
		return nil, errors.New("there are no transcripts")
	}
	return all, nil
}

// play sends the requests in order; {{run}} is a word of this run alone.
func (t *transcript) play(ctx context.Context, target *Target) Result {
	result := Result{Suite: t.Name}
	known := variables{"run": randomWord(), "token": target.Token}
	for i, step := range t.Steps {
		if err := t.playStep(ctx, target, known, step); err != nil {
			result.failed("%s, step %d (%s %s, %s): %v", t.Name, i+1, step.Method, known.expand(step.Path), step.Note, err)
			continue
		}
		result.passed()
	}
	return result
}

func (t *transcript) playStep(ctx context.Context, target *Target, known variables, s step) error {
	deadline := time.Now().Add(listDelay)
	for {
		got, err := t.send(ctx, target, known, s)
		if err == nil {
			err = s.Expect.check(got, known)
		}
		if err == nil {
			return s.capture(got, known)
		}
		if !s.List || time.Now().After(deadline) {
			return fmt.Errorf("%w; answer %d %s", err, got.status, got.text)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (t *transcript) send(ctx context.Context, target *Target, known variables, s step) (answer, error) {
	body := []byte(known.expand(s.RawBody))
	if s.Body != nil {
		var err error
		if body, err = json.Marshal(known.expandJSON(s.Body)); err != nil {
			return answer{}, err
		}
	}
	header := map[string]string{"Authorization": "Bearer " + target.Token}
	for _, more := range []map[string]string{t.Header, s.Header} {
		for name, value := range more {
			header[name] = known.expand(value)
		}
	}
	if len(body) == 0 {
		delete(header, "Content-Type")
	}
	return exchange(ctx, target.client(), s.Method, target.nextURL()+known.expand(s.Path), header, body)
}

func (s step) capture(got answer, known variables) error {
	for name, path := range s.Capture {
		value, err := at(got.json, path)
		if err != nil {
			return err
		}
		known[name] = textOf(value)
	}
	return nil
}

func (e expectation) check(got answer, known variables) error {
	if got.status != e.Status {
		return fmt.Errorf("status %d expected", e.Status)
	}
	if got.text != "" && got.header.Get("Content-Type") != "application/scim+json" {
		return fmt.Errorf("content type %q", got.header.Get("Content-Type"))
	}
	for name, value := range e.Header {
		if got.header.Get(name) != known.expand(value) {
			return fmt.Errorf("header %s: %q expected, got %q", name, known.expand(value), got.header.Get(name))
		}
	}
	return match("", known.expandJSON(e.Body), got.json)
}

// match compares an answer with what is expected of it.
func match(path string, wanted, got any) error {
	switch wanted := wanted.(type) {
	case nil:
		return nil
	case map[string]any:
		fields, ok := got.(map[string]any)
		if !ok {
			return fmt.Errorf("%s must be an object", path)
		}
		return matchFields(path, wanted, fields)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(wanted) {
			return fmt.Errorf("%s must have %d elements, got %s", path, len(wanted), textOf(got))
		}
		for i := range wanted {
			if err := match(fmt.Sprintf("%s[%d]", path, i), wanted[i], list[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if wanted == "{{any}}" && notEmpty(got) {
		return nil
	}
	if fmt.Sprintf("%T", wanted) != fmt.Sprintf("%T", got) || textOf(wanted) != textOf(got) {
		return fmt.Errorf("%s: %s expected, got %s", path, textOf(wanted), textOf(got))
	}
	return nil
}

func matchFields(path string, wanted, got map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		inner := path + "." + name
		value, there := got[name]
		if wanted[name] == "{{absent}}" {
			if there {
				return fmt.Errorf("%s must not be there, got %s", inner, textOf(value))
			}
			continue
		}
		if !there {
			return fmt.Errorf("%s is missing", inner)
		}
		if err := match(inner, wanted[name], value); err != nil {
			return err
		}
	}
	return nil
}
