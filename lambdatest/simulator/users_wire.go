// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"errors"
	"strconv"
	"time"
)

type wireUser struct {
	Schemas   []string      `json:"schemas"`
	ID        string        `json:"id,omitempty"`
	UserName  string        `json:"userName"`
	Name      wireName      `json:"name"`
	Active    bool          `json:"active"`
	Extension wireExtension `json:"urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User"`
	Meta      wireMeta      `json:"meta"`
}

type wireName struct {
	GivenName  string `json:"givenName"`
	FamilyName string `json:"familyName"`
}

type wireExtension struct {
	OrganizationRole string `json:"OrganizationRole"`
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
		UserName:  a.userName,
		Name:      wireName{a.givenName, a.familyName},
		Active:    a.active,
		Extension: wireExtension{a.role, a.concurrencyGroup},
		Meta:      wireMeta{"User", a.created.UTC(), a.modified.UTC()},
	}
	if o.switches.MissingIDs {
		shown.ID = ""
	}
	return shown
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
	wish.active, errs[1] = doc.flag("active")
	wish.givenName, errs[2] = name.text("givenName")
	wish.familyName, errs[3] = name.text("familyName")
	return wish, errors.Join(append(errs[:], o.readUserExtension(extension, &wish))...)
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
	if group != nil {
		if !o.concurrencyGroups[*group] {
			return invalidValue("LambdatestGroup names no existing concurrency group")
		}
		wish.concurrencyGroup = group
	}
	return nil
}

// readUserChange reads one operation of a PATCH. It accepts only the op "Replace",
// in this spelling, and only the documented paths.
func (o *Org) readUserChange(change patchOperation, wish *userWish) error {
	if change.op != "Replace" {
		return invalidSyntax("op must be Replace")
	}
	if !change.set("value").has("value") {
		return invalidValue("an operation needs a value")
	}
	switch change.path {
	case "active":
		active, err := change.set("active").flag("active")
		wish.active = active
		return err
	case schemaUserExtension + ":OrganizationRole":
		return o.readUserExtension(change.set("OrganizationRole"), wish)
	case schemaUserExtension + ":LambdatestGroup":
		return o.readUserExtension(change.set("LambdatestGroup"), wish)
	}
	return invalidPath("path cannot be changed: " + change.path)
}
