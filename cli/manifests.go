// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// readUsers reads the LambdaTestUsers out of manifest files and folders; other kinds are passed over. What the API server would fill in
// is filled in.
func readUsers(paths []string, namespace string) ([]*v1alpha1.LambdaTestUser, error) {
	var users []*v1alpha1.LambdaTestUser
	for _, path := range paths {
		err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !isManifest(file) && file != path {
				return err
			}
			found, err := readFile(file, namespace)
			users = append(users, found...)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("reading manifests: %w", err)
		}
	}
	return users, nil
}

func isManifest(file string) bool {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

func readFile(path, namespace string) ([]*v1alpha1.LambdaTestUser, error) {
	file, err := os.Open(path) //nolint:gosec // a file that its reader named
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var users []*v1alpha1.LambdaTestUser
	documents := utilyaml.NewYAMLReader(bufio.NewReader(file))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return users, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		user, err := parseUser(document, namespace)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if user != nil {
			users = append(users, user)
		}
	}
}

// parseUser returns nil for anything that is no LambdaTestUser.
func parseUser(document []byte, namespace string) (*v1alpha1.LambdaTestUser, error) {
	user := &v1alpha1.LambdaTestUser{}
	if err := yaml.Unmarshal(document, &user.TypeMeta); err != nil {
		return nil, err
	}
	if user.Kind != v1alpha1.UserKind || user.APIVersion != v1alpha1.SchemeGroupVersion.String() {
		return nil, nil
	}
	content, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return nil, err
	}
	// As the API server reads it: with regard to case, and refusing what it does not know.
	unknown, err := kjson.UnmarshalStrict(content, user)
	if err := errors.Join(append(unknown, err)...); err != nil {
		return nil, err
	}
	if user.Namespace == "" {
		user.Namespace = namespace
	}
	if user.Spec.OrganizationRef.Name == "" {
		user.Spec.OrganizationRef.Name = defaultOrganization
	}
	return user, nil
}
