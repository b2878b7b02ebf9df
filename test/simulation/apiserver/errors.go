// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/json"
	"net/http"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func optionsKind(name string) schema.GroupKind {
	return schema.GroupKind{Group: metav1.GroupName, Kind: name}
}

// groupKind is what some errors of the real server call the kind: the name of the resource.
func (k *kind) groupKind() schema.GroupKind {
	return schema.GroupKind{Group: k.Group, Kind: k.Resource}
}

// invalidKind is what an Invalid error calls the kind: for a custom resource, whatever the object says.
func (k *kind) invalidKind(o object) schema.GroupKind {
	if _, isCustom := k.rules.(*custom); isCustom {
		return meta(o).GroupVersionKind().GroupKind()
	}
	return schema.GroupKind{Group: k.table.resource.Group, Kind: k.kind} // an Event is stored, and so called, by its old group
}

// deleted is the answer to a DELETE that removed an object.
func deleted(req *request, v *version) answer {
	body, err := json.Marshal(metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status:   metav1.StatusSuccess,
		Details: &metav1.StatusDetails{
			Name: meta(v.object).GetName(), Group: req.kind.Group, Kind: req.kind.Resource, UID: meta(v.object).GetUID(),
		},
	})
	if err != nil {
		panic(err) // a Status has no field that fails
	}
	return answer{code: http.StatusOK, body: body}
}

func splitKey(key string) (namespace, name string) {
	if namespace, name, found := strings.Cut(key, "/"); found {
		return namespace, name
	}
	return "", key
}
