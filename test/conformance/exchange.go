// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// variables are the values for {{name}} in a suite.
type variables map[string]string

var placeholder = regexp.MustCompile(`\{\{(\w+)\}\}`)

func (v variables) expand(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		if value, ok := v[found[2:len(found)-2]]; ok {
			return value
		}
		return found
	})
}

// expandJSON replaces the variables in every string of a decoded JSON value.
func (v variables) expandJSON(value any) any {
	switch value := value.(type) {
	case string:
		return v.expand(value)
	case []any:
		expanded := make([]any, len(value))
		for i := range value {
			expanded[i] = v.expandJSON(value[i])
		}
		return expanded
	case map[string]any:
		expanded := make(map[string]any, len(value))
		for key, inner := range value {
			expanded[v.expand(key)] = v.expandJSON(inner)
		}
		return expanded
	default:
		return value
	}
}

func randomWord() string {
	var raw [5]byte
	_, _ = rand.Read(raw[:]) // never fails
	return hex.EncodeToString(raw[:])
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
	json   any
	took   time.Duration
}

// exchange sends a request and reads the answer.
func exchange(ctx context.Context, client *http.Client, method, url string, header map[string]string, body []byte) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	started := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	text, err := io.ReadAll(response.Body)
	if closeErr := response.Body.Close(); err == nil {
		err = closeErr
	}
	result := answer{status: response.StatusCode, header: response.Header, text: string(text), took: time.Since(started)}
	if len(text) > 0 && err == nil {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		err = decoder.Decode(&result.json)
	}
	return result, err
}

// at finds a property such as Resources[0].name.familyName.
func at(value any, path string) (any, error) {
	for _, step := range steps(path) {
		if i, err := strconv.Atoi(step); err == nil {
			list, ok := value.([]any)
			if !ok || i >= len(list) {
				return nil, fmt.Errorf("%s: there is no element %d", path, i)
			}
			value = list[i]
			continue
		}
		fields, ok := value.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s: nothing to look for %q in", path, step)
		}
		if value, ok = fields[step]; !ok {
			return nil, fmt.Errorf("%s is missing", path)
		}
	}
	return value, nil
}

// steps splits a path; a URN, which has dots itself, stands in quotes: ["urn:…:2.0:User"].OrganizationRole.
func steps(path string) []string {
	var result []string
	for path != "" {
		switch {
		case strings.HasPrefix(path, `["`):
			end := strings.Index(path, `"]`)
			if end < 0 {
				return append(result, path)
			}
			result, path = append(result, path[2:end]), path[end+2:]
		case path[0] == '[':
			end := strings.IndexByte(path, ']')
			if end < 0 {
				return append(result, path)
			}
			result, path = append(result, path[1:end]), path[end+1:]
		case path[0] == '.':
			path = path[1:]
		default:
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			result, path = append(result, path[:end]), path[end:]
		}
	}
	return result
}

// textOf is how a JSON value compares as text.
func textOf(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case string:
		return value
	case json.Number:
		return value.String()
	case bool:
		return strconv.FormatBool(value)
	default:
		text, err := json.Marshal(value)
		if err != nil {
			return fmt.Sprint(value)
		}
		return string(text)
	}
}
