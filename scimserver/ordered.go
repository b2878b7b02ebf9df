// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"cmp"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ordered keeps resources by name, and the visible ones in the order of their creation, then name. New ones arrive at the end or
// close to it, so keeping the order is cheap.
type ordered[T metav1.Object] struct {
	byName map[string]T
	list   []T
	// unsorted is set while the initial list, which arrives in any order, is appended.
	unsorted bool
}

func newOrdered[T metav1.Object]() ordered[T] { return ordered[T]{byName: map[string]T{}} }

func compareCreation[T metav1.Object](a, b T) int {
	return comparePosition(positionOf(a), positionOf(b))
}

// position is a place in the order.
type position struct {
	created int64
	name    string
}

func positionOf[T metav1.Object](o T) position {
	return position{created: o.GetCreationTimestamp().Unix(), name: o.GetName()}
}

func comparePosition(a, b position) int {
	return cmp.Or(cmp.Compare(a.created, b.created), cmp.Compare(a.name, b.name))
}

// store keeps the object, in the list when it is visible. Objects of the initial list are sorted once, when all are there.
func (o *ordered[T]) store(object T, visible, initial bool) {
	o.drop(object.GetName())
	o.byName[object.GetName()] = object
	switch {
	case !visible:
	case initial:
		o.list = append(o.list, object)
		o.unsorted = true
	default:
		o.sort()
		i, _ := o.search(positionOf(object))
		o.list = slices.Insert(o.list, i, object)
	}
}

func (o *ordered[T]) drop(name string) {
	before, ok := o.byName[name]
	if !ok {
		return
	}
	o.sort()
	if i, found := o.search(positionOf(before)); found {
		o.list = slices.Delete(o.list, i, i+1)
	}
	delete(o.byName, name)
}

func (o *ordered[T]) sort() {
	if o.unsorted {
		slices.SortFunc(o.list, compareCreation[T])
		o.unsorted = false
	}
}

func (o *ordered[T]) search(p position) (int, bool) { return searchIn(o.list, p) }

func searchIn[T metav1.Object](list []T, p position) (int, bool) {
	return slices.BinarySearchFunc(list, p, func(object T, p position) int { return comparePosition(positionOf(object), p) })
}

// read runs f on an organization's list with the lock held for reading, and sorted.
func read[T metav1.Object](x *index, organization types.NamespacedName, of func(*directory) *ordered[T], f func([]T)) {
	x.mu.RLock()
	d := x.directories[organization]
	if d == nil {
		x.mu.RUnlock()
		f(nil)
		return
	}
	if list := of(d); !list.unsorted {
		defer x.mu.RUnlock()
		f(list.list)
		return
	}
	x.mu.RUnlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	of(d).sort()
	f(of(d).list)
}

func snapshot[T metav1.Object](x *index, organization types.NamespacedName, of func(*directory) *ordered[T]) (all []T) {
	read(x, organization, of, func(list []T) { all = slices.Clone(list) })
	return all
}

// pageAfter returns count objects that stand after a position, and how many there are in all.
func pageAfter[T metav1.Object](x *index, organization types.NamespacedName, after position, count int, of func(*directory) *ordered[T]) (some []T, total int) {
	read(x, organization, of, func(list []T) {
		total = len(list)
		start, found := searchIn(list, after)
		if found {
			start++
		}
		some = slices.Clone(list[start:min(total, start+count)])
	})
	return some, total
}

// page returns count objects from the start-th, which is 0 for the first, and how many there are in all.
func page[T metav1.Object](x *index, organization types.NamespacedName, start, count int, of func(*directory) *ordered[T]) (some []T, total int) {
	read(x, organization, of, func(list []T) {
		total = len(list)
		if start < total {
			some = slices.Clone(list[start:min(total, start+count)])
		}
	})
	return some, total
}
