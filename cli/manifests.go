// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	goyaml "go.yaml.in/yaml/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// manifests are the users and groups found in manifest files, by name.
type manifests struct {
	users  map[string]*v1alpha1.LambdaTestUser
	groups map[string]*v1alpha1.LambdaTestGroup
}

// standardInput is the path that stands for standard input.
const standardInput = "-"

// readManifests reads files, folders and standard input, and returns the users and groups of one organization in one namespace, with the API server's
// defaults for both. Other kinds are skipped.
func readManifests(paths []string, in io.Reader, namespace, organization string) (manifests, error) {
	found := manifests{users: map[string]*v1alpha1.LambdaTestUser{}, groups: map[string]*v1alpha1.LambdaTestGroup{}}
	keep := func(document []byte) error { return found.add(document, namespace, organization) }
	for _, path := range paths {
		if path == standardInput {
			if err := eachDocumentOf(in, keep); err != nil {
				return found, fmt.Errorf("reading manifests from standard input: %w", err)
			}
			continue
		}
		err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !isManifest(file) && file != path {
				return err
			}
			if err := checkFile(file, path); err != nil {
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

// checkFile refuses what is no file in a folder, such as a link to /dev/zero in somebody's repository, which never ends. A link to a file
// is followed, since a mounted ConfigMap consists of links. A path that the user named may be a pipe.
func checkFile(file, named string) error {
	if file == named {
		return nil
	}
	info, err := os.Stat(file)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", file)
	}
	return err
}

func eachDocument(path string, visit func([]byte) error) error {
	file, err := os.Open(path) //nolint:gosec // the user named this file
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	if err := eachDocumentOf(file, visit); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func eachDocumentOf(in io.Reader, visit func([]byte) error) error {
	documents := utilyaml.NewYAMLReader(bufio.NewReader(in))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = visit(document)
		}
		if err != nil {
			return err
		}
	}
}

// add adds a document if it is a user or a group of the organization, or a list with such items.
func (m manifests) add(document []byte, namespace, organization string) error {
	if err := refuseSecond(document); err != nil {
		return err
	}
	content, err := yaml.YAMLToJSON(document)
	if err != nil {
		return err
	}
	var head struct {
		metav1.TypeMeta `json:",inline"`
		Items           any `json:"items"`
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(content, &head); err != nil {
		return nil //nolint:nilerr // a document without a kind that is a text is none of ours
	}
	switch head.TypeMeta {
	case metav1.TypeMeta{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: v1alpha1.UserKind}:
		user := &v1alpha1.LambdaTestUser{}
		if err := parse(document, user); err != nil {
			return err
		}
		if belongs(&user.ObjectMeta, &user.Spec.OrganizationRef, namespace, organization) {
			return put(m.users, user)
		}
	case metav1.TypeMeta{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: v1alpha1.GroupKind}:
		group := &v1alpha1.LambdaTestGroup{}
		if err := parse(document, group); err != nil {
			return err
		}
		if belongs(&group.ObjectMeta, &group.Spec.OrganizationRef, namespace, organization) {
			return put(m.groups, group)
		}
	default:
		return m.addItems(head.TypeMeta, head.Items, namespace, organization)
	}
	return nil
}

// addItems adds the items of a list. As for kubectl, an item without a kind is of the list's.
func (m manifests) addItems(list metav1.TypeMeta, items any, namespace, organization string) error {
	each, _ := items.([]any)
	for _, item := range each {
		item, isObject := item.(map[string]any)
		if !isObject {
			continue
		}
		if kind, _ := item["kind"].(string); kind == "" {
			item["apiVersion"], item["kind"] = list.APIVersion, strings.TrimSuffix(list.Kind, "List")
		}
		document, err := json.Marshal(item)
		if err != nil {
			return err
		}
		if err := m.add(document, namespace, organization); err != nil {
			return err
		}
	}
	return nil
}

// put keeps a resource by its name. Without a name, the API server would make one up each time.
func put[T client.Object](into map[string]T, object T) error {
	if object.GetName() == "" {
		return errors.New("a resource has no metadata.name")
	}
	into[object.GetName()] = object
	return nil
}

// refuseSecond refuses a document with another one in it, after a line "..." or in concatenated JSON: kubectl, Flux and this command would
// not agree on which of the two are applied, and a plan must not leave out what they apply.
func refuseSecond(document []byte) error {
	documents := goyaml.NewDecoder(bytes.NewReader(document))
	var content any
	if err := documents.Decode(&content); err != nil {
		return ignoreEnd(err)
	}
	if err := documents.Decode(&content); !errors.Is(err, io.EOF) {
		return errors.Join(errors.New("a second document does not begin after a line ---"), err)
	}
	return nil
}

func ignoreEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
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
