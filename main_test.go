// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/x509"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/crypto/x509roots/fallback/bundle"
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

func TestGarbageIsBoundedInBytesAndInParts(t *testing.T) {
	for inUse, want := range map[uint64]int{0: 400, 10 << 20: 400, 40 << 20: 100, 80 << 20: 50, 160 << 20: 25, 1 << 30: 20} {
		if got := garbagePercent(inUse); got != want {
			t.Errorf("with %d bytes in use: %d %%, want %d %%", inUse, got, want)
		}
	}
}

func TestWatchesOfAReplicaComeBackSoon(t *testing.T) {
	if (&runOptions{}).cache().NewInformer == nil {
		t.Error("client-go's own informers wait for up to a minute after the API server is back")
	}
}
