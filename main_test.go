// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"golang.org/x/crypto/x509roots/fallback/bundle"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
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
