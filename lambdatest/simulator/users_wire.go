// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

type wireUser struct {
	Schemas   []string      `json:"schemas"`
	ID        string        `json:"id,omitempty"`
	UserName  string        `json:"userName"`
	Name      wireName      `json:"name"`
	Active    any           `json:"active"` // a bool, or a string
	Extension wireExtension `json:"urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User"`
}

type wireName struct {
	GivenName  string `json:"givenName"`
	FamilyName string `json:"familyName"`
	Formatted  string `json:"formatted"`
}

type wireExtension struct {
	OrganizationRole string `json:"OrganizationRole,omitempty"`
	LambdatestGroup  string `json:"LambdatestGroup,omitempty"`
}

type wireMeta struct {
	ResourceType string    `json:"resourceType"`
	Created      time.Time `json:"created,omitzero"`
	LastModified time.Time `json:"lastModified,omitzero"`
}

// oneUser is an answer about one user; the switch WrongIDs gives it a wrong id.
func (o *Org) oneUser(a *account) wireUser {
	shown := o.showUser(a)
	if o.switches.WrongIDs {
		shown.ID = anotherID(shown.ID)
	}
	return shown
}

func (o *Org) showUser(a *account) wireUser {
	shown := wireUser{
		Schemas:   []string{schemaUser, schemaUserExtension},
		ID:        a.id,
		UserName:  o.showUserName(a),
		Name:      wireName{a.givenName, a.familyName, strings.TrimSpace(a.givenName + " " + a.familyName)},
		Active:    a.active,
		Extension: wireExtension{o.showRole(a), o.showConcurrencyGroup(a)},
	}
	if o.meets(valuesOfActive) == stringsOfThem {
		shown.Active = strconv.FormatBool(a.active)
	}
	if o.switches.MissingIDs {
		shown.ID = ""
	}
	return shown
}

func (o *Org) showUserName(a *account) string {
	if lower := strings.ToLower(a.userName); lower != a.userName && o.meets(lettersOfUserName) == lowerCased {
		return lower
	}
	return a.userName
}

func (o *Org) showRole(a *account) string {
	custom := a.customRoleInEffect()
	if custom == "" {
		return a.role
	}
	switch o.meets(customRole) {
	case shownAsUser:
		return "User"
	case roleIsAbsent:
		return ""
	}
	return custom
}

func (o *Org) showConcurrencyGroup(a *account) string {
	if a.concurrencyGroup == "" {
		return ""
	}
	setting := o.meets(concurrencyGroupInAnswers)
	if setting == always || setting == onlyAfterPost && o.acting.route == "POST /Users" {
		return a.concurrencyGroup
	}
	return ""
}

// anotherID is a plausible id that was not asked for.
func anotherID(id string) string {
	number, _ := strconv.Atoi(id)
	return strconv.Itoa(number + 1)
}

// readUser reads a POST or PUT; fields may be missing.
func (o *Org) readUser(doc document) (userWish, error) {
	name, nameErr := doc.object("name")
	extension, extensionErr := doc.object(schemaUserExtension)
	if err := errors.Join(nameErr, extensionErr); err != nil {
		return userWish{}, err
	}
	var wish userWish
	var errs [4]error
	wish.userName, errs[0] = doc.text("userName")
	wish.active, errs[1] = o.readActive(doc)
	wish.givenName, errs[2] = name.text("givenName")
	wish.familyName, errs[3] = name.text("familyName")
	return wish, errors.Join(append(errs[:], o.readUserExtension(extension, &wish))...)
}

// readActive reads true or false, and strings of them under one reading.
func (o *Org) readActive(doc document) (*bool, error) {
	var word string
	if json.Unmarshal(doc["active"], &word) != nil || word == "" {
		return doc.flag("active")
	}
	value := strings.EqualFold(word, "true")
	if o.meets(valuesOfActive) == booleans || !value && !strings.EqualFold(word, "false") {
		return nil, invalidValue("active is neither true nor false")
	}
	return &value, nil
}

func (o *Org) readUserExtension(doc document, wish *userWish) error {
	if err := doc.only("OrganizationRole", "LambdatestGroup"); err != nil {
		return err
	}
	role, roleErr := doc.text("OrganizationRole")
	group, groupErr := doc.text("LambdatestGroup")
	if err := errors.Join(roleErr, groupErr); err != nil {
		return err
	}
	if role != nil {
		if rank(*role) == 0 {
			return invalidValue("OrganizationRole is Admin, User or Guest")
		}
		wish.role = role
	}
	switch {
	case group == nil:
	case o.concurrencyGroups[*group]:
		wish.concurrencyGroup = group
	case o.meets(unknownConcurrencyGroup) == is400:
		return invalidValue("LambdatestGroup names no existing concurrency group")
	}
	return nil
}

// readUserChange reads one operation of a PATCH. It accepts only the op "Replace",
// in this spelling, and only the documented paths; under one reading also no path.
func (o *Org) readUserChange(change patchOperation, wish *userWish) error {
	if change.op != "Replace" {
		return invalidSyntax("op must be Replace")
	}
	if !change.set("value").has("value") {
		return invalidValue("an operation needs a value")
	}
	switch change.path {
	case "active":
		active, err := o.readActive(change.set("active"))
		wish.active = active
		return err
	case schemaUserExtension + ":OrganizationRole":
		o.meets(extensionInPatch)
		return o.readUserExtension(change.set("OrganizationRole"), wish)
	case schemaUserExtension + ":LambdatestGroup":
		o.meets(extensionInPatch)
		return o.readUserExtension(change.set("LambdatestGroup"), wish)
	case "":
		if o.meets(extensionInPatch) == pathLessToo {
			return o.readPathLess(change, wish)
		}
	}
	return invalidPath("path cannot be changed: " + change.path)
}

// readPathLess reads an operation whose value says what to change: attributes
// by their full path, or the extension as an object.
func (o *Org) readPathLess(change patchOperation, wish *userWish) error {
	values, err := change.set("value").object("value")
	if err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(values)) {
		if path == "" {
			return invalidPath("a value without a name")
		}
		if path == schemaUserExtension {
			extension, err := values.object(path)
			if err := errors.Join(err, o.readUserExtension(extension, wish)); err != nil {
				return err
			}
			continue
		}
		if err := o.readUserChange(patchOperation{change.op, path, values[path]}, wish); err != nil {
			return err
		}
	}
	return nil
}
