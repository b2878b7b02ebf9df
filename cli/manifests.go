// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// manifests are the users and groups found in manifest files, by name.
type manifests struct {
	users  map[string]*v1alpha1.LambdaTestUser
	groups map[string]*v1alpha1.LambdaTestGroup
}

// readManifests reads files and folders, and returns the users and groups of one organization in one namespace, with the API server's
// defaults for both. Other kinds are skipped.
func readManifests(paths []string, namespace, organization string) (manifests, error) {
	found := manifests{users: map[string]*v1alpha1.LambdaTestUser{}, groups: map[string]*v1alpha1.LambdaTestGroup{}}
	keep := func(document []byte) error { return found.add(document, namespace, organization) }
	for _, path := range paths {
		err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !isManifest(file) && file != path {
				return err
			}
			return eachDocument(file, keep)
		})
		if err != nil {
			return found, fmt.Errorf("reading manifests: %w", err)
		}
	}
	return found, nil
}

func isManifest(file string) bool {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

func eachDocument(path string, visit func([]byte) error) error {
	file, err := os.Open(path) //nolint:gosec // the user named this file
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	documents := utilyaml.NewYAMLReader(bufio.NewReader(file))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = visit(document)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
}

// add adds a document if it is a user or a group of the organization.
func (m manifests) add(document []byte, namespace, organization string) error {
	var kind metav1.TypeMeta
	if err := yaml.Unmarshal(document, &kind); err != nil {
		return err
	}
	if kind.APIVersion != v1alpha1.SchemeGroupVersion.String() {
		return nil
	}
	switch kind.Kind {
	case v1alpha1.UserKind:
		user := &v1alpha1.LambdaTestUser{}
		if err := parse(document, user); err != nil {
			return err
		}
		if belongs(&user.ObjectMeta, &user.Spec.OrganizationRef, namespace, organization) {
			m.users[user.Name] = user
		}
	case v1alpha1.GroupKind:
		group := &v1alpha1.LambdaTestGroup{}
		if err := parse(document, group); err != nil {
			return err
		}
		if belongs(&group.ObjectMeta, &group.Spec.OrganizationRef, namespace, organization) {
			m.groups[group.Name] = group
		}
	}
	return nil
}

// parse reads strictly, as the API server does: field names are case-sensitive, and an unknown field is an error.
func parse(document []byte, into any) error {
	content, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return err
	}
	unknown, err := kjson.UnmarshalStrict(content, into)
	return errors.Join(append(unknown, err)...)
}

// belongs sets the default namespace and organization if the manifest has none, and reports whether it is about the wanted ones.
func belongs(meta *metav1.ObjectMeta, ref *v1alpha1.OrganizationReference, namespace, organization string) bool {
	meta.Namespace = cmp.Or(meta.Namespace, namespace)
	ref.Name = cmp.Or(ref.Name, defaultOrganization)
	return meta.Namespace == namespace && ref.Name == organization
}
