// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"cmp"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// ordered keeps resources by name, and the visible ones in the order of their creation, then name. A new one belongs at the end or close to
// it, so keeping the order is cheap.
type ordered[T metav1.Object] struct {
	byName map[string]T
	list   []T
	// unsorted is set while the initial list, which arrives in any order, is appended.
	unsorted bool
}

func compareCreation[T metav1.Object](a, b T) int { return PositionOf(a).Compare(PositionOf(b)) }

// Position is a place in the order.
type Position struct {
	Created int64 // in nanoseconds
	Name    string
}

// PositionOf returns the place of a resource.
func PositionOf[T metav1.Object](o T) Position {
	return Position{Created: v1alpha1.CreatedAt(o).UnixNano(), Name: o.GetName()}
}

// Compare is negative where p stands before q.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Created, q.Created), cmp.Compare(p.Name, q.Name))
}

// store keeps the object, in the list when it is visible. A new version of a listed object takes the place of the one before; nothing moves.
// Objects of the initial list are sorted once, when all are there.
func (o *ordered[T]) store(object T, visible, initial bool) {
	place := PositionOf(object)
	if before, known := o.byName[place.Name]; known && visible && PositionOf(before) == place {
		o.sort()
		if i, listed := o.search(place); listed {
			o.byName[place.Name], o.list[i] = object, object
			return
		}
	}
	o.drop(place.Name)
	if o.byName == nil {
		o.byName = map[string]T{}
	}
	o.byName[place.Name] = object
	switch {
	case !visible:
	case initial:
		o.list = append(o.list, object)
		o.unsorted = true
	default:
		o.sort()
		i, _ := o.search(place)
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

// named returns the resource of that name, visible or not, and nil when there is none.
func (l List[T]) named(name string) (resource T) {
	l.index.mu.RLock()
	defer l.index.mu.RUnlock()
	if d := l.index.directories[l.organization]; d != nil {
		resource = l.of(d).byName[name]
	}
	return resource
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
