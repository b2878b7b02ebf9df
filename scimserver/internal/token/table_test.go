// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// tenant is an organization of a namespace with the same name, and the values of its SCIM token Secret.
type tenant struct {
	name     string
	upstream string
	values   map[string]string
	expires  map[string]string
}

func tableOf(tenants ...tenant) (*Table, map[string]string) {
	var organizations []*v1alpha1.LambdaTestOrganization
	secrets := map[types.NamespacedName]*secretTokens{}
	for age, of := range tenants {
		organization := organizationOf(of.name)
		organization.CreationTimestamp = metav1.NewTime(now.Add(-time.Duration(len(tenants)-age) * time.Hour))
		organizations = append(organizations, organization)
		secret := &corev1.Secret{Data: map[string][]byte{}}
		secret.Annotations = map[string]string{}
		for key, value := range of.values {
			secret.Data[key] = []byte(value)
			secret.Annotations[v1alpha1.ExpiresAnnotationPrefix+key] = of.expires[key]
		}
		secrets[types.NamespacedName{Namespace: of.name, Name: organization.SCIMTokenSecretName()}] = readSecret(secret)
		secrets[types.NamespacedName{Namespace: of.name, Name: "upstream"}] = readSecret(&corev1.Secret{Data: map[string][]byte{"token": []byte(of.upstream)}})
	}
	table, notices := build(organizations, secrets, now)
	reasons := map[string]string{}
	for _, n := range notices {
		reasons[n.Organization.Name+"/"+n.Key] = n.Reason
	}
	return table, reasons
}

func organizationOf(name string) *v1alpha1.LambdaTestOrganization {
	organization := &v1alpha1.LambdaTestOrganization{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: name}}
	organization.Spec.TokenSecretRef.Name = "upstream"
	return organization
}

func boundTo(name, token string) string {
	digest := v1alpha1.BoundSCIMTokenDigest(name, name, token)
	return v1alpha1.SCIMTokenDigestPrefix + hex.EncodeToString(digest[:])
}

func unbound(token string) string {
	digest := v1alpha1.SCIMTokenDigest(token)
	return "sha256:" + hex.EncodeToString(digest[:])
}

func TestATokenOpensOneOrganizationOrNone(t *testing.T) {
	secret, other := strings.Repeat("s", 40), strings.Repeat("o", 40)
	of := func(name string, values ...string) tenant {
		made := tenant{name: name, values: map[string]string{}, expires: map[string]string{}}
		for i, value := range values {
			made.values[string(rune('a'+i))] = value
		}
		return made
	}
	expired, upstream := of("older", secret), of("older", other)
	expired.expires["a"] = "2026-11-24T11:00:00Z"
	upstream.upstream = secret
	for name, test := range map[string]struct {
		tenants []tenant
		opens   string
		reasons map[string]string
	}{
		"its own":                      {tenants: []tenant{of("older", other), of("younger", secret)}, opens: "younger"},
		"twice in one Secret":          {tenants: []tenant{of("older", secret, secret)}, opens: "older"},
		"of two organizations: none":   {tenants: []tenant{of("older", secret), of("younger", secret)}, reasons: map[string]string{"older/a": "TokenConflict", "younger/a": "TokenConflict"}},
		"but an expired claim is none": {tenants: []tenant{expired, of("younger", secret)}, opens: "younger", reasons: map[string]string{"older/a": "TokenIgnored"}},
		"by a bound digest":            {tenants: []tenant{of("older", other), of("younger", boundTo("younger", secret))}, opens: "younger"},
		"by no digest that was published": {
			tenants: []tenant{of("older", boundTo("younger", secret), unbound(secret)), of("younger", boundTo("younger", secret))}, opens: "younger",
			reasons: map[string]string{"older/b": "TokenIgnored"},
		},
		"by no unbound digest": {tenants: []tenant{of("older", unbound(secret))}, reasons: map[string]string{"older/a": "TokenIgnored"}},
		"bound here and plain there: none": {
			tenants: []tenant{of("older", secret), of("younger", boundTo("younger", secret))},
		},
		"that LambdaTest gave: none": {
			tenants: []tenant{upstream, of("younger", secret, boundTo("younger", secret))}, reasons: map[string]string{"younger/a": "TokenIgnored"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			table, reasons := tableOf(test.tenants...)
			found := table.Find(secret, now)
			opened := ""
			if found != nil {
				opened = found.Organization.Name
			}
			if opened != test.opens {
				t.Errorf("it opens %q, want %q", opened, test.opens)
			}
			if len(reasons) != len(test.reasons) {
				t.Errorf("notices are %v, want %v", reasons, test.reasons)
			}
			for key, want := range test.reasons {
				if reasons[key] != want {
					t.Errorf("%s is %q, want %q", key, reasons[key], want)
				}
			}
		})
	}
}

// oneSecretAway fails to read one Secret.
type oneSecretAway struct {
	client.Reader
	away string
}

func (r oneSecretAway) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	if key.Namespace == r.away {
		return errors.New("etcd has lost this one")
	}
	into.(*corev1.Secret).Data = map[string][]byte{"okta": []byte(strings.Repeat(key.Namespace, 40))}
	return nil
}

func TestASecretThatCannotBeReadKeepsNoOtherOrganizationOut(t *testing.T) {
	reader := &oneSecretAway{away: "a"}
	loader := NewLoader(reader, func() time.Time { return now }, func([]Notice, *Table) {})
	for _, name := range []string{"a", "b"} {
		organization := organizationOf(name)
		loader.StoreOrganization(organization)
		secret := &metav1.PartialObjectMetadata{}
		secret.Namespace, secret.Name, secret.ResourceVersion = name, organization.SCIMTokenSecretName(), "1"
		loader.StoreSecret(secret)
	}

	failures := 0
	loader.load(t.Context(), func(error) { failures++ })

	if !loader.Loaded() || loader.Complete() || failures != 1 {
		t.Errorf("loaded %v, complete %v, %d failures; want a table that lacks one Secret", loader.Loaded(), loader.Complete(), failures)
	}
	if found := loader.Find(strings.Repeat("b", 40)); found == nil || found.Organization.Name != "b" {
		t.Error("the other organization's token is not accepted")
	}
	reader.away = ""
	loader.load(t.Context(), func(err error) { t.Error(err) })
	if found := loader.Find(strings.Repeat("a", 40)); found == nil || !loader.Complete() {
		t.Error("the token is not accepted once it can be read")
	}
}

func TestNoTokenIsAcceptedWhileNoSecretCanBeRead(t *testing.T) {
	loader := NewLoader(&oneSecretAway{away: "a"}, time.Now, func([]Notice, *Table) {})
	organization := organizationOf("a")
	loader.StoreOrganization(organization)
	secret := &metav1.PartialObjectMetadata{}
	secret.Namespace, secret.Name, secret.ResourceVersion = "a", organization.SCIMTokenSecretName(), "1"
	loader.StoreSecret(secret)

	loader.load(t.Context(), func(error) {})

	if loader.Loaded() {
		t.Error("the replica says that it is ready")
	}
}
