// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/base64"
	"fmt"
	"maps"
	"reflect"
	"slices"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// typed are the rules of a kind that has a Go type. A body takes the form that the type gives it.
type typed struct {
	fresh      func() runtime.Object
	namespaced bool
	nameRule   apivalidation.ValidateNameFunc
	constant   traits
	// The others may be nil. fill converts and sets defaults when a body is read, create and update set what a client may not, and validate
	// gets nil for old when the object is created.
	fill     func(o object)
	create   func(o object)
	update   func(o, old object, subresource string)
	validate func(o, old runtime.Object, subresource string) field.ErrorList
	fields   func(o object) fields.Set
}

func (t *typed) traits() traits {
	constant := t.constant
	constant.strategic, constant.empty = t.fresh(), object{}
	_ = t.encode(t.fresh(), constant.empty) // the zero value
	return constant
}

func (t *typed) read(o object) (unknown []string, err error) {
	value := t.fresh()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o, value, true); err != nil {
		strict, isStrict := runtime.AsStrictDecodingError(err)
		if !isStrict {
			return nil, err
		}
		for _, err := range strict.Errors() {
			unknown = append(unknown, err.Error())
		}
	}
	if err := t.encode(value, o); err != nil {
		return nil, err
	}
	if t.fill != nil {
		t.fill(o)
	}
	return unknown, nil
}

// encode replaces the content of o by the value.
func (t *typed) encode(value runtime.Object, o object) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(value)
	if err != nil {
		return err
	}
	clear(o)
	maps.Copy(o, content)
	if metadata := metadataOf(o); metadata != nil && metadata["creationTimestamp"] == nil {
		delete(metadata, "creationTimestamp")
	}
	return nil
}

func (t *typed) complete(object) bool { return false }

func (t *typed) prepareCreate(o object) {
	if t.create != nil {
		t.create(o)
	}
}

func (t *typed) prepareUpdate(o, old object, subresource string) {
	if t.update != nil {
		t.update(o, old, subresource)
	}
}

func (t *typed) validateCreate(o object) field.ErrorList {
	metadata, errs := decodeMeta(o)
	if len(errs) == 0 && t.nameRule != nil {
		errs = apivalidation.ValidateObjectMeta(metadata, t.namespaced, t.nameRule, field.NewPath("metadata"))
	}
	return append(errs, t.check(o, nil, "")...)
}

func (t *typed) validateUpdate(o, old object, subresource string) field.ErrorList {
	metadata, errs := decodeMeta(o)
	oldMetadata, oldErrs := decodeMeta(old)
	if len(errs)+len(oldErrs) == 0 {
		errs = apivalidation.ValidateObjectMetaUpdate(metadata, oldMetadata, field.NewPath("metadata"))
	}
	return append(errs, t.check(o, old, subresource)...)
}

func (t *typed) check(o, old object, subresource string) field.ErrorList {
	if t.validate == nil {
		return nil
	}
	values := [2]runtime.Object{}
	for i, content := range []object{o, old} {
		if content == nil {
			continue
		}
		values[i] = t.fresh()
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, values[i]); err != nil {
			return field.ErrorList{field.InternalError(nil, err)}
		}
	}
	return t.validate(values[0], values[1], subresource)
}

func (t *typed) selectable(o object) fields.Set {
	if t.fields == nil {
		return nil
	}
	return t.fields(o)
}

// coreKinds are the kinds of Kubernetes that the operator, and those who work beside it, read and write.
func coreKinds() []*kind {
	core := schema.GroupVersion{Version: "v1"}
	return []*kind{
		{GroupVersionResource: core.WithResource("namespaces"), kind: "Namespace", subresources: []string{"status", "finalize"}, rules: namespaces()},
		{GroupVersionResource: core.WithResource("secrets"), kind: "Secret", namespaced: true, rules: secrets()},
		{GroupVersionResource: core.WithResource("configmaps"), kind: "ConfigMap", namespaced: true, rules: configMaps()},
		{GroupVersionResource: core.WithResource("serviceaccounts"), kind: "ServiceAccount", namespaced: true, rules: serviceAccounts()},
		{GroupVersionResource: core.WithResource("events"), kind: "Event", namespaced: true, rules: coreEvents()},
		{
			GroupVersionResource: schema.GroupVersionResource{Group: eventsGroup, Version: "v1", Resource: "events"},
			kind:                 "Event", namespaced: true, rules: events(),
		},
		{GroupVersionResource: coordinationv1.SchemeGroupVersion.WithResource("leases"), kind: "Lease", namespaced: true, rules: leases()},
		{
			GroupVersionResource: apiextensionsv1.SchemeGroupVersion.WithResource("customresourcedefinitions"),
			kind:                 "CustomResourceDefinition", rules: definitions(), readOnly: true,
		},
	}
}

func namespaces() *typed {
	return &typed{
		fresh:    func() runtime.Object { return &corev1.Namespace{} },
		nameRule: apivalidation.ValidateNamespaceName,
		constant: traits{unconditionalUpdate: true, returnsDeleted: true, selectors: []string{"status.phase", "name"}},
		fill: func(o object) {
			if name := meta(o).GetName(); name != "" {
				labels := meta(o).GetLabels()
				if labels == nil {
					labels = map[string]string{}
				}
				labels[corev1.LabelMetadataName] = name
				meta(o).SetLabels(labels)
			}
		},
		create: func(o object) {
			o["status"] = object{"phase": string(corev1.NamespaceActive)}
			finalizers, _, _ := unstructured.NestedStringSlice(o, "spec", "finalizers")
			if !slices.Contains(finalizers, string(corev1.FinalizerKubernetes)) {
				_ = unstructured.SetNestedStringSlice(o, append(finalizers, string(corev1.FinalizerKubernetes)), "spec", "finalizers")
			}
		},
		update: func(o, old object, subresource string) {
			if subresource != "finalize" {
				o["spec"] = old["spec"]
			}
			if subresource != "status" {
				o["status"] = old["status"]
			}
		},
		fields: func(o object) fields.Set {
			phase, _, _ := unstructured.NestedString(o, "status", "phase")
			return fields.Set{"status.phase": phase, "name": meta(o).GetName()}
		},
	}
}

func secrets() *typed {
	return &typed{
		fresh:      func() runtime.Object { return &corev1.Secret{} },
		namespaced: true,
		nameRule:   apivalidation.NameIsDNSSubdomain,
		constant:   traits{unconditionalUpdate: true, selectors: []string{"type"}},
		fill:       fillSecret,
		validate:   validateSecret,
		fields: func(o object) fields.Set {
			kind, _, _ := unstructured.NestedString(o, "type")
			return fields.Set{"type": kind}
		},
	}
}

// fillSecret moves stringData to data.
func fillSecret(o object) {
	if texts, found, _ := unstructured.NestedStringMap(o, "stringData"); found {
		data, _ := o["data"].(object)
		data = maps.Clone(data)
		if data == nil {
			data = object{}
		}
		for key, text := range texts {
			data[key] = base64.StdEncoding.EncodeToString([]byte(text))
		}
		o["data"] = data
		delete(o, "stringData")
	}
	if kind, _, _ := unstructured.NestedString(o, "type"); kind == "" {
		o["type"] = string(corev1.SecretTypeOpaque)
	}
}

func validateSecret(o, old runtime.Object, _ string) (errs field.ErrorList) {
	secret := o.(*corev1.Secret)
	if old, ok := old.(*corev1.Secret); ok {
		errs = apivalidation.ValidateImmutableField(secret.Type, old.Type, field.NewPath("type"))
		errs = append(errs, validateSealed(old.Immutable, secret.Immutable, secret.Data, old.Data)...)
	}
	return append(errs, validateData(secret.Data, field.NewPath("data"))...)
}

func validateSealed[T any](sealed, still *bool, data, oldData map[string]T) (errs field.ErrorList) {
	if sealed == nil || !*sealed {
		return nil
	}
	const reason = "field is immutable when `immutable` is set"
	if still == nil || !*still {
		errs = append(errs, field.Forbidden(field.NewPath("immutable"), reason))
	}
	if !reflect.DeepEqual(data, oldData) {
		errs = append(errs, field.Forbidden(field.NewPath("data"), reason))
	}
	return errs
}

func validateData[T ~string | ~[]byte](data map[string]T, path *field.Path) (errs field.ErrorList) {
	size := 0
	for key, value := range data {
		for _, message := range validation.IsConfigMapKey(key) {
			errs = append(errs, field.Invalid(path.Key(key), key, message))
		}
		size += len(value)
	}
	if size > corev1.MaxSecretSize {
		errs = append(errs, field.TooLong(path, "", corev1.MaxSecretSize))
	}
	return errs
}

func configMaps() *typed {
	return &typed{
		fresh:      func() runtime.Object { return &corev1.ConfigMap{} },
		namespaced: true,
		nameRule:   apivalidation.NameIsDNSSubdomain,
		constant:   traits{unconditionalUpdate: true},
		validate: func(o, old runtime.Object, _ string) (errs field.ErrorList) {
			config := o.(*corev1.ConfigMap)
			if old, ok := old.(*corev1.ConfigMap); ok {
				errs = validateSealed(old.Immutable, config.Immutable, config.Data, old.Data)
			}
			return append(errs, validateData(config.Data, field.NewPath("data"))...)
		},
	}
}

func serviceAccounts() *typed {
	return &typed{
		fresh:      func() runtime.Object { return &corev1.ServiceAccount{} },
		namespaced: true,
		nameRule:   apivalidation.NameIsDNSSubdomain,
		constant:   traits{unconditionalUpdate: true},
	}
}

func leases() *typed {
	return &typed{
		fresh:      func() runtime.Object { return &coordinationv1.Lease{} },
		namespaced: true,
		nameRule:   apivalidation.NameIsDNSSubdomain,
		constant:   traits{createOnUpdate: true},
		validate: func(o, _ runtime.Object, _ string) (errs field.ErrorList) {
			spec, path := o.(*coordinationv1.Lease).Spec, field.NewPath("spec")
			if seconds := spec.LeaseDurationSeconds; seconds != nil && *seconds <= 0 {
				errs = append(errs, field.Invalid(path.Child("leaseDurationSeconds"), *seconds, "must be greater than 0"))
			}
			if transitions := spec.LeaseTransitions; transitions != nil && *transitions < 0 {
				errs = append(errs, field.Invalid(path.Child("leaseTransitions"), *transitions, "must be greater than or equal to 0"))
			}
			return errs
		},
		// These two fields are behind a feature gate.
		create: func(o object) { dropCoordination(o) },
		update: func(o, _ object, _ string) { dropCoordination(o) },
	}
}

func dropCoordination(o object) {
	unstructured.RemoveNestedField(o, "spec", "strategy")
	unstructured.RemoveNestedField(o, "spec", "preferredHolder")
}

// definitions lets clients delete definitions and change their metadata, nothing else.
func definitions() *typed {
	return &typed{
		fresh:    func() runtime.Object { return &apiextensionsv1.CustomResourceDefinition{} },
		nameRule: apivalidation.NameIsDNSSubdomain,
		update:   func(o, old object, _ string) { o["spec"], o["status"] = old["spec"], old["status"] },
	}
}

// definitionObject is a definition as it is stored once it is established.
func definitionObject(definition *apiextensionsv1.CustomResourceDefinition) (object, error) {
	now := metav1.Now()
	condition := func(kind apiextensionsv1.CustomResourceDefinitionConditionType) apiextensionsv1.CustomResourceDefinitionCondition {
		return apiextensionsv1.CustomResourceDefinitionCondition{Type: kind, Status: apiextensionsv1.ConditionTrue, LastTransitionTime: now}
	}
	definition.Finalizers = []string{definitionFinalizer}
	definition.Status = apiextensionsv1.CustomResourceDefinitionStatus{
		AcceptedNames:  definition.Spec.Names,
		StoredVersions: []string{definition.Spec.Versions[0].Name},
		Conditions: []apiextensionsv1.CustomResourceDefinitionCondition{
			condition(apiextensionsv1.NamesAccepted), condition(apiextensionsv1.Established),
		},
	}
	o, err := runtime.DefaultUnstructuredConverter.ToUnstructured(definition)
	if err != nil {
		return nil, fmt.Errorf("converting %s: %w", definition.Name, err)
	}
	return o, nil
}
