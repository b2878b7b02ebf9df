// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"maps"
	"reflect"
	"slices"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// userChange is what a request wants of a user that exists.
type userChange struct {
	// apply turns the user's attributes into the wanted ones. It may fail on any part of the request.
	apply func(current scim.Object) (scim.Object, error)
	// denies says that the request ends in active: false.
	denies bool
	// precondition fails when the version that the client knows is not this one; nil means that it named none.
	precondition func(*v1alpha1.LambdaTestUser) error
}

// on decides what becomes of a user's spec. A request is applied whole or not at all, with one exception: when it denies, and
// something else about it cannot be applied, then only the denial is, and leftOut says why the rest was not.
func (c userChange) on(user *v1alpha1.LambdaTestUser, rules userRules) (spec v1alpha1.LambdaTestUserSpec, leftOut, err error) {
	spec, err = c.whole(user, rules)
	if err != nil && c.denies {
		return denied(user), err, nil
	}
	return spec, nil, err
}

// denyOnly is a change of which nothing but the denial can be applied.
func denyOnly(because error) userChange {
	return userChange{denies: true, apply: func(scim.Object) (scim.Object, error) { return nil, because }}
}

func (c userChange) whole(user *v1alpha1.LambdaTestUser, rules userRules) (v1alpha1.LambdaTestUserSpec, error) {
	spec := *user.Spec.DeepCopy()
	if c.precondition != nil {
		if err := c.precondition(user); err != nil {
			return spec, err
		}
	}
	wanted, err := c.apply(userAttributes(&user.Spec))
	if err != nil {
		return spec, err
	}
	return spec, rules.store(wanted, &spec)
}

// denied is the user's spec with nothing changed but active: false.
func denied(user *v1alpha1.LambdaTestUser) v1alpha1.LambdaTestUserSpec {
	spec := *user.Spec.DeepCopy()
	inactive := false
	spec.Active = &inactive
	return spec
}

// replaceUser is a PUT (RFC 7644, section 3.5.1). Without active, externalId, userName, name or the extension it keeps them: LambdaTest
// itself takes a PUT of active alone. Other attributes that are not in the body clear.
func replaceUser(body map[string]any) userChange {
	return userChange{
		denies: bodyDenies(body),
		apply: func(current scim.Object) (scim.Object, error) {
			given, err := userType.Read(body)
			if err != nil {
				return nil, err
			}
			return mergePut(current, given)
		},
	}
}

func mergePut(current, given scim.Object) (scim.Object, error) {
	wanted := given.Assigned()
	for _, name := range []string{"userName", "active"} {
		if wanted[name] == nil {
			wanted[name] = current[name]
		}
	}
	for _, name := range []string{"externalId", userExtension} {
		if _, mentioned := given[name]; !mentioned && current[name] != nil {
			wanted[name] = current[name]
		}
	}
	name := maps.Clone(current.Inner("name"))
	if name == nil {
		name = scim.Object{}
	}
	maps.Copy(name, wanted.Inner("name"))
	wanted["name"] = name
	return userType.Normalize(wanted)
}

// patchUser is a PATCH (RFC 7644, section 3.5.2).
func patchUser(operations []scim.Operation) userChange {
	return userChange{
		denies: patchDenies(operations),
		apply:  func(current scim.Object) (scim.Object, error) { return userType.Patch(current, operations) },
	}
}

// userPost is what a POST asks for.
type userPost struct {
	spec v1alpha1.LambdaTestUserSpec
	// leftOut says why only the denial of the request is in spec.
	leftOut error
	denies  bool
}

// postUser reads what a POST about a person without a resource creates. A denial needs nothing but a userName: what is missing or wrong
// beside it is left out.
func postUser(body map[string]any, rules userRules) (*userPost, error) {
	post := &userPost{denies: bodyDenies(body)}
	err := buildUser(body, rules, &post.spec)
	if err == nil {
		return post, nil
	}
	userName := userNameIn(body)
	if !post.denies || possibleUserName(userName) != nil {
		return nil, err
	}
	inactive := false
	placeholder := v1alpha1.PersonName{GivenName: userName, FamilyName: userName}
	post.spec, post.leftOut = v1alpha1.LambdaTestUserSpec{UserName: userName, Name: placeholder, Active: &inactive}, err
	return post, nil
}

func buildUser(body map[string]any, rules userRules, spec *v1alpha1.LambdaTestUserSpec) error {
	given, err := userType.Read(body)
	if err != nil {
		return err
	}
	wanted, err := userType.Normalize(given.Assigned())
	if err != nil {
		return err
	}
	if wanted["active"] == nil {
		wanted["active"] = true
	}
	if err := rules.store(wanted, spec); err != nil {
		return err
	}
	active := wanted["active"] == true
	spec.Active = &active
	return nil
}

// userNameIn finds the userName even in a body that cannot be read as a whole.
func userNameIn(body map[string]any) string {
	for _, key := range slices.Sorted(maps.Keys(body)) {
		if target, err := userType.Target(key); err == nil && target.Attribute != nil && target.Attribute.Name == "userName" {
			if text, ok := body[key].(string); ok {
				return text
			}
		}
	}
	return ""
}

// revived is what a POST makes of a user who is inactive or was deleted: the same resource with what a new person would get. Without a
// role that is User, and not the role of before.
func revived(user *v1alpha1.LambdaTestUser, fresh v1alpha1.LambdaTestUserSpec) v1alpha1.LambdaTestUserSpec {
	fresh.OrganizationRef = user.Spec.OrganizationRef
	fresh.UserName = user.Spec.UserName
	fresh.ManagementPolicy = user.Spec.ManagementPolicy
	fresh.DeletionPolicy = user.Spec.DeletionPolicy
	if fresh.Role == "" {
		fresh.Role = v1alpha1.RoleUser
	}
	return fresh
}

// isSamePerson tells whether the provider says that a revived user is the person of before, who keeps their groups.
func isSamePerson(user *v1alpha1.LambdaTestUser, fresh v1alpha1.LambdaTestUserSpec) bool {
	return user.Spec.ExternalID != "" && user.Spec.ExternalID == fresh.ExternalID
}

// changedFields names the attributes in which two specs differ, for the audit line.
func changedFields(before, after *v1alpha1.LambdaTestUserSpec) []string {
	var changed []string
	old, fresh := userAttributes(before), userAttributes(after)
	for _, a := range userType.Attributes {
		if !reflect.DeepEqual(old[a.Name], fresh[a.Name]) {
			changed = append(changed, a.Name)
		}
	}
	return changed
}
