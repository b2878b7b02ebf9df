// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/crypto/x509roots/fallback/bundle"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// withoutFiles makes the test binary run as if it were alone in an image: Go looks for certificates when the process starts.
const withoutFiles = "MAIN_TEST_WITHOUT_FILES"

func TestPublicAuthoritiesAreTrustedInAnEmptyImage(t *testing.T) {
	if os.Getenv(withoutFiles) == "" {
		alone := exec.CommandContext(t.Context(), os.Args[0], "-test.run="+t.Name())
		alone.Env = append(os.Environ(), withoutFiles+"=1", "SSL_CERT_FILE=/nowhere", "SSL_CERT_DIR=/nowhere")
		if output, err := alone.CombinedOutput(); err != nil {
			t.Fatalf("without certificate files: %v\n%s", err, output)
		}
		return
	}
	for root := range bundle.Roots() {
		authority, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			t.Fatal(err)
		}
		if root.Constraint != nil {
			continue
		}
		if _, err := authority.Verify(x509.VerifyOptions{}); err != nil {
			t.Errorf("%s is not trusted: %v", authority.Subject, err)
		}
		return // one stands for all
	}
	t.Error("there are no authorities")
}

func TestAsAPluginTheCommandLineIsForPeople(t *testing.T) {
	for calledAs, want := range map[string]bool{
		"/usr/bin/kubectl-lambdatest": true, "kubectl-lambdatest.exe": true,
		"/manager": false, "lambdatest-operator": false, "kubectl-lambdatest-2": false,
	} {
		run, _, err := command(calledAs).Find([]string{"run"})
		if got := err != nil || run.Name() != "run"; got != want {
			t.Errorf("called as %s it is the plugin: %t, want %t", calledAs, got, want)
		}
	}
}

func TestProbesOfAReplicaThatIsNotReadyAreLoggedAtDebug(t *testing.T) {
	var lines bytes.Buffer
	var level slog.LevelVar
	ctrl.SetLogger(logr.FromSlogHandler(expectedProbes{slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: &level})}))
	notReady := func(*http.Request) error { return errors.New("not yet") }
	probes := &healthz.Handler{Checks: map[string]healthz.Checker{"scim": notReady}}

	probes.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	if lines.Len() > 0 {
		t.Errorf("logged at info: %s", lines.String())
	}
	level.Set(slog.LevelDebug)
	probes.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	if got := lines.String(); !strings.Contains(got, "level=DEBUG") || !strings.Contains(got, "scim") || strings.Contains(got, "level=INFO") {
		t.Errorf("logged at debug: %s", got)
	}
}

func TestGarbageIsBoundedInBytesAndInParts(t *testing.T) {
	for inUse, want := range map[uint64]int{0: 400, 10 << 20: 400, 40 << 20: 100, 80 << 20: 50, 160 << 20: 25, 1 << 30: 20} {
		if got := garbagePercent(inUse); got != want {
			t.Errorf("with %d bytes in use: %d %%, want %d %%", inUse, got, want)
		}
	}
}

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
	replica := (&runOptions{}).manager(logr.Discard())
	options := replica.Cache
	options.Scheme = scheme()
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.Add(corev1.SchemeGroupVersion.WithKind("Secret"), meta.RESTScopeNamespace) // the options are about them, too
	mapper.Add(v1alpha1.SchemeGroupVersion.WithKind(v1alpha1.UserKind), meta.RESTScopeNamespace)
	options.Mapper = mapper
	users, err := replica.NewCache(&rest.Config{Host: apiServer.URL}, options)
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
