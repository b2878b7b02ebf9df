// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"fmt"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// rules are what distinguishes one kind from another.
type rules interface {
	// read makes a decoded body an object of this kind, in place: it prunes, converts and sets defaults, and returns the unknown fields.
	read(o object) (unknown []string, err error)
	// prepareCreate and prepareUpdate set what a client may not.
	prepareCreate(o object)
	prepareUpdate(o, old object, subresource string)
	validateCreate(o object) field.ErrorList
	validateUpdate(o, old object, subresource string) field.ErrorList
	// selectable are the values that field selectors compare, beside name and namespace.
	selectable(o object) fields.Set
	// complete sets the defaults of what was stored, in place, and says whether it set any.
	complete(o object) bool
	// traits are constant.
	traits() traits
}

// traits of a kind.
type traits struct {
	// createOnUpdate lets PUT create an object; unconditionalUpdate lets it omit the resourceVersion.
	createOnUpdate, unconditionalUpdate bool
	// returnsDeleted answers DELETE with the object, not with a Status.
	returnsDeleted bool
	// listsTyped writes apiVersion and kind in the items of lists.
	listsTyped bool
	// selectors are the names of fields that selectors may use, beside name and namespace.
	selectors []string
	// strategic is a value of the Go type that strategic merge patches need, nil if there are none.
	strategic any
	// empty is what an object without any field set looks like; bookmarks show it.
	empty object
}

// kind is a resource that the server serves.
type kind struct {
	schema.GroupVersionResource
	kind, listKind string
	namespaced     bool
	subresources   []string
	rules          rules
	traits         traits
	table          *table
	// fieldManagers are those of server-side apply, by subresource.
	fieldManagers map[string]*managedfields.FieldManager
	// prefix begins the JSON of each object.
	prefix string
	// readOnly kinds have neither POST nor changes of their spec.
	readOnly bool
}

func (k *kind) gvk() schema.GroupVersionKind { return k.GroupVersion().WithKind(k.kind) }

func (k *kind) group() schema.GroupResource { return k.GroupResource() }

// init fills what follows from the other fields.
func (k *kind) init(t *table) *kind {
	k.table, k.traits = t, k.rules.traits()
	k.listKind = k.kind + "List"
	k.prefix = fmt.Sprintf(`{"apiVersion":%q,"kind":%q,`, k.GroupVersion(), k.kind)
	return k
}

// json is a version as the API shows it.
func (k *kind) json(v *version) []byte {
	return join(k.prefix, k.view(v)[1:])
}

// view is the body of a version in this version of the API.
func (k *kind) view(v *version) []byte {
	if k.Group == eventsGroup {
		return eventView(v.object)
	}
	return v.body
}

const partialPrefix = `{"apiVersion":"meta.k8s.io/v1","kind":"PartialObjectMetadata",`

func partialJSON(v *version) []byte { return join(partialPrefix, v.partial()[1:]) }

func join(prefix string, rest []byte) []byte {
	return append(append(make([]byte, 0, len(prefix)+len(rest)), prefix...), rest...)
}

// fieldsOf are the values of an object that field selectors compare.
func (k *kind) fieldsOf(o object) fields.Set {
	set := k.rules.selectable(o)
	if set == nil {
		set = fields.Set{}
	}
	set["metadata.name"] = meta(o).GetName()
	if k.namespaced {
		set["metadata.namespace"] = meta(o).GetNamespace()
	}
	return set
}
