// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"reflect"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// UserView shows a LambdaTestUser as attributes. It copies nothing, so a resource shared with the cache can be looked at.
type UserView struct {
	User *v1alpha1.LambdaTestUser
	// Groups finds the groups of a UserName; it is asked only when they are wanted.
	Groups func(userName string) []*v1alpha1.LambdaTestGroup
	Base   string
	// CoreRoles says that the organization takes roles from the core attribute.
	CoreRoles bool

	groups    any // evaluated once, for all terms of a filter
	evaluated bool
}

var (
	plainUserSchemas    = []any{userSchema}
	extendedUserSchemas = []any{userSchema, userExtension}
)

// Value returns the value of the attribute with that canonical path.
func (v *UserView) Value(path string) any {
	spec := &v.User.Spec
	switch path {
	case "schemas":
		if v.extensionRole() == "" && spec.ConcurrencyGroup == "" {
			return plainUserSchemas
		}
		return extendedUserSchemas
	case "id":
		return v.User.Name
	case "externalId":
		return some(spec.ExternalID)
	case "userName":
		return spec.UserName
	case "name":
		return scim.Object{"givenName": spec.Name.GivenName, "familyName": spec.Name.FamilyName}
	case "name.givenName":
		return some(spec.Name.GivenName)
	case "name.familyName":
		return some(spec.Name.FamilyName)
	case "displayName":
		return some(spec.DisplayName)
	case "active":
		return !v.User.IsDenial()
	case "emails":
		return emailElements(v.User)
	case "groups":
		return v.groupElements()
	case "roles":
		return v.roleElements()
	case userExtension + ":" + organizationRoleName:
		return some(v.extensionRole())
	case userExtension + ":" + lambdatestGroupName:
		return some(spec.ConcurrencyGroup)
	case userExtension:
		return some(v.extensionRole() + spec.ConcurrencyGroup)
	case "meta.version":
		return versionWith(v.User, v.Value("roles"), v.groupElements())
	default:
		return metaValue(UserType, v.User, v.Base, path)
	}
}

// extensionRole is the role that the extension shows: none with CoreRoles. A provider that reads a user, changes `roles` and writes the user
// back would repeat the old role in the extension, which wins.
func (v *UserView) extensionRole() string {
	if v.CoreRoles {
		return ""
	}
	return string(v.User.Spec.Role)
}

// some returns nil for an empty string, which is the same as unassigned.
func some(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// metaValue is meta, of any resource: RFC 7643, section 3.1.
func metaValue(t *scim.ResourceType, o metav1.Object, base, path string) any {
	switch path {
	case "meta":
		return scim.Object{"resourceType": t.Name}
	case "meta.resourceType":
		return t.Name
	case "meta.created":
		return rfc3339(v1alpha1.CreatedAt(o))
	case "meta.lastModified":
		if text, ok := o.GetAnnotations()[v1alpha1.LastModifiedAnnotation]; ok {
			if _, err := time.Parse(time.RFC3339, text); err == nil {
				return text
			}
		}
		return rfc3339(v1alpha1.CreatedAt(o))
	case "meta.location":
		return base + t.Endpoint + "/" + o.GetName()
	default:
		return nil
	}
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }

type emailElement struct{ email v1alpha1.Email }

func (e emailElement) Value(name string) any {
	switch name {
	case "value":
		return some(e.email.Value)
	case "display":
		return some(e.email.Display)
	case "type":
		return some(e.email.Type)
	case "primary":
		if e.email.Primary {
			return true
		}
	}
	return nil
}

// shownEmails: until a provider sets them, the userName is the primary work address, if it is an address.
func shownEmails(spec *v1alpha1.LambdaTestUserSpec) []v1alpha1.Email {
	if spec.Emails == nil && emailForm.MatchString(spec.UserName) {
		return []v1alpha1.Email{{Value: spec.UserName, Type: "work", Primary: true}}
	}
	return spec.Emails
}

// areUnset tells whether the emails among a user's attributes are those of a user whose emails were never set.
func areUnset(current scim.Object) bool {
	unset := userAttributes(&v1alpha1.LambdaTestUserSpec{UserName: current.Text("userName")})
	return reflect.DeepEqual(current["emails"], unset["emails"])
}

func emailElements(user *v1alpha1.LambdaTestUser) any {
	var list scim.Elements
	for _, email := range shownEmails(&user.Spec) {
		list = append(list, emailElement{email})
	}
	return valueOf(list)
}

// valueOf returns nil for an empty list, which is the same as unassigned.
func valueOf(list scim.Elements) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

func (v *UserView) groupElements() any {
	if v.evaluated || v.Groups == nil {
		return v.groups
	}
	var list scim.Elements
	for _, group := range v.Groups(v.User.Spec.UserName) {
		list = append(list, groupElement{group, v.Base})
	}
	v.groups, v.evaluated = valueOf(list), true
	return v.groups
}

type groupElement struct {
	group *v1alpha1.LambdaTestGroup
	base  string
}

func (e groupElement) Value(name string) any {
	switch name {
	case "value":
		return e.group.Name
	case "$ref":
		return e.base + GroupType.Endpoint + "/" + e.group.Name
	case "display":
		return e.group.Spec.DisplayName
	case "type":
		return "direct"
	default:
		return nil
	}
}

// roleElements is the role that the provider gave, with CoreRoles; otherwise it is the role in force, from any party.
func (v *UserView) roleElements() any {
	role := roleInForce(v.User)
	if v.CoreRoles {
		role = string(v.User.Spec.Role)
	}
	if role == "" {
		return nil
	}
	return scim.Elements{roleElement(role)}
}

type roleElement string

func (e roleElement) Value(name string) any {
	switch name {
	case "value":
		return string(e)
	case "primary":
		return true
	default:
		return nil
	}
}

// roleInForce is the desired role if a resource decides it, and otherwise the role that LambdaTest last reported.
func roleInForce(user *v1alpha1.LambdaTestUser) string {
	if effective := user.Status.Effective; effective != nil && effective.Role != "" {
		return string(effective.Role)
	}
	if account := user.Status.Account; account != nil {
		return account.Role
	}
	return ""
}

// userAttributes returns what a provider may write of a user, as PATCH works on it.
func userAttributes(spec *v1alpha1.LambdaTestUserSpec) scim.Object {
	o := scim.Object{
		"userName":    spec.UserName,
		"externalId":  some(spec.ExternalID),
		"displayName": some(spec.DisplayName),
		"active":      spec.Active == nil || *spec.Active,
		"name":        scim.Object{"givenName": some(spec.Name.GivenName), "familyName": some(spec.Name.FamilyName)},
		userExtension: scim.Object{organizationRoleName: some(string(spec.Role)), lambdatestGroupName: some(spec.ConcurrencyGroup)},
	}
	var emails []any
	for _, email := range shownEmails(spec) {
		element := scim.Object{"value": email.Value, "display": some(email.Display), "type": some(email.Type)}
		if email.Primary {
			element["primary"] = true
		}
		emails = append(emails, element)
	}
	o["emails"] = emails
	return o.Assigned()
}

// UserRules are what an organization demands of a user.
type UserRules struct {
	maxRole        v1alpha1.Role
	userNamePolicy v1alpha1.UserNamePolicy
	coreRoles      bool
	paused         error
	room           func(before, after *v1alpha1.LambdaTestUserSpec) error
}

// RulesOf returns the rules of an organization. paused, unless nil, is the answer to every change that is more than a denial. room, unless nil,
// fails when the organization may not store what a user becomes.
func RulesOf(organization *v1alpha1.LambdaTestOrganization, paused error, room func(before, after *v1alpha1.LambdaTestUserSpec) error) UserRules {
	settings := &organization.Spec.SCIM
	return UserRules{settings.MaxRole, settings.UserNamePolicy, settings.CoreRoles, paused, room}
}

// table is the table that requests are read by.
func (r UserRules) table() *scim.ResourceType {
	if r.coreRoles {
		return coreRolesUserType
	}
	return UserType
}

// attributes returns what a provider may write of a user, as PATCH works on it. With coreRoles the role is in `roles`; it is not marked as
// primary, so that a role that is added as the primary one wins over it.
func (r UserRules) attributes(spec *v1alpha1.LambdaTestUserSpec) scim.Object {
	if !r.coreRoles || spec.Role == "" {
		return userAttributes(spec)
	}
	without := *spec
	without.Role = ""
	return userAttributes(&without).With("roles", []any{scim.Object{"value": string(spec.Role)}})
}

// roleIn returns the role that attributes ask for: that of the extension or, where it is silent, that of `roles`.
func (r UserRules) roleIn(o scim.Object, before v1alpha1.Role) v1alpha1.Role {
	role := v1alpha1.Role(o.Inner(userExtension).Text(organizationRoleName))
	given := o.List("roles")
	if role != "" || !r.coreRoles || len(given) == 0 {
		return role
	}
	if role = coreRole(given); role == "" {
		return before // roles that LambdaTest does not have are ignored
	}
	return role
}

// coreRole returns the role among the elements of `roles`: the primary one, otherwise the highest, as of several groups.
func coreRole(elements []any) v1alpha1.Role {
	highest := v1alpha1.Role("")
	for _, element := range elements {
		o, _ := element.(scim.Object)
		switch role := knownRole(o.Text("value")); {
		case role != "" && o["primary"] == true:
			return role
		case role.Rank() > highest.Rank():
			highest = role
		}
	}
	return highest
}

// knownRole returns the role of that name in any case, or "".
func knownRole(text string) v1alpha1.Role {
	for _, name := range roleNames {
		if strings.EqualFold(strings.TrimSpace(text), name) {
			return v1alpha1.Role(name)
		}
	}
	return ""
}

// store writes attributes into a spec. What the attributes cannot change stays as it is; only differences are written, so that
// reading and storing again changes nothing. The UserName is set when there is none yet.
func (r UserRules) store(o scim.Object, spec *v1alpha1.LambdaTestUserSpec) error {
	stored := *spec
	isNew, before := spec.UserName == "", userAttributes(spec)
	name := o.Inner("name")
	if name.Text("givenName") == "" || name.Text("familyName") == "" {
		return problem.BadValue("name.givenName and name.familyName are required")
	}
	role := r.roleIn(o, spec.Role)
	if err := r.mayGive(role, spec.Role); err != nil {
		return err
	}
	if err := r.storeUserName(o.Text("userName"), spec); err != nil {
		return err
	}
	spec.Name = v1alpha1.PersonName{GivenName: name.Text("givenName"), FamilyName: name.Text("familyName")}
	spec.Role = role
	spec.ConcurrencyGroup = o.Inner(userExtension).Text(lambdatestGroupName)
	spec.ExternalID = o.Text("externalId")
	spec.DisplayName = o.Text("displayName")
	storeActive(o, spec)
	if isNew && o["emails"] != nil || !isNew && !reflect.DeepEqual(before["emails"], o["emails"]) {
		spec.Emails = emailsOf(o.List("emails"))
		if err := emailLengths(spec.Emails); err != nil { // stored ones may be longer than is allowed today
			return err
		}
	}
	if err := lengths(spec); err != nil {
		return err
	}
	return r.admit(&stored, spec)
}

// admit tells whether the organization takes what a request makes of a stored user, or of a new one.
func (r UserRules) admit(before, after *v1alpha1.LambdaTestUserSpec) error {
	denied := *before
	switchOff(&denied)
	if r.paused != nil && !reflect.DeepEqual(&denied, after) {
		return r.paused
	}
	if r.room != nil && before.UserName != "" {
		return r.room(before, after)
	}
	return nil
}

// storeActive leaves an unset `active`, which means true, as it is when it stays true.
func storeActive(o scim.Object, spec *v1alpha1.LambdaTestUserSpec) {
	active := o["active"] != false
	if spec.Active == nil && active {
		return
	}
	spec.Active = &active
}

func emailsOf(list []any) []v1alpha1.Email {
	emails := make([]v1alpha1.Email, 0, len(list))
	for _, element := range list {
		o, _ := element.(scim.Object)
		if o.Text("value") == "" {
			continue // unassigned, as providers send an address that a person does not have
		}
		emails = append(emails, v1alpha1.Email{
			Value: o.Text("value"), Type: o.Text("type"), Display: o.Text("display"), Primary: o["primary"] == true,
		})
	}
	return emails
}

func (r UserRules) mayGive(role, before v1alpha1.Role) error {
	if r.maxRole != "" && role != before && role.Rank() > r.maxRole.Rank() {
		return problem.BadValue("%s %s is more than this organization lets its identity provider give: %s at most",
			organizationRoleName, role, r.maxRole)
	}
	return nil
}

var emailForm = regexp.MustCompile(`^[^\s@]+@[^\s@]+$`)

// storeUserName keeps the stored spelling: UserNames that differ only in case are the same person.
func (r UserRules) storeUserName(userName string, spec *v1alpha1.LambdaTestUserSpec) error {
	if spec.UserName != "" {
		if v1alpha1.FoldUserName(userName) != v1alpha1.FoldUserName(spec.UserName) {
			return problem.Immutable(userNameChange)
		}
		return nil
	}
	if err := possibleUserName(userName); err != nil {
		return err
	}
	if r.userNamePolicy != v1alpha1.UserNameAny && !emailForm.MatchString(userName) {
		return problem.BadValue("userName %q is not an e-mail address, which LambdaTest requires", problem.Shorten(userName))
	}
	spec.UserName = userName
	return nil
}

// possibleUserName tells whether a resource can be about that UserName at all.
func possibleUserName(userName string) error {
	switch {
	case userName == "":
		return problem.BadValue("userName is required")
	case utf8.RuneCountInString(userName) > 254:
		return problem.BadValue("userName has more than 254 characters")
	case strings.TrimSpace(userName) != userName || strings.ContainsFunc(userName, isControl):
		return problem.BadValue("userName must not begin or end with white space, nor hold control characters")
	}
	return nil
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

// lengths are the limits of the resource's schema, named by SCIM's names.
func lengths(spec *v1alpha1.LambdaTestUserSpec) error {
	for _, limit := range []struct {
		name, value string
		most        int
	}{
		{"name.givenName", spec.Name.GivenName, 256},
		{"name.familyName", spec.Name.FamilyName, 256},
		{"displayName", spec.DisplayName, 256},
		{"externalId", spec.ExternalID, 256},
		{lambdatestGroupName, spec.ConcurrencyGroup, 256},
	} {
		if utf8.RuneCountInString(limit.value) > limit.most {
			return problem.BadValue("%s has more than %d characters", limit.name, limit.most)
		}
	}
	return nil
}

// maxEmails and maxEmailBytes are the schema's: no person has so many addresses, or such long ones.
const (
	maxEmails     = 10
	maxEmailBytes = 4096
)

func emailLengths(emails []v1alpha1.Email) error {
	if len(emails) > maxEmails {
		return problem.BadValue("emails has more than %d values", maxEmails)
	}
	bytes := 0
	for _, email := range emails {
		bytes += len(email.Value) + len(email.Type) + len(email.Display)
		switch {
		case utf8.RuneCountInString(email.Value) > 320, utf8.RuneCountInString(email.Display) > 320:
			return problem.BadValue("emails.value and emails.display have at most 320 characters")
		case utf8.RuneCountInString(email.Type) > 64:
			return problem.BadValue("emails.type has at most 64 characters")
		}
	}
	if bytes > maxEmailBytes {
		return problem.BadValue("emails has more than %d bytes in all", maxEmailBytes)
	}
	return nil
}
