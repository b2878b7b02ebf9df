// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"container/list"
	"maps"
	"reflect"
	"slices"
	"strings"
)

const (
	// entriesPerPerson is how many entries about one person or group a table may have, over all organizations: some have one for each claim, and
	// one for each index.
	entriesPerPerson = 32
	// entriesAtRest is how large a table is whose size does not follow from people: kinds, routes, metrics.
	entriesAtRest = 4096
)

// Tables counts the entries of all maps, lists, channels and slices of more than numbers that can be reached from a value, by the field that
// has them, as in "accounts.Table.byUser": the sum over all values of that type. It does not look into types of packages whose paths begin with
// one of except. The program must not write what it reads meanwhile. What only a function or an unsafe pointer leads to is not counted.
func Tables(root any, except ...string) map[string]int {
	w := &walk{sizes: map[string]int{}, seen: map[visit]bool{}, except: append(except, "reflect", "runtime", "internal/")}
	w.push("", reflect.ValueOf(root))
	for len(w.queue) > 0 {
		next := w.queue[len(w.queue)-1]
		w.queue = w.queue[:len(w.queue)-1]
		w.look(next.field, next.value)
	}
	return w.sizes
}

// walk is a traversal of values; a queue and not the stack, because lists are long.
type walk struct {
	sizes  map[string]int
	seen   map[visit]bool
	queue  []located
	except []string
}

type located struct {
	field string
	value reflect.Value
}

type visit struct {
	at   uintptr
	kind reflect.Type
}

func (w *walk) push(field string, value reflect.Value) {
	if holds(value.Kind()) {
		w.queue = append(w.queue, located{field, value})
	}
}

// holds reports whether values of a kind can lead to tables.
func holds(kind reflect.Kind) bool {
	switch kind {
	case reflect.Pointer, reflect.Interface, reflect.Struct, reflect.Map, reflect.Slice, reflect.Array, reflect.Chan:
		return true
	}
	return false
}

var listType = reflect.TypeFor[list.List]()

func (w *walk) look(field string, value reflect.Value) {
	switch value.Kind() {
	case reflect.Interface:
		w.push(field, value.Elem())
	case reflect.Pointer:
		if !value.IsNil() && w.isNew(value) {
			w.push(field, value.Elem())
		}
	case reflect.Struct:
		w.lookInto(field, value)
	case reflect.Array:
		for i := range value.Len() {
			w.push(field, value.Index(i))
		}
	case reflect.Slice:
		of := value.Type().Elem().Kind()
		if value.Len() == 0 || !holds(of) && of != reflect.String || !w.isNew(value) {
			return
		}
		w.sizes[field] += value.Len()
		for i := range value.Len() {
			w.push(field, value.Index(i))
		}
	case reflect.Map:
		if value.Len() > 0 && w.isNew(value) {
			w.sizes[field] += value.Len()
			for entries := value.MapRange(); entries.Next(); {
				w.push(field, entries.Key())
				w.push(field, entries.Value())
			}
		}
	case reflect.Chan:
		if value.Len() > 0 && w.isNew(value) {
			w.sizes[field] += value.Len()
		}
	}
}

func (w *walk) lookInto(field string, value reflect.Value) {
	kind := value.Type()
	if slices.ContainsFunc(w.except, func(prefix string) bool { return strings.HasPrefix(kind.PkgPath(), prefix) }) {
		return
	}
	if kind == listType {
		w.sizes[field] += int(value.FieldByName("len").Int())
	}
	name := kind.String()
	if kind.Name() == "" || kind == listType {
		name = field
	}
	for i := range kind.NumField() {
		inside := name + "." + kind.Field(i).Name
		if kind == listType {
			inside = field
		}
		w.push(inside, value.Field(i))
	}
}

// isNew reports whether a value was not met before. The same array may be met as slices of different lengths; the first one counts.
func (w *walk) isNew(value reflect.Value) bool {
	v := visit{value.Pointer(), value.Type()}
	if w.seen[v] {
		return false
	}
	w.seen[v] = true
	return true
}

// Overgrown returns the tables of a replica that have more entries than that many people and groups explain.
func Overgrown(whom string, tables map[string]int, subjects int) []Violation {
	var found []Violation
	most := entriesAtRest + entriesPerPerson*subjects
	for _, field := range slices.Sorted(maps.Keys(tables)) {
		if tables[field] > most {
			found = append(found, violationf("leak", whom, "%s has %d entries, and %d people and groups explain %d", field, tables[field], subjects, most))
		}
	}
	return found
}
