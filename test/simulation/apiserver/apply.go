// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/controller/openapi/builder"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/yaml"
)

// Server-side apply is apimachinery's. An object has managedFields from its first apply on; a real server tracks every writer from the start.
// So fields that were set before the first apply belong to the manager "before-first-apply", whoever set them.

// customFieldManagers knows the lists and maps of a definition.
func customFieldManagers(definition *apiextensionsv1.CustomResourceDefinition, rules *custom) (map[string]*managedfields.FieldManager, error) {
	api, err := builder.BuildOpenAPIV3(definition, rules.gvk.Version, builder.Options{})
	if err != nil {
		return nil, fmt.Errorf("describing %s: %w", definition.Name, err)
	}
	types, err := managedfields.NewTypeConverter(api.Components.Schemas, false)
	if err != nil {
		return nil, fmt.Errorf("describing %s: %w", definition.Name, err)
	}
	version := fieldpath.APIVersion(rules.gvk.GroupVersion().String())
	reset := func(names ...string) map[fieldpath.APIVersion]fieldpath.Filter {
		set := fieldpath.NewSet()
		for _, name := range names {
			set.Insert(fieldpath.MakePathOrDie(name))
		}
		return map[fieldpath.APIVersion]fieldpath.Filter{version: fieldpath.NewExcludeSetFilter(set)}
	}
	managers := map[string]*managedfields.FieldManager{}
	for subresource, filter := range map[string]map[fieldpath.APIVersion]fieldpath.Filter{"": reset("status"), "status": reset("metadata", "spec")} {
		if managers[subresource], err = newFieldManager(types, rules.gvk, subresource, filter); err != nil {
			return nil, err
		}
	}
	return managers, nil
}

// coreFieldManagers treat every list as one value, because they have no schema.
func coreFieldManagers(k *kind) (map[string]*managedfields.FieldManager, error) {
	manager, err := newFieldManager(managedfields.NewDeducedTypeConverter(), k.gvk(), "", nil)
	return map[string]*managedfields.FieldManager{"": manager}, err
}

func newFieldManager(
	types managedfields.TypeConverter, gvk schema.GroupVersionKind, subresource string, filter map[fieldpath.APIVersion]fieldpath.Filter,
) (*managedfields.FieldManager, error) {
	return managedfields.NewDefaultCRDFieldManager(types, oneVersion{}, oneVersion{}, oneVersion{}, gvk, gvk.GroupVersion(), subresource, filter)
}

// oneVersion is what a field manager needs of a scheme, for kinds with one version and without defaults of their own.
type oneVersion struct{}

func (oneVersion) Convert(any, any, any) error { return errors.New("there is one version only") }

func (oneVersion) ConvertToVersion(in runtime.Object, _ runtime.GroupVersioner) (runtime.Object, error) {
	return in, nil
}

func (oneVersion) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}

func (oneVersion) Default(runtime.Object) {}

func (oneVersion) New(gvk schema.GroupVersionKind) (runtime.Object, error) {
	o := &unstructured.Unstructured{Object: object{}}
	o.SetGroupVersionKind(gvk)
	return o, nil
}

// apply merges the body into an object, or makes one of it.
func (in intent) apply(before *version, force bool) (object, error) {
	manager := in.kind.fieldManagers[in.subresource]
	if manager == nil {
		return nil, apierrors.NewMethodNotSupported(in.kind.group(), "apply")
	}
	applied := object{}
	if err := yaml.Unmarshal(in.body, &applied); err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
	}
	live, _ := oneVersion{}.New(in.kind.gvk())
	if before != nil {
		live = &unstructured.Unstructured{Object: before.object}
	}
	result, err := manager.Apply(live.DeepCopyObject(), &unstructured.Unstructured{Object: applied}, in.manager, force)
	if err != nil {
		return nil, err
	}
	o, err := plain(result.(*unstructured.Unstructured).Object)
	if err != nil {
		return nil, err
	}
	unknown, err := in.kind.rules.read(o)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if in.strict && len(unknown) > 0 {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("error strict decoding patch: %v", unknown))
	}
	return o, nil
}

// plain makes the numbers of an object what they are after decoding JSON.
func plain(o object) (object, error) {
	content, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	decoded := object{}
	return decoded, kjson.UnmarshalCaseSensitivePreserveInts(content, &decoded)
}

// track notes who owns the fields that an update changes, if the object has ever been applied.
func (in intent) track(before *version, o object) object {
	manager := in.kind.fieldManagers[in.subresource]
	if before == nil || manager == nil || metadataOf(before.object)["managedFields"] == nil {
		delete(metadataOf(o), "managedFields")
		return o
	}
	return manager.UpdateNoErrors(meta(before.object).DeepCopy(), meta(o), in.manager).(*unstructured.Unstructured).Object
}

// isSame says whether two objects differ in nothing but the times of their managedFields.
func isSame(o, old object) bool {
	if metadataOf(old)["managedFields"] == nil {
		return reflect.DeepEqual(o, old)
	}
	return reflect.DeepEqual(withoutTimes(o), withoutTimes(old))
}

func withoutTimes(o object) object {
	copied := meta(o).DeepCopy()
	entries := copied.GetManagedFields()
	for i := range entries {
		entries[i].Time = nil
	}
	copied.SetManagedFields(entries)
	return copied.Object
}
