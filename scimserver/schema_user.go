// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// unstoredOfUsers are those of RFC 7643, sections 4.1 and 4.3. `password` is not among them.
var unstoredOfUsers = map[string][]string{
	"nickName": nil, "profileUrl": nil, "title": nil, "userType": nil, "preferredLanguage": nil, "locale": nil, "timezone": nil,
	"phoneNumbers": plural, "ims": plural, "photos": plural, "entitlements": plural, "x509Certificates": plural,
	"addresses": append([]string{"formatted", "streetAddress", "locality", "region", "postalCode", "country"}, plural...),
	"name":      {"formatted", "middleName", "honorificPrefix", "honorificSuffix"},
	"roles":     plural,

	"employeeNumber": nil, "costCenter": nil, "organization": nil, "division": nil, "department": nil,
	"manager": {"value", "$ref", "displayName"},
}

var plural = []string{"value", "display", "type", "primary", "$ref"}

const userNameChange = "userName cannot change, because LambdaTest cannot rename an account: deactivate this user and create one with the new userName"

var roleNames = []string{"Admin", "User", "Guest"}

var userType = (&resourceType{
	name:        "User",
	description: "A person in the LambdaTest organization",
	endpoint:    "/Users",
	schema:      userSchema,
	extension:   userExtension,
	unstored:    unstoredOfUsers,
	fold:        v1alpha1.FoldUserName,
	attributes: []*attribute{
		{
			name: "userName", required: true, mutability: immutableOnce, unique: true,
			description:  "The person's e-mail address. LambdaTest cannot rename an account, so it never changes.",
			whyImmutable: userNameChange,
		},
		{
			name: "name", dataType: typeComplex, required: true,
			description: "The person's name, used when the account is created.",
			sub: []*attribute{
				{name: "familyName", required: true, description: "The last name."},
				{name: "givenName", required: true, description: "The first name."},
			},
		},
		{name: "displayName", description: "The name to show. Kept for the provider."},
		{
			name: "active", dataType: typeBoolean, required: true,
			description: "Whether the person may sign in. A POST without it means true.",
		},
		{
			name: "emails", dataType: typeComplex, multiValued: true,
			description: "The person's addresses. Until they are set, the userName as primary work address.",
			sub: []*attribute{
				{name: "value", required: true, description: "The address."},
				{name: "display", description: "A readable form of the address."},
				{name: "type", canonical: []string{"work", "home", "other"}, description: "What the address is for."},
				{name: "primary", dataType: typeBoolean, description: "Whether this is the preferred address; one at most is."},
			},
		},
		{
			name: "roles", dataType: typeComplex, multiValued: true, mutability: readOnly,
			description: "The role in force at LambdaTest, whoever decided it. To ask for a role, set OrganizationRole.",
			sub: []*attribute{
				{name: "value", mutability: readOnly, description: "Admin, User or Guest."},
				{name: "primary", dataType: typeBoolean, mutability: readOnly, description: "Always true."},
			},
		},
		{
			name: userExtension, dataType: typeComplex,
			description: "What LambdaTest adds to a user.",
			sub: []*attribute{
				{
					name: organizationRoleName, canonical: roleNames, strict: true,
					description: "The role that this provider gives the person. Without it a new account starts as User and an existing one keeps its role.",
				},
				{name: lambdatestGroupName, caseExact: true, description: "The name of an existing LambdaTest concurrency group."},
			},
		},
		{
			name: "groups", dataType: typeComplex, multiValued: true, mutability: readOnly,
			description: "The groups of this provider that the person is in.",
			sub: []*attribute{
				{name: "value", caseExact: true, mutability: readOnly, description: "The id of the group."},
				{name: "$ref", dataType: typeReference, caseExact: true, references: []string{"Group"}, mutability: readOnly, description: "The URI of the group."},
				{name: "display", mutability: readOnly, description: "The displayName of the group."},
				{name: "type", canonical: []string{"direct"}, mutability: readOnly, description: "Always direct."},
			},
		},
	},
}).finish()
