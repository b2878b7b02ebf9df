// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package index

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
	return PositionOf(a).Compare(PositionOf(b))
}

// Position is a place in the order.
type Position struct {
	Created int64
	Name    string
}

// PositionOf returns the place of a resource.
func PositionOf[T metav1.Object](o T) Position {
	return Position{Created: o.GetCreationTimestamp().Unix(), Name: o.GetName()}
}

// Compare is negative where p stands before q.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Created, q.Created), cmp.Compare(p.Name, q.Name))
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
		i, _ := o.search(PositionOf(object))
		o.list = slices.Insert(o.list, i, object)
	}
}

func (o *ordered[T]) drop(name string) {
	before, ok := o.byName[name]
	if !ok {
		return
	}
	o.sort()
	if i, found := o.search(PositionOf(before)); found {
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

func (o *ordered[T]) search(p Position) (int, bool) { return searchIn(o.list, p) }

func searchIn[T metav1.Object](list []T, p Position) (int, bool) {
	return slices.BinarySearchFunc(list, p, func(object T, p Position) int { return PositionOf(object).Compare(p) })
}

// List is the visible resources of one type of one organization, in order. It is read with each call; the slices are the caller's.
type List[T metav1.Object] struct {
	index        *Index
	organization types.NamespacedName
	of           func(*directory) *ordered[T]
}

// read calls f with the sorted list. It holds the lock for reading, and for writing where the list has to be sorted first.
func (l List[T]) read(f func([]T)) {
	x := l.index
	x.mu.RLock()
	d := x.directories[l.organization]
	if d == nil {
		x.mu.RUnlock()
		f(nil)
		return
	}
	if resources := l.of(d); !resources.unsorted {
		defer x.mu.RUnlock()
		f(resources.list)
		return
	}
	x.mu.RUnlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	l.of(d).sort()
	f(l.of(d).list)
}

// All returns all resources.
func (l List[T]) All() (all []T) {
	l.read(func(resources []T) { all = slices.Clone(resources) })
	return all
}

// Page returns count resources from the start-th, which is 0 for the first, and how many there are in all.
func (l List[T]) Page(start, count int) (page []T, total int) {
	l.read(func(resources []T) {
		total = len(resources)
		if start < total {
			page = slices.Clone(resources[start:min(total, start+count)])
		}
	})
	return page, total
}

// After returns count resources that stand after a position, and how many there are in all.
func (l List[T]) After(after Position, count int) (page []T, total int) {
	l.read(func(resources []T) {
		total = len(resources)
		start, found := searchIn(resources, after)
		if found {
			start++
		}
		page = slices.Clone(resources[start:min(total, start+count)])
	})
	return page, total
}
