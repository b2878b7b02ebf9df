// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

//go:embed testdata/okta-scim-2.0-spec-test.json
var oktaSuiteJSON []byte

// oktaSuite is Okta's Runscope suite as the file has it.
type oktaSuite struct {
	Steps []oktaStep `json:"steps"`
}

type oktaStep struct {
	Note       string            `json:"note"`
	Method     string            `json:"method"`
	URL        string            `json:"url"`
	Headers    map[string]string `json:"headers"`
	Body       any               `json:"body"`
	Assertions []oktaAssertion   `json:"assertions"`
	Variables  []oktaVariable    `json:"variables"`
}

type oktaAssertion struct {
	Source     string `json:"source"`
	Property   string `json:"property"`
	Comparison string `json:"comparison"`
	Value      any    `json:"value"`
}

type oktaVariable struct {
	Name     string `json:"name"`
	Property string `json:"property"`
}

// RunOkta plays Okta's SCIM 2.0 SPEC test. The suite needs an existing user, so RunOkta creates one first.
func RunOkta(ctx context.Context, target *Target) Result {
	result := Result{Suite: "okta-spec"}
	var suite oktaSuite
	if err := json.Unmarshal(oktaSuiteJSON, &suite); err != nil {
		result.failed("reading the suite: %v", err)
		return result
	}
	if err := createSomebody(ctx, target); err != nil {
		result.failed("creating a user before the suite: %v", err)
		return result
	}
	known := oktaVariables(target)
	for _, step := range suite.Steps {
		known["SCIMBaseURL"] = target.nextURL()
		if err := step.play(ctx, target.client(), known); err != nil {
			result.failed("%s: %v", step.Note, err)
			continue
		}
		result.passed()
	}
	return result
}

func oktaVariables(target *Target) variables {
	user := randomWord() + "@example.com"
	return variables{
		"auth":                   "Bearer " + target.Token,
		"InvalidUserEmail":       "nobody." + randomWord() + "@example.com",
		"UserIdThatDoesNotExist": randomWord(),
		"randomEmail":            user,
		"randomUsername":         user,
		"randomUsernameCaps":     strings.ToUpper(user),
		"randomGivenName":        "Given" + randomWord(),
		"randomFamilyName":       "Family" + randomWord(),
	}
}

func createSomebody(ctx context.Context, target *Target) error {
	body := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"somebody.%s@example.com","name":{"givenName":"Some","familyName":"Body"},"active":true}`, randomWord())
	header := map[string]string{"Authorization": "Bearer " + target.Token, "Content-Type": "application/scim+json"}
	for _, base := range target.BaseURLs[:1] {
		got, err := exchange(ctx, target.client(), http.MethodPost, base+"/Users", header, []byte(body))
		if err != nil {
			return err
		}
		if got.status != http.StatusCreated {
			return fmt.Errorf("status %d: %s", got.status, got.text)
		}
	}
	return waitListed(ctx, target, header)
}

// waitListed waits until every replica lists a user, which takes at most a second.
func waitListed(ctx context.Context, target *Target, header map[string]string) error {
	deadline := time.Now().Add(5 * time.Second)
	for _, base := range target.BaseURLs {
		for {
			got, err := exchange(ctx, target.client(), http.MethodGet, base+"/Users?count=1", header, nil)
			if err != nil {
				return err
			}
			if _, err := at(got.json, "Resources[0].id"); err == nil {
				break
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("%s lists nobody", base)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	return nil
}

func (s oktaStep) play(ctx context.Context, client *http.Client, known variables) error {
	var body []byte
	if s.Body != nil {
		var err error
		if body, err = json.Marshal(known.expandJSON(s.Body)); err != nil {
			return err
		}
	}
	header := map[string]string{}
	for name, value := range s.Headers {
		header[name] = known.expand(value)
	}
	got, err := exchange(ctx, client, s.Method, percentEncoded(known.expand(s.URL)), header, body)
	if err != nil {
		return err
	}
	for _, assertion := range s.Assertions {
		if err := assertion.check(got, known); err != nil {
			return fmt.Errorf("%w; answer %d %s", err, got.status, got.text)
		}
	}
	for _, variable := range s.Variables {
		value, err := at(got.json, variable.Property)
		if err != nil {
			return err
		}
		known[variable.Name] = textOf(value)
	}
	return nil
}

// percentEncoded encodes the filter of a URL as it goes over the wire.
func percentEncoded(text string) string {
	before, filter, found := strings.Cut(text, "filter=")
	if !found {
		return text
	}
	return before + "filter=" + strings.ReplaceAll(url.QueryEscape(filter), "+", "%20")
}

func (a oktaAssertion) check(got answer, known variables) error {
	value, err := a.actual(got)
	if err != nil {
		return err
	}
	wanted := known.expand(textOf(normalNumber(a.Value)))
	ok := false
	switch a.Comparison {
	case "equal", "equal_number":
		ok = textOf(value) == wanted
	case "not_empty":
		ok = notEmpty(value)
	case "is_a_number":
		_, ok = value.(json.Number)
	case "has_value", "contains":
		ok = hasValue(value, wanted)
	case "is_less_than":
		limit, _ := strconv.ParseFloat(wanted, 64)
		number, _ := strconv.ParseFloat(textOf(value), 64)
		ok = number < limit
	}
	if !ok {
		return fmt.Errorf("%s %s: %s %s expected, got %s", a.Source, a.Property, a.Comparison, wanted, textOf(value))
	}
	return nil
}

func (a oktaAssertion) actual(got answer) (any, error) {
	switch a.Source {
	case "status":
		return json.Number(strconv.Itoa(got.status)), nil
	case "time_ms":
		return json.Number(strconv.FormatInt(got.took.Milliseconds(), 10)), nil
	default:
		return at(got.json, a.Property)
	}
}

func normalNumber(value any) any {
	if number, ok := value.(float64); ok {
		return json.Number(strconv.FormatFloat(number, 'f', -1, 64))
	}
	return value
}

func notEmpty(value any) bool {
	switch value := value.(type) {
	case nil:
		return false
	case string:
		return value != ""
	case []any:
		return len(value) > 0
	case map[string]any:
		return len(value) > 0
	default:
		return true
	}
}

func hasValue(value any, wanted string) bool {
	list, ok := value.([]any)
	if !ok {
		return strings.Contains(textOf(value), wanted)
	}
	for _, element := range list {
		if textOf(element) == wanted {
			return true
		}
	}
	return false
}
