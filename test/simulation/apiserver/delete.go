// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	kjson "sigs.k8s.io/json"
)

func (s *Server) delete(req *request) (answer, error) {
	options, err := req.deleteOptions()
	if err != nil {
		return answer{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, gone, err := s.deleteLocked(req, req.key(), options)
	if err != nil {
		return answer{}, err
	}
	if gone && !req.kind.traits.returnsDeleted {
		return deleted(req, v), nil
	}
	return req.show(http.StatusOK, v), nil
}

// deleteOptions are in the body, or in the query if there is none.
func (r *request) deleteOptions() (*metav1.DeleteOptions, error) {
	options := &metav1.DeleteOptions{}
	if len(r.body) == 0 {
		if err := r.decodeOptions(options); err != nil {
			return nil, err
		}
	} else if err := kjson.UnmarshalCaseSensitivePreserveInts(r.body, options); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if options.Kind != "" && options.Kind != "DeleteOptions" {
		return nil, apierrors.NewBadRequest("the body is no DeleteOptions")
	}
	if errs := metavalidation.ValidateDeleteOptions(options); len(errs) > 0 {
		return nil, apierrors.NewInvalid(optionsKind("DeleteOptions"), "", errs)
	}
	return options, nil
}

// deleteLocked removes an object, or marks it if it has finalizers. It returns what was removed or marked.
func (s *Server) deleteLocked(req *request, key string, options *metav1.DeleteOptions) (v *version, gone bool, err error) {
	k, before := req.kind, req.kind.table.versions[key]
	_, name := splitKey(key)
	if before == nil {
		return nil, false, apierrors.NewNotFound(k.group(), name)
	}
	if err := k.checkPreconditions(before, options.Preconditions); err != nil {
		return nil, false, err
	}
	write := req.write(name)
	write.Key.Namespace = meta(before.object).GetNamespace()
	dryRun := len(options.DryRun) > 0
	o, mark := k.marked(before.object)
	if !mark {
		if dryRun {
			return before, true, nil
		}
		v, err = s.store.commit(k.table, before, key, nil, false, write)
		return v, true, err
	}
	if reflect.DeepEqual(o, before.object) || dryRun {
		v, err = newVersion(key, o, before.revision)
		return v, false, err
	}
	v, err = s.store.commit(k.table, before, key, o, false, write)
	return v, false, err
}

func (k *kind) checkPreconditions(before *version, conditions *metav1.Preconditions) error {
	if conditions == nil {
		return nil
	}
	o := meta(before.object)
	if conditions.UID != nil && *conditions.UID != o.GetUID() ||
		conditions.ResourceVersion != nil && *conditions.ResourceVersion != o.GetResourceVersion() {
		group := k.group()
		if !k.traits.returnsDeleted {
			group.Resource = k.kind
		}
		return apierrors.NewConflict(group, o.GetName(), errors.New("the precondition does not match the record. The object might have been modified"))
	}
	return nil
}

// marked returns the object with the marks of a deletion; mark is false if it can be removed at once.
func (k *kind) marked(old object) (o object, mark bool) {
	o = maps.Clone(old)
	o["metadata"] = maps.Clone(metadataOf(old))
	isNamespace := k.GroupVersionResource == namespacesResource
	finalizers := meta(o).GetFinalizers()
	if isNamespace {
		more, _, _ := unstructured.NestedStringSlice(o, "spec", "finalizers")
		finalizers = slices.Concat(finalizers, more)
	}
	if len(finalizers) == 0 {
		return nil, false
	}
	if meta(o).GetDeletionTimestamp() == nil {
		if generation := meta(o).GetGeneration(); generation > 0 {
			meta(o).SetGeneration(generation + 1)
		}
		now := metav1.Now()
		meta(o).SetDeletionTimestamp(&now)
	}
	if isNamespace {
		o["status"] = object{"phase": string(corev1.NamespaceTerminating)}
		return o, true
	}
	meta(o).SetDeletionGracePeriodSeconds(new(int64))
	return o, true
}

func (s *Server) deleteCollection(req *request) (answer, error) {
	options, err := req.deleteOptions()
	if err != nil {
		return answer{}, err
	}
	chosen, err := req.listOptions()
	if err != nil {
		return answer{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	list := page{}
	for _, key := range slices.Clone(req.kind.table.keys) {
		v := req.kind.table.versions[key]
		if !chosen.matches(req.kind, v) {
			continue
		}
		if _, _, err := s.deleteLocked(req, key, options); err != nil {
			return answer{}, err
		}
		list.versions = append(list.versions, v)
	}
	list.revision = s.store.revision
	return req.showList(list), nil
}
