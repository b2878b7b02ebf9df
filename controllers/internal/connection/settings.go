// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// SettingsOf reads what the spec says about the connection.
func SettingsOf(organization *v1alpha1.LambdaTestOrganization, token string) Settings {
	spec := organization.Spec
	return Settings{
		Fingerprint:  fingerprint(spec.BaseURL, token),
		BaseURL:      spec.BaseURL,
		TokenSecret:  spec.TokenSecretRef.Name,
		syncInterval: max(spec.SyncInterval.Duration, time.Second),
		ReportDrift:  spec.DriftPolicy == v1alpha1.DriftReport,
		perSecond:    int(max(spec.RateLimit.RequestsPerSecond, 1)),
		burst:        int(max(spec.RateLimit.Burst, 1)),
	}
}

// fingerprint tells connections apart without keeping what they are made of.
func fingerprint(baseURL, token string) string {
	sum := sha256.Sum256([]byte(baseURL + "\x00" + token))
	return hex.EncodeToString(sum[:])
}
