// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/lambdatest-operator/lambdatest-operator/test/simulation/apiserver"
)

const usersPath = "/apis/iam.lambdatest.io/v1alpha1/namespaces/default/lambdatestusers"

var userResource = schema.GroupResource{Group: "iam.lambdatest.io", Resource: "lambdatestusers"}

func newServer(t *testing.T) *apiserver.Server {
	t.Helper()
	server, err := apiserver.New(apiserver.Options{
		CRDDir:     filepath.Join(root, "config", "crd", "bases"),
		PolicyFile: filepath.Join(root, "config", "policy", "operator_owned.yaml"),
		Namespaces: []string{"people"},
		Rand:       rand.New(rand.NewPCG(3, 4)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// send is one request without a network; it returns the code and the decoded body.
func send(t *testing.T, server http.Handler, method, path, body string, headers ...string) (int, object) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+operator)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	content := object{}
	if err := json.Unmarshal(w.Body.Bytes(), &content); err != nil {
		content["text"] = w.Body.String()
	}
	return w.Code, content
}

func userJSON(name string) string {
	return fmt.Sprintf(`{"apiVersion":"iam.lambdatest.io/v1alpha1","kind":"LambdaTestUser","metadata":{"name":%q},`+
		`"spec":{"userName":"ada@example.com","name":{"givenName":"Ada","familyName":"Lovelace"}}}`, name)
}

func create(t *testing.T, server http.Handler, name string) object {
	t.Helper()
	code, content := send(t, server, http.MethodPost, usersPath, userJSON(name))
	if code != http.StatusCreated {
		t.Fatalf("creating %s is answered %d: %v", name, code, content)
	}
	return content
}

func TestObserversSeeEachWriteOnceAndInOrder(t *testing.T) {
	server := newServer(t)
	seen := []string{}
	server.Subscribe(func(w apiserver.Write) {
		seen = append(seen, fmt.Sprintf("%s %s by %s, old %v, new %v", w.Verb, w.Key.Name, w.User, w.Old != nil, w.New != nil))
	})
	create(t, server, "a")
	merge := []string{"Content-Type", "application/merge-patch+json"}
	send(t, server, http.MethodPatch, usersPath+"/a", `{"spec":{"role":"Admin"}}`, merge...)
	send(t, server, http.MethodPatch, usersPath+"/a", `{"spec":{"role":"Admin"}}`, merge...)
	send(t, server, http.MethodPatch, usersPath+"/a", `{"spec":{"role":"King"}}`, merge...)
	send(t, server, http.MethodDelete, usersPath+"/a", "")
	want := []string{
		"create a by " + operator + ", old false, new true",
		// A real server stores the default of the status with the first update.
		"patch a by " + operator + ", old true, new true",
		"delete a by " + operator + ", old true, new false",
	}
	if !slices.Equal(seen, want) {
		t.Errorf("the observer saw %q, not %q", seen, want)
	}
	kind := apiserver.RequestKind{User: operator, Verb: "patch", Resource: userResource}
	if count := server.Requests()[kind]; count != 3 {
		t.Errorf("%d patches were counted, not 3", count)
	}
}

func TestALostAnswerWasCarriedOut(t *testing.T) {
	server := newServer(t)
	server.SetFaults(apiserver.Faults{LostAnswer: 1})
	listener := httptest.NewServer(server)
	defer listener.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, listener.URL+usersPath, strings.NewReader(userJSON("a")))
	if err != nil {
		t.Fatal(err)
	}
	if response, err := http.DefaultClient.Do(r); err == nil {
		_ = response.Body.Close()
		t.Errorf("the request is answered %s; its connection should be cut", response.Status)
	}
	if _, ok := server.Get(apiserver.Key{Resource: userResource, Namespace: "default", Name: "a"}); !ok {
		t.Error("the object is not there")
	}
}

func TestFaultsAnswerWhatARealServerMay(t *testing.T) {
	for name, test := range map[string]struct {
		faults apiserver.Faults
		method string
		path   string
		code   int
	}{
		"conflict":    {apiserver.Faults{Conflict: 1}, http.MethodPut, usersPath + "/a", http.StatusConflict},
		"no conflict": {apiserver.Faults{Conflict: 1}, http.MethodGet, usersPath, http.StatusOK},
		"too many":    {apiserver.Faults{TooMany: 1}, http.MethodGet, usersPath, http.StatusTooManyRequests},
		"internal":    {apiserver.Faults{Internal: 1}, http.MethodGet, usersPath, http.StatusInternalServerError},
		"unavailable": {apiserver.Faults{Unavailable: 1}, http.MethodGet, usersPath, http.StatusServiceUnavailable},
		"timeout":     {apiserver.Faults{Timeout: 1}, http.MethodGet, usersPath, http.StatusGatewayTimeout},
		"page gone":   {apiserver.Faults{PageGone: 1}, http.MethodGet, usersPath + "?limit=1&continue=x", http.StatusGone},
		"watch gone":  {apiserver.Faults{WatchGone: 1}, http.MethodGet, usersPath + "?watch=1&resourceVersion=5", http.StatusGone},
		"spared":      {apiserver.Faults{Internal: 1, Only: func(*http.Request) bool { return false }}, http.MethodGet, usersPath, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t)
			server.SetFaults(test.faults)
			if code, content := send(t, server, test.method, test.path, ""); code != test.code {
				t.Errorf("the answer is %d, not %d: %v", code, test.code, content)
			}
		})
	}
}

func TestAPolicyForbidsOthersWhatTheOperatorMayDo(t *testing.T) {
	server := newServer(t)
	create(t, server, "scim-a")
	code, content := send(t, server, http.MethodPost, usersPath, userJSON("scim-b"), "Authorization", "Bearer somebody")
	if code != http.StatusForbidden || !strings.Contains(fmt.Sprint(content["message"]), "names that begin with scim-") {
		t.Errorf("the answer is %d: %v", code, content)
	}
}

func TestPagesShowOneRevision(t *testing.T) {
	server := newServer(t)
	for _, name := range []string{"a", "b", "c"} {
		create(t, server, name)
	}
	_, first := send(t, server, http.MethodGet, usersPath+"?limit=2", "")
	send(t, server, http.MethodDelete, usersPath+"/c", "")
	token := first["metadata"].(object)["continue"].(string)
	_, second := send(t, server, http.MethodGet, usersPath+"?limit=2&continue="+token, "")
	if items := second["items"].([]any); len(items) != 1 {
		t.Errorf("the second page has %d objects: %v", len(items), second)
	}
	server.Compact()
	if code, content := send(t, server, http.MethodGet, usersPath+"?limit=2&continue="+token, ""); code != http.StatusGone {
		t.Errorf("after a compaction, the second page is answered %d: %v", code, content)
	}
}

func TestServerSideApplyMergesWhatManagersOwn(t *testing.T) {
	server := newServer(t)
	apply := func(manager, force, role string) (int, object) {
		body := strings.Replace(userJSON("a"), `"spec":{`, `"spec":{"role":"`+role+`",`, 1)
		return send(t, server, http.MethodPatch, usersPath+"/a?fieldManager="+manager+"&force="+force, body, "Content-Type", "application/apply-patch+yaml")
	}
	if code, content := apply("flux", "false", "Admin"); code != http.StatusCreated {
		t.Fatalf("the first apply is answered %d: %v", code, content)
	}
	if code, content := apply("argo", "false", "User"); code != http.StatusConflict {
		t.Errorf("another manager's value is answered %d: %v", code, content)
	}
	if code, content := apply("argo", "true", "User"); code != http.StatusOK || content["spec"].(object)["role"] != "User" {
		t.Errorf("a forced apply is answered %d: %v", code, content)
	}
}

func TestAWatchInABubbleGetsBookmarksAndEnds(t *testing.T) {
	server := newServer(t)
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		w := newStream()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, usersPath+"?watch=1&resourceVersion=0&allowWatchBookmarks=true&timeoutSeconds=150", nil)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			server.ServeHTTP(w, r)
		}()
		time.Sleep(time.Second)
		create(t, server, "watched")
		<-ended
		if took := time.Since(begun); took != 150*time.Second {
			t.Errorf("the watch took %s", took)
		}
		if types := w.types(t); !slices.Equal(types, []string{"BOOKMARK", "ADDED", "BOOKMARK", "BOOKMARK", "BOOKMARK"}) {
			t.Errorf("the watch got %q", types)
		}
	})
}

func TestACutWatchIsAborted(t *testing.T) {
	server := newServer(t)
	listener := httptest.NewServer(server)
	defer listener.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, listener.URL+usersPath+"?watch=1&resourceVersion=0", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	server.CutWatches()
	if content, err := io.ReadAll(response.Body); err == nil {
		t.Errorf("the watch ends as if all were well: %s", content)
	}
}

func TestANamespaceIsEmptiedBeforeItGoes(t *testing.T) {
	server := newServer(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		go server.RunControllers(ctx)
		path := strings.Replace(usersPath, "default", "people", 1)
		send(t, server, http.MethodPost, path, strings.Replace(userJSON("a"), `"name":"a"`, `"name":"a","finalizers":["iam.lambdatest.io/finalizer"]`, 1))
		send(t, server, http.MethodDelete, "/api/v1/namespaces/people", "")
		if code, content := send(t, server, http.MethodPost, path, userJSON("b")); code != http.StatusForbidden {
			t.Errorf("a create in a namespace that is being deleted is answered %d: %v", code, content)
		}
		time.Sleep(time.Minute)
		if code, content := send(t, server, http.MethodGet, path+"/a", ""); code != http.StatusOK || content["metadata"].(object)["deletionTimestamp"] == nil {
			t.Errorf("the object with a finalizer is %d: %v", code, content)
		}
		send(t, server, http.MethodPatch, path+"/a", `{"metadata":{"finalizers":null}}`, "Content-Type", "application/merge-patch+json")
		time.Sleep(time.Minute)
		if code, content := send(t, server, http.MethodGet, "/api/v1/namespaces/people", ""); code != http.StatusNotFound {
			t.Errorf("the empty namespace is %d: %v", code, content)
		}
		stop()
		synctest.Wait()
	})
}

func TestADefinitionGoesWithItsObjects(t *testing.T) {
	server := newServer(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		go server.RunControllers(ctx)
		create(t, server, "a")
		path := "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/lambdatestusers.iam.lambdatest.io"
		if code, content := send(t, server, http.MethodDelete, path, ""); code != http.StatusOK {
			t.Fatalf("deleting the definition is answered %d: %v", code, content)
		}
		time.Sleep(time.Minute)
		if code, content := send(t, server, http.MethodGet, usersPath+"/a", ""); code != http.StatusNotFound {
			t.Errorf("the object of the definition is %d: %v", code, content)
		}
		stop()
		synctest.Wait()
	})
}

func TestAnObjectGoesAfterItsOwner(t *testing.T) {
	server := newServer(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		go server.RunControllers(ctx)
		owner := create(t, server, "owner")["metadata"].(object)["uid"]
		reference := fmt.Sprintf(`{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"X","name":"owner","uid":%q}]}}`, owner)
		create(t, server, "owned")
		send(t, server, http.MethodPatch, usersPath+"/owned", reference, "Content-Type", "application/merge-patch+json")
		time.Sleep(time.Minute)
		if code, _ := send(t, server, http.MethodGet, usersPath+"/owned", ""); code != http.StatusOK {
			t.Errorf("the object is answered %d while its owner is there", code)
		}
		send(t, server, http.MethodDelete, usersPath+"/owner", "")
		time.Sleep(time.Minute)
		if code, content := send(t, server, http.MethodGet, usersPath+"/owned", ""); code != http.StatusNotFound {
			t.Errorf("the object without owner is answered %d: %v", code, content)
		}
		stop()
		synctest.Wait()
	})
}

func TestNothingGrows(t *testing.T) {
	server := newServer(t)
	synctest.Test(t, func(t *testing.T) {
		create(t, server, "a")
		event := func(i int) string {
			return fmt.Sprintf(`{"metadata":{"name":"e%d"},"eventTime":"2026-01-01T00:00:00.000000Z","action":"Act","reason":"Reason","type":"Normal",`+
				`"reportingController":"example.com/c","reportingInstance":"i","regarding":{"namespace":"default"}}`, i)
		}
		for i := range 24 * 60 {
			time.Sleep(time.Minute)
			patch := fmt.Sprintf(`{"spec":{"externalId":"%d"}}`, i)
			send(t, server, http.MethodPatch, usersPath+"/a", patch, "Content-Type", "application/merge-patch+json")
			if code, content := send(t, server, http.MethodPost, "/apis/events.k8s.io/v1/namespaces/default/events", event(i)); code != http.StatusCreated {
				t.Fatalf("an event is answered %d: %v", code, content)
			}
		}
		objects, changes, watches := server.Stored()
		if objects > 100 || changes > 60 || watches != 0 {
			t.Errorf("after a day the server holds %d objects, %d changes and %d watches", objects, changes, watches)
		}
	})
}

func BenchmarkStatusPatch(b *testing.B) {
	server, err := apiserver.New(apiserver.Options{CRDDir: filepath.Join(root, "config", "crd", "bases")})
	if err != nil {
		b.Fatal(err)
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), http.MethodPost, usersPath, strings.NewReader(userJSON("a"))))
	for i := range b.N {
		body := fmt.Sprintf(`{"status":{"observedGeneration":%d,"conditions":[{"type":"Ready","status":"True","reason":"R","message":"m",`+
			`"lastTransitionTime":"2026-01-01T00:00:00Z"}]}}`, i)
		r := httptest.NewRequestWithContext(b.Context(), http.MethodPatch, usersPath+"/a/status", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/merge-patch+json")
		w := httptest.NewRecorder()
		if server.ServeHTTP(w, r); w.Code != http.StatusOK {
			b.Fatal(w.Body.String())
		}
	}
}

// recorder keeps what a watch writes.
type recorder struct {
	mu     sync.Mutex
	header http.Header
	text   strings.Builder
}

func newStream() *recorder { return &recorder{header: http.Header{}} }

func (r *recorder) Header() http.Header { return r.header }
func (r *recorder) WriteHeader(int)     {}
func (r *recorder) Flush()              {}

func (r *recorder) Write(content []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(content)
}

func (r *recorder) types(t *testing.T) []string {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	types := []string{}
	for line := range strings.Lines(r.text.String()) {
		event := struct {
			Type string `json:"type"`
		}{}
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		types = append(types, event.Type)
	}
	return types
}
