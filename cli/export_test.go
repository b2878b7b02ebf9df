// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/util/validation"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

func TestResourceNameIsReadable(t *testing.T) {
	for userName, expected := range map[string]string{
		"ada@example.com":          "ada-at-example.com",
		"Ada.Lovelace@Example.com": "ada.lovelace-at-example.com",
		"a-b@sub.example.com":      "a-b-at-sub.example.com",
		"ada+qa@example.com":       "user-ada-qa-example-com-" + v1alpha1.PersonDigest("default", "ada+qa@example.com"),
		"scim-x@example.com":       "user-scim-x-example-com-" + v1alpha1.PersonDigest("default", "scim-x@example.com"),
		"ada-at-x@example.com":     "user-ada-at-x-example-com-" + v1alpha1.PersonDigest("default", "ada-at-x@example.com"),
		"user-ada@example.com":     "user-user-ada-example-com-" + v1alpha1.PersonDigest("default", "user-ada@example.com"),
		"жанна":                    "user-" + v1alpha1.PersonDigest("default", "жанна"),
	} {
		if name := resourceName("default", userName); name != expected {
			t.Errorf("%q becomes %q, expected %q", userName, name, expected)
		}
	}
}

// A name that ends in a digest is given to one person only: neither a plain address that spells it nor one with the same first characters
// of the digest gets it.
func TestResourceNameOfOnePersonCannotBeChosenByAnother(t *testing.T) {
	victim := resourceName("default", "ada+qa@example.com")
	attacker := strings.Replace(resourceName("default", "ada-at-qa+x@example.com"), "-at-", "@", 1)
	if taken := resourceName("default", attacker); taken == resourceName("default", "ada-at-qa+x@example.com") {
		t.Errorf("%q is called %q, like somebody else", attacker, taken)
	}
	if digest := victim[strings.LastIndex(victim, "-")+1:]; len(digest) < 26 {
		t.Errorf("%q ends in %d characters of a digest", victim, len(digest))
	}
}

func TestResourceNameIsValidAndNotTheOperators(t *testing.T) {
	address := rapid.OneOf(rapid.StringMatching(`[A-Za-z0-9.+_-]{1,80}@[a-z0-9.-]{1,80}`), rapid.StringN(1, 254, 254))
	rapid.Check(t, func(t *rapid.T) {
		name := resourceName("default", address.Draw(t, "userName"))
		if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 {
			t.Fatalf("%q is not a valid resource name: %v", name, problems)
		}
		if strings.HasPrefix(name, v1alpha1.SCIMNamePrefix) || strings.HasPrefix(name, v1alpha1.ImportNamePrefix) {
			t.Fatalf("%q belongs to the operator", name)
		}
	})
}

func TestExportWritesThroughNoLink(t *testing.T) {
	folder, outside := t.TempDir(), filepath.Join(t.TempDir(), "profile")
	write(t, outside, "of the user")
	ada := manifestOf("default", v1alpha1.LambdaTestUserSpec{UserName: "ada@example.com"})
	if err := os.Symlink(outside, filepath.Join(folder, ada.name+".yaml")); err != nil {
		t.Fatal(err)
	}

	if err := writeFolder(folder, []exported{ada}); err == nil || !strings.Contains(err.Error(), "is not a file") {
		t.Errorf("a link is taken for a file: %v", err)
	}

	if content, _ := os.ReadFile(outside); string(content) != "of the user" {
		t.Errorf("the file outside the folder now says %q", content)
	}
}

func TestExportReplacesAManifestOfTheSameName(t *testing.T) {
	folder := t.TempDir()
	ada := manifestOf("default", v1alpha1.LambdaTestUserSpec{UserName: "ada@example.com"})
	for range 2 {
		if err := writeFolder(folder, []exported{ada}); err != nil {
			t.Fatal(err)
		}
	}
	if content, _ := os.ReadFile(filepath.Join(folder, "ada-at-example.com.yaml")); !strings.Contains(string(content), "userName: ada@example.com") {
		t.Errorf("the manifest says %q", content)
	}
}

func TestExportOfASCIMResourceIsADeclaredClaim(t *testing.T) {
	user := &v1alpha1.LambdaTestUser{Spec: v1alpha1.LambdaTestUserSpec{
		UserName: "ada@example.com", Name: v1alpha1.PersonName{GivenName: "Ada", FamilyName: "Lovelace"},
		Role: v1alpha1.RoleAdmin, Active: new(true), ExternalID: "00u1", Emails: []v1alpha1.Email{{Value: "ada@example.com"}},
		ManagementPolicy: v1alpha1.ManagementFull, DeletionPolicy: v1alpha1.DeletionDeactivate,
	}}
	user.Name = "scim-3irzrh5ttlhbmhlcpqesbkw5oe"
	user.Labels = map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM}
	expectManifest(t, manifestOf("default", specOfResource(user)), `apiVersion: iam.lambdatest.io/v1alpha1
kind: LambdaTestUser
metadata:
  name: ada-at-example.com
spec:
  name:
    familyName: Lovelace
    givenName: Ada
  role: Admin
  userName: ada@example.com
`)
}

func TestExportOfADeniedPersonDenies(t *testing.T) {
	account := lambdatest.User{UserName: "ada@example.com", GivenName: "Ada", FamilyName: "Lovelace", Role: "User", ConcurrencyGroup: "night"}
	expectManifest(t, manifestOf("staging", specOfAccount(account)), `apiVersion: iam.lambdatest.io/v1alpha1
kind: LambdaTestUser
metadata:
  name: ada-at-example.com
spec:
  active: false
  concurrencyGroup: night
  name:
    familyName: Lovelace
    givenName: Ada
  organizationRef:
    name: staging
  role: User
  userName: ada@example.com
`)
}

func TestExportLeavesOutARoleThatNoResourceCanHave(t *testing.T) {
	account := lambdatest.User{UserName: "ada@example.com", Role: "Release Manager", Active: true}
	spec := specOfAccount(account)
	if spec.Role != "" || spec.Name.GivenName == "" || spec.Name.FamilyName == "" {
		t.Errorf("the manifest says %+v, which the API server refuses", spec)
	}
}

var _ = Describe("export", func() {
	var place string

	BeforeEach(func(ctx SpecContext) {
		place = namespace(ctx)
		madeIn(ctx, place, "default")
		madeIn(ctx, place, "staging")
	})

	It("writes an imported resource, by its name, as a manifest that can be applied unchanged", func(ctx SpecContext) {
		user := claimed(ctx, place, "import-ada", func(user *v1alpha1.LambdaTestUser) {
			user.Labels = map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceImport}
			user.Spec.OrganizationRef.Name, user.Spec.ManagementPolicy, user.Spec.Role = "staging", v1alpha1.ManagementObserve, ""
		})
		user.Status.Account = &v1alpha1.AccountState{Active: true, Role: "Release Manager", ConcurrencyGroup: "night"}
		Expect(k8s.Status().Update(ctx, user)).To(Succeed())

		written, err := called(ctx, exportCommand(), "", "-n", place, "import-ada")
		Expect(err).NotTo(HaveOccurred())

		applied := &v1alpha1.LambdaTestUser{}
		Expect(yaml.UnmarshalStrict([]byte(written), applied)).To(Succeed())
		applied.Namespace = place
		Expect(k8s.Create(ctx, applied)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(k8s.Delete(ctx, applied)).To(Succeed()) })
		Expect(applied.Spec.OrganizationRef.Name).To(Equal("staging"))
		Expect(applied.Spec.ManagementPolicy).To(Equal(v1alpha1.ManagementFull))
		Expect(applied.Spec.ConcurrencyGroup).To(Equal("night"))
		Expect(v1alpha1.IsDeclared(applied)).To(BeTrue())
	})

	It("also finds a person by userName", func(ctx SpecContext) {
		claimed(ctx, place, "grace")
		Expect(called(ctx, exportCommand(), "", "-n", place, "GRACE@example.com")).To(ContainSubstring("userName: grace@example.com"))
	})

	It("writes everybody or nobody: the same address in two organizations is no name for two files", func(ctx SpecContext) {
		claimed(ctx, place, "joan")
		claimed(ctx, place, "joan-too", func(user *v1alpha1.LambdaTestUser) {
			user.Spec.UserName, user.Spec.OrganizationRef.Name = "joan@example.com", "staging"
		})
		folder := GinkgoT().TempDir()
		_, err := called(ctx, exportCommand(), "", "-n", place, "joan@example.com", "--folder", folder)
		Expect(err).To(MatchError(ContainSubstring("two people would be called joan-at-example.com")))
		Expect(os.ReadDir(folder)).To(BeEmpty())
		Expect(called(ctx, exportCommand(), "", "-n", place, "joan@example.com", "--organization", "staging")).To(ContainSubstring("name: staging"))
	})

	It("refuses a name that no resource has", func(ctx SpecContext) {
		_, err := called(ctx, exportCommand(), "", "-n", place, "import-nobody")
		Expect(err).To(MatchError("there is no LambdaTestUser import-nobody in namespace " + place))
	})

	It("writes a list that kubectl applies with -o json", func(ctx SpecContext) {
		claimed(ctx, place, "barbara")
		Expect(called(ctx, exportCommand(), "", "-n", place, "-o", "json")).
			To(And(ContainSubstring(`"kind": "List"`), ContainSubstring(`"userName": "barbara@example.com"`)))
	})
})

func expectManifest(t *testing.T, made exported, expected string) {
	t.Helper()
	var out bytes.Buffer
	if err := writeStream(&out, []exported{made}); err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(expected, out.String()); difference != "" {
		t.Errorf("the manifest differs (-expected +actual):\n%s", difference)
	}
}
