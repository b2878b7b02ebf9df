// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package replica

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// managedFields is what client-go cannot decode, in a user with a label that the cache has no use for.
const managedFields = `{"apiVersion":"iam.lambdatest.io/v1alpha1","kind":"LambdaTestUser","metadata":{"namespace":"default",` +
	`"name":"%s","resourceVersion":"%d","labels":{"team":"one"},"managedFields":[{"time":"never"}]}}`

func TestAReplicaReadsNoManagedFieldsAndKeepsUsersCompact(t *testing.T) {
	apiServer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if !r.URL.Query().Has("watch") {
			_, _ = fmt.Fprintf(w, `{"metadata":{"resourceVersion":"1"},"items":[`+managedFields+`]}`, "ada", 1)
			return
		}
		_, _ = fmt.Fprintf(w, `{"type":"ADDED","object":`+managedFields+"}\n", "grace", 2)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer apiServer.Close()
	manager := Options{}.manager()
	options := manager.Cache
	options.Scheme = newScheme()
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.Add(corev1.SchemeGroupVersion.WithKind("Secret"), meta.RESTScopeNamespace) // the options are about them, too
	mapper.Add(v1alpha1.SchemeGroupVersion.WithKind(v1alpha1.UserKind), meta.RESTScopeNamespace)
	mapper.Add(v1alpha1.SchemeGroupVersion.WithKind(v1alpha1.GroupKind), meta.RESTScopeNamespace)
	options.Mapper = mapper
	users, err := manager.NewCache(&rest.Config{Host: apiServer.URL}, options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	if _, err := users.GetInformer(ctx, &v1alpha1.LambdaTestUser{}, cache.BlockUntilSynced(false)); err != nil {
		t.Fatal(err)
	}
	go func() { _ = users.Start(ctx) }()
	users.WaitForCacheSync(ctx)

	for _, name := range []string{"ada", "grace"} {
		key, user := client.ObjectKey{Namespace: "default", Name: name}, &v1alpha1.LambdaTestUser{}
		err := wait.PollUntilContextCancel(ctx, 10*time.Millisecond, true, func(ctx context.Context) (bool, error) {
			err := users.Get(ctx, key, user)
			return err == nil, client.IgnoreNotFound(err)
		})
		if err != nil {
			t.Errorf("%s is not there: %v", name, err)
		}
		if len(user.Labels) > 0 {
			t.Errorf("%s is not compact: labels %v", name, user.Labels)
		}
	}
}
