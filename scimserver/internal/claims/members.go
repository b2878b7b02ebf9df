// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"slices"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/filter"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// memberDelta adds or removes members by their ids: what nearly every PATCH of a group does.
type memberDelta struct {
	remove bool
	ids    []string
}

// splitDeltas takes the operations that add or remove members by id from those that do not speak of members. simple is false when
// there are others, such as a replacement of all or a filter on something else; then the operations go together, in their order.
func splitDeltas(operations []scim.Operation) (deltas []memberDelta, others []scim.Operation, simple bool) {
	deltas = []memberDelta{}
	for _, o := range operations {
		switch ids, speaks, byID := membersOf(o); {
		case !speaks:
			others = append(others, o)
		case byID:
			deltas = append(deltas, memberDelta{remove: o.Verb == scim.Remove, ids: ids})
		default:
			return nil, nil, false
		}
	}
	return deltas, others, true
}

// membersOf tells whether an operation speaks of members, and which ids it names when it adds or removes by id alone.
func membersOf(o scim.Operation) (ids []string, speaks, byID bool) {
	path := strings.TrimSpace(o.Path)
	if path == "" || strings.EqualFold(path, groupSchema) {
		return nil, mentionsMembers(o), false
	}
	target, err := GroupType.Target(path)
	if err != nil || target.Attribute == nil || target.Attribute.Name != "members" {
		return nil, false, false
	}
	switch {
	case target.Sub != nil:
		return nil, true, false
	case target.Where != nil:
		id, isID := idIn(target.Where)
		return []string{id}, true, o.Verb == scim.Remove && isID
	case o.Verb != scim.Add && o.Verb != scim.Remove || o.Value == nil:
		return nil, true, false
	}
	ids, byID = idsIn(o.Value)
	return ids, true, byID
}

// mentionsMembers tells whether the value of an operation without a path has members in it, in any spelling.
func mentionsMembers(o scim.Operation) bool {
	fields, ok := o.Value.(map[string]any)
	if !ok {
		return true // let the general way say what is wrong with it
	}
	for key := range fields {
		if strings.Contains(strings.ToLower(key), "members") || strings.EqualFold(key, groupSchema) {
			return true
		}
	}
	return false
}

// idIn reads value eq "id".
func idIn(e filter.Expression) (string, bool) {
	c, ok := e.(*filter.Comparison)
	if !ok || c.Op != "eq" || !strings.EqualFold(c.Path.Name, "value") || c.Path.Sub != "" || c.Path.URI != "" {
		return "", false
	}
	id, ok := c.Value.(string)
	return id, ok
}

func idsIn(raw any) ([]string, bool) {
	value, err := GroupType.Find("members").Coerce(raw)
	list, _ := value.([]any)
	ids, idErr := memberIDs(list)
	return ids, err == nil && idErr == nil
}

// amend applies deltas to UserNames. It returns the list it was given when nothing changes.
func (r GroupRules) amend(members []string, deltas []memberDelta) ([]string, error) {
	for i, delta := range deltas {
		if delta.remove {
			members = r.without(members, delta.ids)
			continue
		}
		var err error
		if members, err = r.with(members, stayingIDs(delta.ids, deltas[i+1:])); err != nil {
			return nil, err
		}
	}
	if len(members) > maxMembers {
		return nil, problem.New(413, "", "a group has at most %d members", maxMembers)
	}
	return members, nil
}

// stayingIDs leaves out those who are removed again later in the same request: whether they exist does not matter.
func stayingIDs(ids []string, later []memberDelta) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		return slices.ContainsFunc(later, func(d memberDelta) bool { return d.remove && slices.Contains(d.ids, id) })
	})
}

// with appends the people behind ids who are not in yet. An id that the group has already needs no check.
func (r GroupRules) with(members, ids []string) ([]string, error) {
	found, err := r.UserNames(ids)
	if err != nil {
		if ids = r.notIn(members, ids); len(ids) == 0 {
			return members, nil
		}
		if found, err = r.UserNames(ids); err != nil {
			return nil, err
		}
	}
	fresh := make(map[string]string, len(ids)) // by folded UserName
	for _, id := range ids {
		fresh[v1alpha1.FoldUserName(found[id])] = found[id]
	}
	for _, userName := range members {
		delete(fresh, v1alpha1.FoldUserName(userName))
	}
	if len(fresh) == 0 {
		return members, nil
	}
	result := slices.Clone(members)
	for _, id := range ids {
		folded := v1alpha1.FoldUserName(found[id])
		if userName, ok := fresh[folded]; ok {
			result = append(result, userName)
			delete(fresh, folded)
		}
	}
	return result, nil
}

func (r GroupRules) notIn(members, ids []string) []string {
	there := r.roster(members).ids
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(there, id) })
}

// without drops the people behind ids; ids that the group does not have mean nothing.
func (r GroupRules) without(members, ids []string) []string {
	gone := make(map[string]bool, len(ids))
	for _, id := range ids {
		gone[id] = true
	}
	rest := make([]string, 0, len(members))
	for _, userName := range members {
		if !gone[r.ID(userName)] {
			rest = append(rest, userName)
		}
	}
	if len(rest) == len(members) {
		return members
	}
	return orNil(rest)
}
