// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func (s *Server) replace(req *request) (answer, error) {
	options := &metav1.UpdateOptions{}
	if err := req.decodeOptions(options); err != nil {
		return answer{}, err
	}
	if errs := metavalidation.ValidateUpdateOptions(options); len(errs) > 0 {
		return answer{}, apierrors.NewInvalid(optionsKind("UpdateOptions"), "", errs)
	}
	in := req.intent(options.DryRun, options.FieldValidation, options.FieldManager)
	o, err := in.decode()
	if err != nil {
		return answer{}, err
	}
	if err := in.placeIn(o); err != nil {
		return answer{}, err
	}
	if err := in.checkName(o); err != nil {
		return answer{}, err
	}
	uid := meta(o).GetUID()
	return s.update(in, &uid, func(before *version) (object, error) { return in.track(before, o), nil })
}

func (r *request) checkName(o object) error {
	switch name := meta(o).GetName(); name {
	case r.name:
		return nil
	case "":
		return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s based on URL) was undeterminable: name must be provided", r.name))
	default:
		return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", name, r.name))
	}
}

// update replaces an object by what change makes of it. If uid is given and not empty, it must be that of the object. change gets nil if there
// is no object; it must not change what it gets.
func (s *Server) update(in intent, uid *types.UID, change func(before *version) (object, error)) (answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, before := in.kind, in.kind.table.versions[in.key()]
	if before == nil && !k.traits.createOnUpdate && in.verb != "patch" {
		return answer{}, apierrors.NewNotFound(k.group(), in.name)
	}
	if uid != nil && *uid != "" && (before == nil || *uid != meta(before.object).GetUID()) {
		return answer{}, apierrors.NewConflict(k.group(), in.name, fmt.Errorf("the UID %v is not that of the stored object", *uid))
	}
	o, err := change(before)
	if err != nil {
		return answer{}, err
	}
	if version := meta(o).GetResourceVersion(); version != "" {
		if _, err := strconv.ParseUint(version, 10, 64); err != nil {
			return answer{}, err
		}
	}
	if before == nil {
		wipeSystemFields(o)
		delete(metadataOf(o), "resourceVersion")
		v, err := s.createLocked(in, o)
		if err != nil {
			return answer{}, err
		}
		return in.show(http.StatusCreated, v), nil
	}
	v, err := s.updateLocked(in, before, o)
	if err != nil {
		return answer{}, err
	}
	return in.show(http.StatusOK, v), nil
}

func (s *Server) updateLocked(in intent, before *version, o object) (*version, error) {
	k, old := in.kind, before.object
	switch version := meta(o).GetResourceVersion(); version {
	case meta(old).GetResourceVersion():
	case "", "0":
		if !k.traits.unconditionalUpdate {
			return nil, apierrors.NewInvalid(in.kind.groupKind(), in.name, field.ErrorList{
				field.Invalid(field.NewPath("metadata", "resourceVersion"), 0, "must be specified for an update"),
			})
		}
		meta(o).SetResourceVersion(meta(old).GetResourceVersion())
	default:
		return nil, apierrors.NewConflict(k.group(), in.name, errors.New(optimisticLock))
	}
	k.keepSystemFields(o, old, in.subresource)
	if err := k.validateUpdate(in, o, old); err != nil {
		return nil, err
	}
	if err := s.enforce(in, in.name, o, old); err != nil {
		return nil, err
	}
	if k.isReleased(o, old) {
		return s.release(in, before, o)
	}
	if !before.completed && isSame(o, old) {
		return before, nil
	}
	return s.save(in, before, before.key, o)
}

// keepSystemFields takes from the old object what an update may not change.
func (k *kind) keepSystemFields(o, old object, subresource string) {
	next, was := meta(o), meta(old)
	setOrDelete(metadataOf(o), "generation", metadataOf(old)["generation"])
	k.rules.prepareUpdate(o, old, subresource)
	if next.GetUID() == "" {
		next.SetUID(was.GetUID())
	}
	for _, name := range []string{"creationTimestamp", "deletionTimestamp"} {
		if value := metadataOf(old)[name]; value != nil {
			metadataOf(o)[name] = value
		}
	}
	if metadataOf(o)["deletionGracePeriodSeconds"] == nil {
		setOrDelete(metadataOf(o), "deletionGracePeriodSeconds", metadataOf(old)["deletionGracePeriodSeconds"])
	}
}

func setOrDelete(o object, name string, value any) {
	if value == nil {
		delete(o, name)
		return
	}
	o[name] = value
}

func (k *kind) validateUpdate(in intent, o, old object) error {
	path := field.NewPath("metadata")
	errs := apivalidation.ValidateObjectMetaAccessor(meta(o), k.namespaced, pathSegment, path)
	errs = append(errs, apivalidation.ValidateObjectMetaAccessorUpdate(meta(o), meta(old), path)...)
	errs = append(errs, k.rules.validateUpdate(o, old, in.subresource)...)
	if len(errs) > 0 {
		return apierrors.NewInvalid(k.invalidKind(o), in.name, errs)
	}
	return nil
}

// isReleased says whether an update removes the last finalizer of an object that is being deleted.
func (k *kind) isReleased(o, old object) bool {
	if len(meta(o).GetFinalizers()) > 0 || meta(old).GetDeletionTimestamp() == nil {
		return false
	}
	if k.GroupVersionResource == namespacesResource {
		finalizers, _, _ := unstructured.NestedStringSlice(o, "spec", "finalizers")
		return len(finalizers) == 0
	}
	return true
}

// release removes an object whose last finalizer an update removed. The answer is the object of the update.
func (s *Server) release(in intent, before *version, o object) (*version, error) {
	if !in.dryRun {
		if _, err := s.store.commit(in.kind.table, before, before.key, nil, false, in.write(in.name)); err != nil {
			return nil, err
		}
	}
	return newVersion(before.key, o, before.revision)
}
