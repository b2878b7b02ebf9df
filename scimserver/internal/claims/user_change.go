// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// UserChange is what a request wants of a user that exists.
type UserChange struct {
	// apply turns the user's attributes into the wanted ones. It may fail on any part of the request.
	apply func(table *scim.ResourceType, current scim.Object) (scim.Object, error)
	// Denies says that the request ends in active: false.
	Denies bool
	// Precondition fails when the version that the client knows is not this one; nil means that it named none.
	Precondition func(*v1alpha1.LambdaTestUser) error
}

// On decides what becomes of a user's spec. A request is applied whole or not at all, with one exception: when it denies, and
// something else about it cannot be applied, then only the denial is, and LeftOut says why the rest was not.
func (c UserChange) On(user *v1alpha1.LambdaTestUser, rules UserRules) (spec v1alpha1.LambdaTestUserSpec, leftOut, err error) {
	spec, err = c.whole(user, rules)
	if err != nil && c.Denies {
		return Denied(user), err, nil
	}
	if c.Denies {
		switchOff(&spec)
	}
	return spec, nil, err
}

// DenyOnly is a change of which nothing but the denial can be applied.
func DenyOnly(because error) UserChange {
	return UserChange{Denies: true, apply: func(*scim.ResourceType, scim.Object) (scim.Object, error) { return nil, because }}
}

func (c UserChange) whole(user *v1alpha1.LambdaTestUser, rules UserRules) (v1alpha1.LambdaTestUserSpec, error) {
	spec := *user.Spec.DeepCopy()
	if c.Precondition != nil {
		if err := c.Precondition(user); err != nil {
			return spec, err
		}
	}
	wanted, err := c.apply(rules.table(), rules.attributes(&user.Spec))
	if err != nil {
		return spec, err
	}
	return spec, rules.store(wanted, &spec)
}

// Denied is the user's spec with nothing changed but active: false.
func Denied(user *v1alpha1.LambdaTestUser) v1alpha1.LambdaTestUserSpec {
	spec := *user.Spec.DeepCopy()
	switchOff(&spec)
	return spec
}

func switchOff(spec *v1alpha1.LambdaTestUserSpec) { spec.Active = new(false) }

// PutUser is a PUT (RFC 7644, section 3.5.1). Without active, externalId, UserName, name or the extension it keeps them: LambdaTest
// itself takes a PUT of active alone. Other attributes that are not in the body clear.
func PutUser(body map[string]any) UserChange {
	return UserChange{
		Denies: bodyDenies(body),
		apply: func(table *scim.ResourceType, current scim.Object) (scim.Object, error) {
			given, err := table.Read(body)
			if err != nil {
				return nil, err
			}
			return mergePut(table, current, given)
		},
	}
}

func mergePut(table *scim.ResourceType, current, given scim.Object) (scim.Object, error) {
	wanted := given.Assigned()
	for _, name := range []string{"userName", "active"} {
		if wanted[name] == nil {
			wanted[name] = current[name]
		}
	}
	for _, name := range []string{"externalId", userExtension, "roles", "emails"} {
		if _, mentioned := given[name]; !mentioned && current[name] != nil && (name != "emails" || areUnset(current)) {
			wanted[name] = current[name]
		}
	}
	name := maps.Clone(current.Inner("name"))
	if name == nil {
		name = scim.Object{}
	}
	maps.Copy(name, wanted.Inner("name"))
	wanted["name"] = name
	return table.Normalize(wanted)
}

// PatchUser is a PATCH (RFC 7644, section 3.5.2).
func PatchUser(operations []scim.Operation) UserChange {
	return UserChange{
		Denies: patchDenies(operations),
		apply: func(table *scim.ResourceType, current scim.Object) (scim.Object, error) {
			return table.Patch(current, operations)
		},
	}
}

// UserPost is what a POST asks for.
type UserPost struct {
	Spec v1alpha1.LambdaTestUserSpec
	// LeftOut says why only the denial of the request is in spec.
	LeftOut error
	Denies  bool
}

// PostUser reads what a POST about a person without a resource creates. A denial needs nothing but a UserName: what is missing or wrong
// beside it is left out.
func PostUser(body map[string]any, rules UserRules) (*UserPost, error) {
	post := &UserPost{Denies: bodyDenies(body)}
	err := buildUser(body, rules, &post.Spec)
	if err != nil {
		userName := userNameIn(body)
		if !post.Denies || possibleUserName(userName) != nil {
			return nil, err
		}
		placeholder := v1alpha1.PersonName{GivenName: userName, FamilyName: userName}
		post.Spec, post.LeftOut = v1alpha1.LambdaTestUserSpec{UserName: userName, Name: placeholder}, err
	}
	if post.Denies {
		switchOff(&post.Spec)
	}
	return post, nil
}

func buildUser(body map[string]any, rules UserRules, spec *v1alpha1.LambdaTestUserSpec) error {
	given, err := rules.table().Read(body)
	if err != nil {
		return err
	}
	wanted, err := rules.table().Normalize(given.Assigned())
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

// userNameIn finds the UserName even in a body that cannot be read as a whole, in every shape in which Read would take it.
func userNameIn(body map[string]any) string {
	for _, key := range slices.Sorted(maps.Keys(body)) {
		target, err := UserType.Target(key)
		isUserName := err == nil && target.Attribute != nil && target.Attribute.Name == "userName"
		for _, value := range scim.Readings(body[key]) {
			found, err := any(nil), error(nil)
			if nested, ok := value.(map[string]any); ok && strings.EqualFold(key, userSchema) {
				found = some(userNameIn(nested))
			} else if isUserName {
				found, err = target.Attribute.Coerce(value)
			}
			if err == nil && found != nil {
				return found.(string)
			}
		}
	}
	return ""
}

// Revived is what a POST makes of a user who is inactive or was deleted: the same resource with what a new person would get. Without a
// role that is User, or the highest that the provider may give, and not the role of before.
func (r UserRules) Revived(user *v1alpha1.LambdaTestUser, fresh v1alpha1.LambdaTestUserSpec) v1alpha1.LambdaTestUserSpec {
	fresh.OrganizationRef = user.Spec.OrganizationRef
	fresh.UserName = user.Spec.UserName
	fresh.ManagementPolicy = user.Spec.ManagementPolicy
	fresh.DeletionPolicy = user.Spec.DeletionPolicy
	if fresh.Role == "" {
		fresh.Role = v1alpha1.RoleUser
		if r.mayGive(fresh.Role, "") != nil {
			fresh.Role = r.maxRole
		}
	}
	return fresh
}

// IsSamePerson tells whether the provider says that a revived user is the person of before, who keeps their groups.
func IsSamePerson(user *v1alpha1.LambdaTestUser, fresh v1alpha1.LambdaTestUserSpec) bool {
	return user.Spec.ExternalID != "" && user.Spec.ExternalID == fresh.ExternalID
}

// ChangedUserFields names the attributes in which two specs differ, for the audit line.
func ChangedUserFields(before, after *v1alpha1.LambdaTestUserSpec) []string {
	var changed []string
	old, fresh := userAttributes(before), userAttributes(after)
	for _, a := range UserType.Attributes {
		if !reflect.DeepEqual(old[a.Name], fresh[a.Name]) {
			changed = append(changed, a.Name)
		}
	}
	return changed
}
