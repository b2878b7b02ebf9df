// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/mergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// maxPatchOperations is the limit of a JSON patch.
const maxPatchOperations = 10000

func (s *Server) patch(req *request) (answer, error) {
	content, _, _ := strings.Cut(req.Header.Get("Content-Type"), ";")
	form := types.PatchType(content)
	supported := form == types.JSONPatchType || form == types.MergePatchType || form == types.ApplyYAMLPatchType ||
		form == types.StrategicMergePatchType && req.kind.traits.strategic != nil
	if !supported {
		return answer{}, unsupportedMediaType("application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml")
	}
	options := &metav1.PatchOptions{}
	if err := req.decodeOptions(options); err != nil {
		return answer{}, err
	}
	if errs := metavalidation.ValidatePatchOptions(options, form); len(errs) > 0 {
		return answer{}, apierrors.NewInvalid(optionsKind("PatchOptions"), "", errs)
	}
	in := req.intent(options.DryRun, options.FieldValidation, options.FieldManager)
	change := func(before *version) (object, error) { return in.patched(form, before) }
	if form == types.ApplyYAMLPatchType {
		if _, err := yaml.YAMLToJSON(req.body); err != nil {
			return answer{}, apierrors.NewBadRequest(fmt.Sprintf("error encoding patch: %v", err))
		}
		force := options.Force != nil && *options.Force
		change = func(before *version) (object, error) { return in.apply(before, force) }
	} else if !json.Valid(req.body) {
		return answer{}, apierrors.NewBadRequest("invalid JSON patch")
	}
	return s.update(in, nil, func(before *version) (object, error) {
		o, err := change(before)
		if err != nil {
			return nil, err
		}
		if before == nil && meta(o).GetUID() != "" {
			return nil, apierrors.NewConflict(in.kind.group(), in.name,
				fmt.Errorf("uid mismatch: the provided object specified uid %s, and no existing object was found", meta(o).GetUID()))
		}
		if err := in.placeIn(o); err != nil {
			return nil, err
		}
		return o, in.checkName(o)
	})
}

// patched applies a patch of JSON to an object.
func (in intent) patched(form types.PatchType, before *version) (after object, err error) {
	if before == nil {
		return nil, apierrors.NewNotFound(in.kind.group(), in.name)
	}
	content := in.kind.json(before)
	switch form {
	case types.JSONPatchType:
		content, err = jsonPatched(content, in.body)
	case types.MergePatchType:
		content, err = mergePatched(content, in.body)
	default:
		content, err = strategicPatched(content, in.body, in.kind.traits.strategic)
	}
	if err != nil {
		return nil, err
	}
	if after, err = in.decodePatched(content); err != nil {
		return nil, err
	}
	return in.track(before, after), nil
}

func jsonPatched(before, patch []byte) ([]byte, error) {
	operations := []struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		From  string `json:"from"`
		Value any    `json:"value"`
	}{}
	if _, err := kjson.UnmarshalStrict(patch, &operations); err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
	}
	decoded, err := jsonpatch.DecodePatch(patch)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if len(decoded) > maxPatchOperations {
		return nil, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("at most %d operations", maxPatchOperations))
	}
	after, err := decoded.Apply(before)
	if err != nil {
		return nil, unprocessable(err)
	}
	return after, nil
}

func unprocessable(err error) error {
	return apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", err.Error(), 0, false)
}

func mergePatched(before, patch []byte) ([]byte, error) {
	if _, err := kjson.UnmarshalStrict(patch, &object{}); err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
	}
	after, err := jsonpatch.MergePatch(before, patch)
	if errors.Is(err, jsonpatch.ErrBadJSONPatch) {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return after, err
}

func strategicPatched(before, patch []byte, strategic any) ([]byte, error) {
	decoded := object{}
	if _, err := kjson.UnmarshalStrict(patch, &decoded); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	after, err := strategicpatch.StrategicMergePatch(before, patch, strategic)
	switch {
	case errors.Is(err, mergepatch.ErrBadJSONDoc), errors.Is(err, mergepatch.ErrBadPatchFormatForPrimitiveList),
		errors.Is(err, mergepatch.ErrBadPatchFormatForRetainKeys), errors.Is(err, mergepatch.ErrBadPatchFormatForSetElementOrderList),
		errors.Is(err, mergepatch.ErrUnsupportedStrategicMergePatchFormat):
		return nil, apierrors.NewBadRequest(err.Error())
	case errors.Is(err, mergepatch.ErrNoListOfLists), errors.Is(err, mergepatch.ErrPatchContentNotMatchRetainKeys):
		return nil, unprocessable(err)
	}
	return after, err
}

// decodePatched reads what a patch made. Its errors are about the patch.
func (in intent) decodePatched(after []byte) (object, error) {
	invalid := func(err error) error {
		return apierrors.NewInvalid(schema.GroupKind{}, "", field.ErrorList{field.Invalid(field.NewPath("patch"), string(after), err.Error())})
	}
	o := object{}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(after, &o); err != nil || o == nil {
		return nil, invalid(fmt.Errorf("decoding: %w", err))
	}
	if err := in.kind.identify(o); err != nil {
		return nil, invalid(err)
	}
	unknown, err := in.kind.rules.read(o)
	if err != nil {
		return nil, invalid(err)
	}
	if in.strict && len(unknown) > 0 {
		return nil, invalid(fmt.Errorf("strict decoding error: %v", unknown))
	}
	return o, nil
}
