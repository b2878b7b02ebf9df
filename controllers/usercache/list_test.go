// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package usercache

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// asList is an answer with a list.
func asList(t testing.TB, metadata metav1.ListMeta, users ...*v1alpha1.LambdaTestUser) string {
	t.Helper()
	list := map[string]any{"apiVersion": v1alpha1.SchemeGroupVersion.String(), "kind": "LambdaTestUserList", "metadata": metadata, "items": users}
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// listed is what an informer gets when the API server's answer is a text.
func listed(t testing.TB, text string, wrap func(http.RoundTripper) http.RoundTripper) (metav1.ListInterface, []runtime.Object) {
	t.Helper()
	from := usersOf(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }, wrap)
	list, err := from.ListWithContext(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	metadata, err := meta.ListAccessor(list)
	if err != nil {
		t.Fatal(err)
	}
	users, err := meta.ExtractListWithAlloc(list)
	if err != nil {
		t.Fatal(err)
	}
	return metadata, users
}

func TestAListOfUsersIsAsClientGoHasItButCompact(t *testing.T) {
	long := fullUser()
	long.Annotations["note"] = strings.Repeat(`a "line", `, 20_000)
	metadata := metav1.ListMeta{ResourceVersion: "4711", Continue: "", RemainingItemCount: new(int64(3))}
	for name, text := range map[string]string{
		"users":  asList(t, metadata, managedUser(), long, fullUser()),
		"no one": asList(t, metadata),
		"null":   strings.Replace(asList(t, metadata), `"items":[]`, `"items":null`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			wantMetadata, want := listed(t, text, nil)
			for _, user := range want {
				if _, err := compactUsers()(user); err != nil {
					t.Fatal(err)
				}
			}
			gotMetadata, got := listed(t, text, withUsersDecoded)
			if gotMetadata.GetResourceVersion() != wantMetadata.GetResourceVersion() {
				t.Errorf("version %s, want %s", gotMetadata.GetResourceVersion(), wantMetadata.GetResourceVersion())
			}
			if len(want) == 0 && len(got) == 0 {
				return
			}
			if difference := cmp.Diff(want, got); difference != "" {
				t.Errorf("(-client-go +here)\n%s", difference)
			}
		})
	}
}

func TestAListOfUsersThatCannotBeReadIsAnError(t *testing.T) {
	whole := asList(t, metav1.ListMeta{}, fullUser())
	for name, text := range map[string]string{
		"no JSON":              "[}",
		"another kind of text": strings.Replace(whole, `"active":`, `"active":"yes","was":`, 1),
		"no array":             strings.Replace(whole, `"items":[`, `"items":1,"were":[`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			from := usersOf(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }, withUsersDecoded)
			if list, err := from.ListWithContext(t.Context(), metav1.ListOptions{}); err == nil {
				t.Errorf("%v, want an error", list)
			}
		})
	}
}

// An API server answers within a minute, or not to the end.
func TestAListOfUsersThatIsCutIsReadInPages(t *testing.T) {
	var asked []string
	from := usersOf(t, func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		asked = append(asked, fmt.Sprintf("limit %s, after %s, version %s", query.Get("limit"), query.Get("continue"), query.Get("resourceVersion")))
		switch {
		case query.Get("limit") == "":
			whole := asList(t, metav1.ListMeta{}, fullUser())
			_, _ = w.Write([]byte(whole[:len(whole)/2]))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		case len(asked) == 2:
			w.WriteHeader(http.StatusTooManyRequests) // which says nothing about how much can be sent
		case query.Get("continue") == "":
			_, _ = w.Write([]byte(asList(t, metav1.ListMeta{Continue: "first"}, fullUser())))
		default:
			_, _ = w.Write([]byte(asList(t, metav1.ListMeta{}, fullUser())))
		}
	}, withUsersDecoded)
	options := metav1.ListOptions{ResourceVersion: "0", Limit: 500}
	if list, err := from.ListWithContext(t.Context(), options); err == nil {
		t.Errorf("%v, want an error: client-go tells of it and tries again", list)
	}
	for range 2 {
		list, err := from.ListWithContext(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		metadata, err := meta.ListAccessor(list)
		if err != nil {
			t.Fatal(err)
		}
		options.Continue = metadata.GetContinue()
	}
	want := []string{"limit , after , version ", "limit 500, after , version ", "limit 500, after , version ", "limit 500, after first, version "}
	if !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
	if from.inPages {
		t.Error("the next list begins in pages")
	}
}

func TestAListOfUsersIsNotCompressed(t *testing.T) {
	var accepted string
	from := usersOf(t, func(w http.ResponseWriter, r *http.Request) {
		accepted = r.Header.Get("Accept-Encoding")
		_, _ = w.Write([]byte(asList(t, metav1.ListMeta{})))
	}, withUsersDecoded)
	if _, err := from.ListWithContext(t.Context(), metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	if accepted != "identity" {
		t.Errorf("accepts %q", accepted)
	}
}

// BenchmarkListOfUsers compares what a user in a list costs, up to the cache.
func BenchmarkListOfUsers(b *testing.B) {
	const count = 1000
	users := slices.Repeat([]*v1alpha1.LambdaTestUser{managedUser()}, count)
	text := asList(b, metav1.ListMeta{}, users...)
	for name, wrap := range map[string]func(http.RoundTripper) http.RoundTripper{"client-go": nil, "here": withUsersDecoded} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, some := listed(b, text, wrap); len(some) != count {
					b.Fatalf("%d users, want %d", len(some), count)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/user")
		})
	}
}
