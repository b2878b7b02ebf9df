// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package argocd_test runs the Lua scripts as Argo CD runs scripts from a ConfigMap. The test cases are next to the scripts, in the layout
// of Argo CD's own repository.
package argocd_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	lua "github.com/yuin/gopher-lua"
	"sigs.k8s.io/yaml"
)

// update writes argocd-cm.yaml instead of comparing it: go test ./config/argocd -update
var update = flag.Bool("update", false, "write argocd-cm.yaml from the scripts")

const (
	scripts = "resource_customizations/iam.lambdatest.io"
	group   = "iam.lambdatest.io"
)

var kinds = []string{"LambdaTestGroup", "LambdaTestOrganization", "LambdaTestUser"}

type health struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

func TestHealth(t *testing.T) {
	for _, kind := range kinds {
		var file struct {
			Tests []struct {
				InputPath    string `json:"inputPath"`
				HealthStatus health `json:"healthStatus"`
			} `json:"tests"`
		}
		load(t, filepath.Join(scripts, kind, "health_test.yaml"), &file)
		for _, test := range file.Tests {
			t.Run(kind+"/"+test.InputPath, func(t *testing.T) {
				object := object(t, filepath.Join(scripts, kind, test.InputPath))

				got := healthOf(t, kind, object)

				if diff := cmp.Diff(test.HealthStatus, got); diff != "" {
					t.Errorf("health (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// An object is Progressing while the operator has not observed its current generation, whatever its conditions are.
func TestUnobservedIsProgressing(t *testing.T) {
	for _, kind := range kinds {
		inputs, err := filepath.Glob(filepath.Join(scripts, kind, "testdata", "*.yaml"))
		if err != nil || len(inputs) == 0 {
			t.Fatal(inputs, err)
		}
		for _, input := range inputs {
			for _, observed := range []any{int64(-1), int64(1), nil} {
				changed := object(t, input)
				if status, ok := changed["status"].(map[string]any); ok {
					status["observedGeneration"] = observed
				}
				metadata(changed)["generation"] = int64(9)

				if got := healthOf(t, kind, changed); got.Status != "Progressing" {
					t.Errorf("%s with generation 9 and observedGeneration %v is %s, want Progressing", input, observed, got.Status)
				}
			}
		}
	}
}

var reasonConstant = regexp.MustCompile(`(?m)^\t\w+Reason = "(\w+)"$`)

func TestEveryReasonHasACase(t *testing.T) {
	reasons := reasonConstant.FindAllStringSubmatch(read(t, "../../api/v1alpha1/conditions.go"), -1)
	if len(reasons) < 20 {
		t.Fatalf("found only %d reasons", len(reasons))
	}
	inputs, err := filepath.Glob(filepath.Join(scripts, "*", "testdata", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, input := range inputs {
		all.WriteString(read(t, input))
	}
	for _, reason := range reasons {
		if !strings.Contains(all.String(), "reason: "+reason[1]+"\n") {
			t.Errorf("no object in testdata has the reason %s", reason[1])
		}
	}
}

func TestActions(t *testing.T) {
	for _, kind := range kinds {
		dir := filepath.Join(scripts, kind, "actions")
		var file struct {
			DiscoveryTests []struct {
				InputPath string           `json:"inputPath"`
				Result    []map[string]any `json:"result"`
			} `json:"discoveryTests"`
			ActionTests []struct {
				Action             string `json:"action"`
				InputPath          string `json:"inputPath"`
				ExpectedOutputPath string `json:"expectedOutputPath"`
			} `json:"actionTests"`
		}
		load(t, filepath.Join(dir, "action_test.yaml"), &file)
		for _, test := range file.DiscoveryTests {
			t.Run(kind+"/discovery/"+test.InputPath, func(t *testing.T) {
				found := run(t, filepath.Join(dir, "discovery.lua"), object(t, filepath.Join(dir, test.InputPath)))

				if diff := cmp.Diff(test.Result, actions(found), cmp.Transformer("byName", byName)); diff != "" {
					t.Errorf("actions (-want +got):\n%s", diff)
				}
			})
		}
		for _, test := range file.ActionTests {
			t.Run(kind+"/"+test.Action, func(t *testing.T) {
				changed := run(t, filepath.Join(dir, test.Action, "action.lua"), object(t, filepath.Join(dir, test.InputPath)))

				want := object(t, filepath.Join(dir, test.ExpectedOutputPath))
				if diff := cmp.Diff(want, changed, cmp.FilterPath(isTimestamp, cmp.Comparer(bothTimestamps))); diff != "" {
					t.Errorf("changed object (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// argocd-cm.yaml brings the scripts into an Argo CD that does not ship them.
func TestConfigMapHasTheScripts(t *testing.T) {
	want := configMap(t)
	if *update {
		if err := os.WriteFile("argocd-cm.yaml", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("argocd-cm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("argocd-cm.yaml is stale, run `go test ./config/argocd -update` (-want +got):\n%s", diff)
	}
}

func configMap(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	text.WriteString("# Health and actions of the operator's resources, for an Argo CD that does not ship them:\n" +
		"#   kubectl --namespace argocd patch configmap argocd-cm --patch-file config/argocd/argocd-cm.yaml\n" +
		"# Written from resource_customizations/ by `go test ./config/argocd -update`.\n" +
		"data:\n")
	for _, kind := range kinds {
		fmt.Fprintf(&text, "  resource.customizations.health.%s_%s: |\n%s", group, kind, indented(t, 4, kind, "health.lua"))
		fmt.Fprintf(&text, "  resource.customizations.actions.%s_%s: |\n", group, kind)
		fmt.Fprintf(&text, "    discovery.lua: |\n%s    definitions:\n", indented(t, 6, kind, "actions", "discovery.lua"))
		for _, name := range actionNames(t, kind) {
			fmt.Fprintf(&text, "    - name: %s\n      action.lua: |\n%s", name, indented(t, 8, kind, "actions", name, "action.lua"))
		}
	}
	return text.String()
}

func actionNames(t *testing.T, kind string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(scripts, kind, "actions", "*", "action.lua"))
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, 0, len(found))
	for _, path := range found {
		names = append(names, filepath.Base(filepath.Dir(path)))
	}
	slices.Sort(names)
	return names
}

var lineBegin = regexp.MustCompile(`(?m)^(.)`)

func indented(t *testing.T, spaces int, path ...string) string {
	t.Helper()
	return lineBegin.ReplaceAllString(read(t, filepath.Join(append([]string{scripts}, path...)...)), strings.Repeat(" ", spaces)+"$1")
}

func healthOf(t *testing.T, kind string, object map[string]any) health {
	t.Helper()
	result := run(t, filepath.Join(scripts, kind, "health.lua"), object)
	return health{Status: fmt.Sprint(result["status"]), Message: fmt.Sprint(result["message"])}
}

// actions are the actions that Argo CD shows: one map for each name.
func actions(discovered map[string]any) []map[string]any {
	shown := make([]map[string]any, 0, len(discovered))
	for name, settings := range discovered {
		action := map[string]any{"name": name}
		for key, value := range settings.(map[string]any) {
			if value != false { // Argo CD omits what is not set
				action[key] = value
			}
		}
		shown = append(shown, action)
	}
	return shown
}

func byName(actions []map[string]any) map[any]map[string]any {
	named := make(map[any]map[string]any, len(actions))
	for _, action := range actions {
		named[action["name"]] = action
	}
	return named
}

var timestamp = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`)

func isTimestamp(path cmp.Path) bool {
	return strings.Contains(path.GoString(), "reconcile-requested-at")
}

func bothTimestamps(a, b any) bool {
	return timestamp.MatchString(fmt.Sprint(a)) && timestamp.MatchString(fmt.Sprint(b))
}

// run runs a script with the libraries that Argo CD gives to scripts from a ConfigMap: no string, no io, and of os only the time functions.
func run(t *testing.T, path string, object map[string]any) map[string]any {
	t.Helper()
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable,
	} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			t.Fatal(err)
		}
	}
	state.PreloadModule(lua.OsLibName, clockOnly)
	state.SetContext(t.Context())
	state.SetGlobal("obj", toLua(state, object))
	if err := state.DoString(read(t, path)); err != nil {
		t.Fatal(err)
	}
	result, ok := fromLua(state.Get(-1)).(map[string]any)
	if !ok {
		t.Fatalf("%s returned %v, want a table", path, state.Get(-1))
	}
	return result
}

func clockOnly(state *lua.LState) int {
	lua.OpenOs(state)
	all := state.CheckTable(-1)
	clock := state.NewTable()
	for _, name := range []string{"time", "date"} {
		clock.RawSetString(name, all.RawGetString(name))
	}
	state.Push(clock)
	return 1
}

func toLua(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case bool:
		return lua.LBool(value)
	case float64:
		return lua.LNumber(value)
	case int64:
		return lua.LNumber(value)
	case string:
		return lua.LString(value)
	case []any:
		table := state.NewTable()
		for _, item := range value {
			table.Append(toLua(state, item))
		}
		return table
	case map[string]any:
		table := state.NewTable()
		for key, item := range value {
			table.RawSetString(key, toLua(state, item))
		}
		return table
	}
	return lua.LNil
}

func fromLua(value lua.LValue) any {
	switch value := value.(type) {
	case lua.LBool:
		return bool(value)
	case lua.LNumber:
		return float64(value)
	case lua.LString:
		return string(value)
	case *lua.LTable:
		if value.Len() > 0 {
			items := make([]any, 0, value.Len())
			for i := 1; i <= value.Len(); i++ {
				items = append(items, fromLua(value.RawGetInt(i)))
			}
			return items
		}
		fields := map[string]any{}
		value.ForEach(func(key, field lua.LValue) { fields[key.String()] = fromLua(field) })
		return fields
	}
	return nil
}

func object(t *testing.T, path string) map[string]any {
	t.Helper()
	object := map[string]any{}
	load(t, path, &object)
	return object
}

func metadata(object map[string]any) map[string]any { return object["metadata"].(map[string]any) }

func load(t *testing.T, path string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(read(t, path)), into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
