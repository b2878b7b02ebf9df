// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	schemaobjectmeta "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/api/operation"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/common"
)

// custom are the rules of a custom resource. The code that applies its schema is that of the real server.
type custom struct {
	gvk             schema.GroupVersionKind
	namespaced      bool
	hasStatus       bool
	structural      *structuralschema.Structural
	validator       validation.SchemaValidator
	statusValidator validation.SchemaValidator
	cel             *cel.Validator
	selectors       []string
}

// customKind returns the kind of a definition, which must have one version.
func customKind(definition *apiextensionsv1.CustomResourceDefinition) (*kind, error) {
	if len(definition.Spec.Versions) != 1 {
		return nil, fmt.Errorf("%s has %d versions; a server in memory converts none", definition.Name, len(definition.Spec.Versions))
	}
	v := definition.Spec.Versions[0]
	gv := schema.GroupVersion{Group: definition.Spec.Group, Version: v.Name}
	rules := &custom{
		gvk:        gv.WithKind(definition.Spec.Names.Kind),
		namespaced: definition.Spec.Scope == apiextensionsv1.NamespaceScoped,
		hasStatus:  v.Subresources != nil && v.Subresources.Status != nil,
	}
	if err := rules.compile(v.Schema); err != nil {
		return nil, fmt.Errorf("compiling the schema of %s: %w", definition.Name, err)
	}
	for _, selectable := range v.SelectableFields {
		rules.selectors = append(rules.selectors, strings.TrimPrefix(selectable.JSONPath, "."))
	}
	k := &kind{
		GroupVersionResource: gv.WithResource(definition.Spec.Names.Plural),
		kind:                 rules.gvk.Kind,
		namespaced:           rules.namespaced,
		rules:                rules,
	}
	if rules.hasStatus {
		k.subresources = []string{"status"}
	}
	var err error
	k.fieldManagers, err = customFieldManagers(definition, rules)
	return k, err
}

func (c *custom) compile(versioned *apiextensionsv1.CustomResourceValidation) error {
	internal := &apiextensions.CustomResourceValidation{}
	if err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(versioned, internal, nil); err != nil {
		return err
	}
	structural, err := structuralschema.NewStructural(internal.OpenAPIV3Schema)
	if err != nil {
		return err
	}
	c.structural = structural.DeepCopy()
	if err := defaulting.PruneDefaults(c.structural); err != nil {
		return err
	}
	if c.validator, _, err = validation.NewSchemaValidator(internal.OpenAPIV3Schema); err != nil {
		return err
	}
	if status, ok := internal.OpenAPIV3Schema.Properties["status"]; ok {
		if c.statusValidator, _, err = validation.NewSchemaValidator(&status); err != nil {
			return err
		}
	}
	c.cel = cel.NewValidator(c.structural, true, celconfig.PerCallLimit)
	return nil
}

func (c *custom) traits() traits {
	return traits{listsTyped: true, selectors: c.selectors}
}

// read does what the real server does between decoding JSON and admission.
func (c *custom) read(o object) ([]string, error) {
	name, _, err := unstructured.NestedString(o, "kind")
	if err != nil {
		return nil, err
	}
	apiVersion, _, err := unstructured.NestedString(o, "apiVersion")
	if err != nil {
		return nil, err
	}
	metadata, hasMetadata, unknown, err := schemaobjectmeta.GetObjectMetaWithOptions(o, schemaobjectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true})
	if err != nil {
		return nil, err
	}
	if apiVersion == c.gvk.GroupVersion().String() && name == c.gvk.Kind {
		pruned := pruning.PruneWithOptions(o, c.structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
		defaulting.PruneNonNullableNullsWithoutDefaults(o, c.structural)
		coerceErr, coerced := schemaobjectmeta.CoerceWithOptions(nil, o, c.structural, false, schemaobjectmeta.CoerceOptions{ReturnUnknownFieldPaths: true})
		if coerceErr != nil {
			return nil, coerceErr
		}
		unknown = append(append(unknown, pruned...), coerced...)
	}
	o["kind"], o["apiVersion"] = name, apiVersion
	if hasMetadata {
		if err := schemaobjectmeta.SetObjectMeta(o, metadata); err != nil {
			return nil, err
		}
	}
	if name == c.gvk.Kind {
		defaulting.Default(o, c.structural)
	}
	return unknown, nil
}

// complete sets the defaults that a read from storage would: those of a status that a create dropped.
func (c *custom) complete(o object) bool {
	before := len(o)
	defaulting.Default(o, c.structural)
	return len(o) != before
}

func (c *custom) prepareCreate(o object) {
	if c.hasStatus {
		delete(o, "status")
	}
	meta(o).SetGeneration(1)
}

func (c *custom) prepareUpdate(o, old object, subresource string) {
	if subresource == "status" {
		status, has := o["status"]
		managed := meta(o).GetManagedFields()
		clear(o)
		maps.Copy(o, old)
		o["metadata"] = maps.Clone(metadataOf(old))
		setManagedFields(o, managed)
		if delete(o, "status"); has {
			o["status"] = status
		}
		return
	}
	if c.hasStatus {
		if delete(o, "status"); old["status"] != nil {
			o["status"] = old["status"]
		}
	}
	if !sameButMetadata(o, old) {
		meta(o).SetGeneration(meta(old).GetGeneration() + 1)
	}
}

func sameButMetadata(a, b object) bool {
	a, b = maps.Clone(a), maps.Clone(b)
	delete(a, "metadata")
	delete(b, "metadata")
	return reflect.DeepEqual(a, b)
}

func (c *custom) validateCreate(o object) field.ErrorList {
	if errs := c.validateType(o); len(errs) > 0 {
		return errs
	}
	metadata, errs := decodeMeta(o)
	if len(errs) == 0 {
		errs = apivalidation.ValidateObjectMetaDeclaratively(context.Background(), operation.Create, metadata, nil, c.namespaced,
			apivalidation.NameIsDNSSubdomain, field.NewPath("metadata"), true)
	}
	errs = append(errs, validation.ValidateCustomResource(nil, o, c.validator)...)
	errs = append(errs, schemaobjectmeta.Validate(context.Background(), nil, o, c.structural, false)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, c.structural, o)...)
	return append(errs, c.evaluate(errs, o, nil)...)
}

func (c *custom) validateUpdate(o, old object, subresource string) field.ErrorList {
	if errs := c.validateType(o); len(errs) > 0 {
		return errs
	}
	correlated := common.NewCorrelatedObject(o, old, &model.Structural{Structural: c.structural})
	metadata, errs := decodeMeta(o)
	if oldMetadata, oldErrs := decodeMeta(old); len(errs)+len(oldErrs) == 0 {
		errs = apivalidation.ValidateObjectMetaDeclaratively(context.Background(), operation.Update, metadata, oldMetadata, c.namespaced, nil,
			field.NewPath("metadata"), true)
	}
	if subresource == "status" {
		if status, has := o["status"]; has {
			errs = append(errs, validation.ValidateCustomResourceUpdate(field.NewPath("status"), status, old["status"], c.statusValidator,
				validation.WithRatcheting(correlated.Key("status")))...)
		}
	} else {
		errs = append(errs, validation.ValidateCustomResourceUpdate(nil, o, old, c.validator, validation.WithRatcheting(correlated))...)
		errs = append(errs, schemaobjectmeta.Validate(context.Background(), nil, o, c.structural, false)...)
	}
	if len(listtype.ValidateListSetsAndMaps(nil, c.structural, old)) == 0 {
		errs = append(errs, listtype.ValidateListSetsAndMaps(nil, c.structural, o)...)
	}
	return append(errs, c.evaluate(errs, o, old, cel.WithRatcheting(correlated))...)
}

// evaluate checks the CEL rules, unless an earlier error makes that pointless.
func (c *custom) evaluate(errs field.ErrorList, o, old object, options ...cel.Option) field.ErrorList {
	if c.cel == nil {
		return nil
	}
	for _, err := range errs {
		switch err.Type {
		case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			return field.ErrorList{field.Invalid(nil, nil,
				"some validation rules were not checked because the object was invalid; correct the existing errors to complete validation")}
		default:
		}
	}
	var previous any
	if old != nil {
		previous = old
	}
	found, _ := c.cel.Validate(context.Background(), nil, c.structural, o, previous, celconfig.RuntimeCELCostBudget, options...)
	return found
}

func (c *custom) validateType(o object) field.ErrorList {
	var errs field.ErrorList
	if name := meta(o).GetKind(); name != c.gvk.Kind {
		errs = append(errs, field.Invalid(field.NewPath("kind"), name, "must be "+c.gvk.Kind))
	}
	if version := meta(o).GetAPIVersion(); version != c.gvk.GroupVersion().String() {
		errs = append(errs, field.Invalid(field.NewPath("apiVersion"), version, "must be "+c.gvk.GroupVersion().String()))
	}
	return errs
}

func (c *custom) selectable(o object) fields.Set {
	set := fields.Set{}
	for _, name := range c.selectors {
		set[name] = ""
		if value, found, _ := unstructured.NestedFieldNoCopy(o, strings.Split(name, ".")...); found && value != nil {
			set[name] = fmt.Sprint(value)
		}
	}
	return set
}

func decodeMeta(o object) (*metav1.ObjectMeta, field.ErrorList) {
	metadata := &metav1.ObjectMeta{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(metadataOf(o), metadata); err != nil {
		return nil, field.ErrorList{field.Invalid(field.NewPath("metadata"), nil, err.Error())}
	}
	return metadata, nil
}

func setManagedFields(o object, entries []metav1.ManagedFieldsEntry) {
	if len(entries) == 0 {
		delete(metadataOf(o), "managedFields")
		return
	}
	meta(o).SetManagedFields(entries)
}
