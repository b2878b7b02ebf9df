// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"strings"

	"pgregory.net/rapid"
)

// where the body of a step comes from.
const (
	fromNothing  = ""
	fromTemplate = "template"
	fromFresh    = "fresh"
	fromStale    = "stale"
)

// step is one request. {ns} in its path is the namespace of the sequence.
type step struct {
	user, method, path, query, contentType string
	name, subresource                      string
	partial                                bool
	// body is sent as it is, if it is given; else the body is made from base with the changes. In both, "$rv", "$stale" and "$uid" are those
	// of the object.
	kind    testKind
	base    string
	changes []change
	body    string
}

// change sets a field.
type change struct {
	path  string // with dots
	value any    // nil removes the field
}

func (s step) String() string {
	text := fmt.Sprintf("%.5s %s %s", s.user, s.method, s.path)
	for _, part := range []string{s.name, s.subresource} {
		if part != "" {
			text += "/" + part
		}
	}
	if s.query != "" {
		text += "?" + s.query
	}
	if s.partial {
		text += " as PartialObjectMetadata"
	}
	if s.contentType != "" {
		text += " " + s.contentType
	}
	if s.base != fromNothing {
		text += fmt.Sprintf(" %s with %v", s.base, s.changes)
	}
	return text + " " + s.body
}

// content is the body of a step for one side.
func (s step) content(side *side, path string) []byte {
	text := s.body
	if s.base != fromNothing {
		var o object
		if s.base != fromTemplate {
			o = copied(side.last(path, s.base == fromStale))
		}
		if o == nil {
			o = copied(s.kind.template)
			o["metadata"] = object{"name": s.name}
		}
		for _, c := range s.changes {
			set(o, c.path, c.value)
		}
		encoded, err := json.Marshal(o)
		if err != nil {
			panic(err)
		}
		text = string(encoded)
	}
	for mark, stale := range map[string]bool{"$rv": false, "$stale": true} {
		text = strings.ReplaceAll(text, mark, fromMetadata(side.last(path, stale), "resourceVersion", "1"))
	}
	return []byte(strings.ReplaceAll(text, "$uid", fromMetadata(side.last(path, false), "uid", "none")))
}

func copied(o object) object {
	if o == nil {
		return nil
	}
	result := object{}
	if err := json.Unmarshal([]byte(encode(o)), &result); err != nil {
		panic(err)
	}
	return result
}

func fromMetadata(o object, name, otherwise string) string {
	metadata, _ := o["metadata"].(object)
	if value, ok := metadata[name].(string); ok {
		return value
	}
	return otherwise
}

func set(o object, path string, value any) {
	names := strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		next, ok := o[name].(object)
		if !ok {
			next = object{}
			o[name] = next
		}
		o = next
	}
	if o[names[len(names)-1]] = value; value == nil {
		delete(o, names[len(names)-1])
	}
}

// testKind is what a sequence knows of a kind.
type testKind struct {
	path      string
	template  object
	changes   []change // of what a PUT or PATCH may change
	status    []change
	selectors []string
	custom    bool
}

const iam = "/apis/iam.lambdatest.io/v1alpha1/namespaces/{ns}/"

func iamObject(kind string, spec object) object {
	return object{"apiVersion": "iam.lambdatest.io/v1alpha1", "kind": kind, "spec": spec}
}

var metaChanges = []change{
	{"metadata.labels", object{"team": "one"}},
	{"metadata.labels", object{"team": "two", "a/b": "c"}},
	{"metadata.labels", object{"iam.lambdatest.io/source": "scim"}},
	{"metadata.labels", object{"bad label!": "x"}},
	{"metadata.labels", object{"number": 3}},
	{"metadata.labels", nil},
	{"metadata.annotations", object{"note": "x"}},
	{"metadata.annotations", object{}},
	{"metadata.finalizers", []any{"iam.lambdatest.io/finalizer"}},
	{"metadata.finalizers", []any{"iam.lambdatest.io/finalizer", "example.com/other"}},
	{"metadata.finalizers", []any{}},
	{"metadata.finalizers", nil},
	{"metadata.finalizers", []any{"not/a/name"}},
	{"metadata.generation", 7},
	{"metadata.creationTimestamp", nil},
	{"metadata.deletionTimestamp", "2020-01-01T00:00:00Z"},
	{"metadata.uid", "other"},
	{"metadata.uid", nil},
	{"metadata.resourceVersion", nil},
	{"metadata.resourceVersion", "1"},
	{"metadata.resourceVersion", "nonsense"},
	{"metadata.name", "another"},
	{"metadata.namespace", "another"},
	{"metadata.unknown", "x"},
	{"metadata.ownerReferences", []any{object{"apiVersion": "v1", "kind": "Secret", "name": "x", "uid": "y"}}},
	{"metadata.ownerReferences", []any{object{"apiVersion": "v1", "kind": "Secret", "name": ""}}},
	{"apiVersion", "v2"},
	{"apiVersion", nil},
	{"kind", "Other"},
	{"kind", nil},
	{"kind", 3},
	{"unknown", object{"x": 1}},
}

func condition(kind, state string) object {
	return object{"type": kind, "status": state, "reason": "Reason", "message": "m", "lastTransitionTime": "2026-01-01T00:00:00Z"}
}

var statusChanges = []change{
	{"status.observedGeneration", 1},
	{"status.observedGeneration", 2},
	{"status.observedGeneration", "one"},
	{"status.observedGeneration", nil},
	{"status.lastHandledReconcileAt", "now"},
	{"status.conditions", []any{condition("Ready", "True")}},
	{"status.conditions", []any{condition("Ready", "False"), condition("Synced", "True")}},
	{"status.conditions", []any{condition("Ready", "True"), condition("Ready", "True")}},
	{"status.conditions", []any{condition("Ready", "Perhaps")}},
	{"status.conditions", []any{object{"type": "Ready"}}},
	{"status.conditions", nil},
	{"status.unknown", "x"},
	{"status", nil},
	{"status", object{}},
	{"status", "text"},
	{"spec.externalId", "from status"},
	{"metadata.labels", object{"team": "status"}},
	{"metadata.resourceVersion", nil},
}

var users = testKind{
	path: iam + "lambdatestusers", custom: true,
	template:  iamObject("LambdaTestUser", object{"userName": "ada@example.com", "name": object{"givenName": "Ada", "familyName": "Lovelace"}}),
	selectors: []string{"spec.userName=ada@example.com", "spec.organizationRef.name=default", "spec.role=Admin", "metadata.name=a"},
	status:    statusChanges,
	changes: []change{
		{"spec.active", true}, {"spec.active", false}, {"spec.active", "yes"}, {"spec.active", nil},
		{"spec.role", "Admin"}, {"spec.role", "King"}, {"spec.role", nil},
		{"spec.externalId", "x"}, {"spec.externalId", strings.Repeat("x", 300)}, {"spec.externalId", nil},
		{"spec.userName", "grace@example.com"}, {"spec.userName", " x"}, {"spec.userName", ""},
		{"spec.name", object{"givenName": "A"}}, {"spec.name", object{"givenName": "A", "familyName": "B", "middle": "C"}}, {"spec.name", nil},
		{"spec.emails", []any{object{"value": "a@example.com", "primary": true}}}, {"spec.emails", []any{object{}}}, {"spec.emails", []any{}},
		{"spec.deletedAt", "2026-01-01T00:00:00Z"}, {"spec.deletedAt", "yesterday"}, {"spec.deletionPolicy", "Orphan"},
		{"spec.deletionPolicy", nil}, {"spec.organizationRef", object{"name": "other"}}, {"spec.organizationRef", object{}},
		{"spec.unknown", 1}, {"spec", nil}, {"status.observedGeneration", 9},
	},
}

var groups = testKind{
	path: iam + "lambdatestgroups", custom: true,
	template:  iamObject("LambdaTestGroup", object{"displayName": "Group"}),
	selectors: []string{"spec.displayName=Group", "spec.displayName!=Group", "metadata.namespace={ns}"},
	status:    statusChanges,
	changes: []change{
		{"spec.members", []any{"a@example.com", "b@example.com"}}, {"spec.members", []any{"a@example.com"}}, {"spec.members", []any{""}},
		{"spec.members", nil}, {"spec.members", []any{}}, {"spec.members", []any{nil}}, {"spec.roles", []any{"Admin", "User"}},
		{"spec.roles", []any{"Admin", "Admin"}}, {"spec.roles", []any{"King"}}, {"spec.displayName", "Other"}, {"spec.displayName", ""},
		{"spec.displayName", nil}, {"spec.deletionPolicy", "Orphan"},
	},
}

var organizations = testKind{
	path: iam + "lambdatestorganizations", custom: true,
	template:  iamObject("LambdaTestOrganization", object{"tokenSecretRef": object{"name": "token"}}),
	selectors: []string{"metadata.name=b"},
	status:    statusChanges[5:],
	changes: []change{
		{"spec.baseURL", "https://example.com"}, {"spec.baseURL", "ftp://example.com"}, {"spec.rateLimit.burst", 5}, {"spec.rateLimit.burst", 5000},
		{"spec.rateLimit.burst", 1.5}, {"spec.rateLimit", nil}, {"spec.syncInterval", "1m"}, {"spec.syncInterval", "1ms"}, {"spec.suspend", true},
		{"spec.scim.limits", nil}, {"spec.scim", object{"tokenSecretRef": object{}}}, {"spec.tokenSecretRef", nil},
	},
}

var secrets = testKind{
	path:      "/api/v1/namespaces/{ns}/secrets",
	template:  object{"apiVersion": "v1", "kind": "Secret", "data": object{"a": "eA=="}},
	selectors: []string{"type=Opaque", "type!=Opaque"},
	changes: []change{
		{"data", object{"b": "eQ=="}}, {"data", object{"b": "not base64!"}}, {"data", object{"bad key!": "eQ=="}}, {"data", nil},
		{"stringData", object{"a": "text"}}, {"type", "example.com/type"}, {"type", nil}, {"immutable", true}, {"immutable", nil}, {"data", 3},
	},
}

var leases = testKind{
	path:      "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases",
	template:  object{"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": object{"holderIdentity": "one", "leaseDurationSeconds": 15}},
	selectors: []string{"metadata.name=a"},
	changes: []change{
		{"spec.holderIdentity", "two"}, {"spec.holderIdentity", nil}, {"spec.leaseDurationSeconds", 0}, {"spec.leaseDurationSeconds", "x"},
		{"spec.leaseTransitions", 1}, {"spec.leaseTransitions", -1}, {"spec.renewTime", "2026-01-01T00:00:00.000001Z"}, {"spec.renewTime", "now"},
		{"spec", nil},
	},
}

var configMaps = testKind{
	path:      "/api/v1/namespaces/{ns}/configmaps",
	template:  object{"apiVersion": "v1", "kind": "ConfigMap", "data": object{"a": "x"}},
	selectors: []string{"metadata.name=a"},
	changes:   []change{{"data", object{"b": "y"}}, {"data", object{"bad key!": "y"}}, {"data", nil}, {"immutable", true}, {"data.a", 3}},
}

var newEvents = testKind{
	path: "/apis/events.k8s.io/v1/namespaces/{ns}/events",
	template: object{
		"apiVersion": "events.k8s.io/v1", "kind": "Event", "eventTime": "2026-01-01T00:00:00.000000Z", "action": "Act", "reason": "Reason", "type": "Normal",
		"reportingController": "example.com/c", "reportingInstance": "i", "note": "text", "regarding": object{"kind": "Secret", "namespace": "{ns}", "name": "a"},
	},
	changes: []change{
		{"series", object{"count": 2, "lastObservedTime": "2026-01-01T00:00:00.000000Z"}}, {"series", object{"count": 1}}, {"note", "other"},
		{"type", "Strange"}, {"reason", ""}, {"eventTime", nil},
	},
}

// oldEvents are the same objects.
var oldEvents = testKind{
	path:      "/api/v1/namespaces/{ns}/events",
	template:  object{"apiVersion": "v1", "kind": "Event", "involvedObject": object{"kind": "Secret", "namespace": "other", "name": "a"}},
	selectors: []string{"involvedObject.name=a", "reason=Reason"},
	changes:   []change{{"message", "text"}, {"count", 2}},
}

var testKinds = []testKind{
	users, users, users, groups, groups, organizations, secrets, leases, configMaps, newEvents, oldEvents,
}

// watchPlan is a watch of a sequence.
type watchPlan struct {
	path, query string
	fromList    bool
	partial     bool
}

const initial = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"

var watchPlans = []watchPlan{
	{path: users.path, query: initial},
	{path: users.path, fromList: true},
	{path: users.path, query: initial, partial: true},
	{path: users.path, query: "labelSelector=team%3Done", fromList: true},
	{path: users.path, query: "fieldSelector=spec.userName%3Dada@example.com&" + initial},
	{path: groups.path, query: "labelSelector=team,team!%3Dtwo&" + initial},
	{path: groups.path, query: "allowWatchBookmarks=true"},
	{path: secrets.path, query: initial, partial: true},
	{path: secrets.path, query: initial},
	{path: leases.path, query: initial},
	{path: users.path, query: "resourceVersion=1"},
}

// drawStep draws a request.
func drawStep(rt *rapid.T) step {
	kind := testKinds[rapid.IntRange(0, len(testKinds)-1).Draw(rt, "kind")]
	s := step{user: operator, path: kind.path, kind: kind}
	if rapid.IntRange(0, 3).Draw(rt, "user") == 0 {
		s.user = admin
	}
	s.name = rapid.SampledFrom([]string{"a", "a", "b", "scim-c"}).Draw(rt, "name")
	s.partial = rapid.IntRange(0, 5).Draw(rt, "partial") == 0
	draws := []func(*rapid.T, *step){
		drawCreate, drawCreate, drawCreate, drawUpdate, drawUpdate, drawMerge, drawMerge, drawMerge, drawJSONPatch, drawStrategic, drawApply,
		drawDelete, drawGet, drawList, drawList, drawDeleteCollection,
	}
	draws[rapid.IntRange(0, len(draws)-1).Draw(rt, "verb")](rt, &s)
	if rapid.IntRange(0, 9).Draw(rt, "dry") == 0 && s.method != http.MethodGet {
		s.query += "&dryRun=All"
	}
	if rapid.IntRange(0, 9).Draw(rt, "strict") == 0 && s.method != http.MethodGet && s.method != http.MethodDelete {
		s.query += "&fieldValidation=Strict"
	}
	return s
}

func drawChanges(rt *rapid.T, of ...[]change) []change {
	all := []change{}
	for _, some := range of {
		all = append(all, some...)
	}
	return rapid.SliceOfN(rapid.SampledFrom(all), 0, 2).Draw(rt, "changes")
}

func drawCreate(rt *rapid.T, s *step) {
	s.method, s.base = http.MethodPost, fromTemplate
	s.changes = drawChanges(rt, s.kind.changes, s.kind.changes, metaChanges)
	if rapid.IntRange(0, 9).Draw(rt, "generate") == 0 {
		s.changes = append(s.changes, change{"metadata.name", nil}, change{"metadata.generateName", "z-"})
		s.query = "dryRun=All"
	}
	if rapid.IntRange(0, 19).Draw(rt, "elsewhere") == 0 {
		s.path = strings.Replace(s.path, "{ns}", "nowhere", 1)
	}
	if rapid.IntRange(0, 29).Draw(rt, "garbage") == 0 {
		s.base, s.body = fromNothing, rapid.SampledFrom([]string{"", "{", "[]", "null", `"x"`, `{"metadata":3}`, `{"kind":"Secret"}`}).Draw(rt, "body")
	}
}

func drawUpdate(rt *rapid.T, s *step) {
	s.method = http.MethodPut
	s.base = rapid.SampledFrom([]string{fromFresh, fromFresh, fromFresh, fromStale, fromTemplate}).Draw(rt, "base")
	s.changes = drawChanges(rt, s.kind.changes, s.kind.changes, metaChanges)
	drawSubresource(rt, s)
}

func drawSubresource(rt *rapid.T, s *step) {
	if s.kind.custom && rapid.IntRange(0, 2).Draw(rt, "status") == 0 {
		s.subresource, s.changes = "status", drawChanges(rt, s.kind.status)
	}
}

func drawMerge(rt *rapid.T, s *step) {
	s.method, s.contentType = http.MethodPatch, "application/merge-patch+json"
	s.changes = drawChanges(rt, s.kind.changes, s.kind.changes, metaChanges)
	drawSubresource(rt, s)
	patch := object{}
	for _, c := range s.changes {
		setPatch(patch, c)
	}
	if version := rapid.SampledFrom([]string{"", "", "$rv", "$stale"}).Draw(rt, "version"); version != "" {
		setPatch(patch, change{"metadata.resourceVersion", version})
	}
	s.changes = nil
	s.body = encode(patch)
	if rapid.IntRange(0, 29).Draw(rt, "garbage") == 0 {
		s.body = rapid.SampledFrom([]string{"", "{", "[]", "null", `"x"`}).Draw(rt, "body")
	}
}

// setPatch sets a field, also to null.
func setPatch(patch object, c change) {
	if c.value != nil {
		set(patch, c.path, c.value)
		return
	}
	set(patch, c.path, "null")
	names := strings.Split(c.path, ".")
	for _, name := range names[:len(names)-1] {
		patch = patch[name].(object)
	}
	patch[names[len(names)-1]] = nil
}

func encode(value any) string {
	content, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(content)
}

func drawJSONPatch(rt *rapid.T, s *step) {
	s.method, s.contentType = http.MethodPatch, "application/json-patch+json"
	s.changes = drawChanges(rt, s.kind.changes, metaChanges)
	drawSubresource(rt, s)
	operations := []object{}
	for _, c := range s.changes {
		operation := object{"op": rapid.SampledFrom([]string{"add", "replace", "test", "remove"}).Draw(rt, "op"), "path": "/" + strings.ReplaceAll(c.path, ".", "/")}
		if c.value != nil {
			operation["value"] = c.value
		}
		operations = append(operations, operation)
	}
	s.changes = nil
	s.body = encode(operations)
	if rapid.IntRange(0, 19).Draw(rt, "garbage") == 0 {
		s.body = rapid.SampledFrom([]string{`{}`, `[{"op":"add"}]`, `[{"op":"jump","path":"/x"}]`, `[{"op":"add","path":"x","value":1}]`, "["}).Draw(rt, "body")
	}
}

func drawStrategic(rt *rapid.T, s *step) {
	drawMerge(rt, s)
	s.contentType = "application/strategic-merge-patch+json"
}

func drawApply(rt *rapid.T, s *step) {
	s.method, s.contentType, s.base = http.MethodPatch, "application/apply-patch+yaml", fromTemplate
	s.changes = drawChanges(rt, s.kind.changes)
	s.query = "fieldManager=" + rapid.SampledFrom([]string{"flux", "argo"}).Draw(rt, "manager")
	if rapid.Bool().Draw(rt, "force") {
		s.query += "&force=true"
	}
}

func drawDelete(rt *rapid.T, s *step) {
	s.method = http.MethodDelete
	s.body = rapid.SampledFrom([]string{
		"", "", "", `{"preconditions":{"uid":"$uid"}}`, `{"preconditions":{"uid":"other"}}`, `{"preconditions":{"resourceVersion":"$rv"}}`,
		`{"preconditions":{"resourceVersion":"$stale"}}`, `{"propagationPolicy":"Background"}`, `{"propagationPolicy":"Sometimes"}`, `{`,
		`{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0}`,
	}).Draw(rt, "options")
}

func drawGet(rt *rapid.T, s *step) {
	s.method = http.MethodGet
	if s.kind.custom && rapid.IntRange(0, 3).Draw(rt, "status") == 0 {
		s.subresource = "status"
	}
	if rapid.IntRange(0, 19).Draw(rt, "nonsense") == 0 {
		s.query = "resourceVersion=nonsense"
	}
}

func drawList(rt *rapid.T, s *step) {
	s.method, s.name = http.MethodGet, ""
	parts := []string{}
	if rapid.IntRange(0, 1).Draw(rt, "limited") == 0 {
		parts = append(parts, rapid.SampledFrom([]string{"limit=1", "limit=1", "limit=2", "limit=1&continue=$continue", "limit=1&continue=$continue", "continue=x"}).Draw(rt, "page"))
	}
	if rapid.IntRange(0, 3).Draw(rt, "labels") == 0 {
		parts = append(parts, "labelSelector="+rapid.SampledFrom([]string{"team%3Done", "team", "!team", "team+in+(one,two)", "=", "team!%3Done"}).Draw(rt, "labelSelector"))
	}
	if rapid.IntRange(0, 3).Draw(rt, "fields") == 0 {
		selectors := append([]string{"metadata.name=a", "metadata.name!=a", "spec.nothing=x"}, s.kind.selectors...)
		selector := strings.ReplaceAll(rapid.SampledFrom(selectors).Draw(rt, "fieldSelector"), "=", "%3D")
		parts = append(parts, "fieldSelector="+selector)
	}
	if rapid.IntRange(0, 9).Draw(rt, "version") == 0 {
		parts = append(parts, rapid.SampledFrom([]string{
			"resourceVersion=nonsense", "resourceVersionMatch=Exact", "resourceVersion=0&resourceVersionMatch=Exact", "resourceVersion=1&resourceVersionMatch=Maybe",
			"sendInitialEvents=true", "watch=1&resourceVersion=nonsense&timeoutSeconds=1", "watch=1&resourceVersionMatch=Exact", "limit=x",
		}).Draw(rt, "resourceVersion"))
	}
	s.query = strings.Join(parts, "&")
}

func drawDeleteCollection(rt *rapid.T, s *step) {
	s.method, s.name = http.MethodDelete, ""
	s.query = rapid.SampledFrom([]string{"", "labelSelector=team%3Done", "fieldSelector=metadata.name%3Da", "labelSelector=team%3Dnone"}).Draw(rt, "selector")
}

func keys(o object) iter.Seq[string] { return maps.Keys(o) }
