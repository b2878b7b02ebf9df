// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

var roleNames = []string{"Admin", "User", "Guest"}

var userType = (&resourceType{
	name:        "User",
	description: "A person in the LambdaTest organization",
	endpoint:    "/Users",
	schema:      userSchema,
	extension:   userExtension,
	unstored:    unstoredOfUsers,
	attributes: common(
		&attribute{
			name: "userName", required: true, mutability: immutableOnce, unique: true,
			description: "The person's e-mail address. LambdaTest cannot rename an account, so it never changes.",
		},
		&attribute{
			name: "name", dataType: typeComplex, required: true,
			description: "The person's name, used when the account is created.",
			sub: []*attribute{
				{name: "familyName", required: true, description: "The last name."},
				{name: "givenName", required: true, description: "The first name."},
			},
		},
		&attribute{name: "displayName", description: "The name to show. Kept for the provider."},
		&attribute{
			name: "active", dataType: typeBoolean, required: true,
			description: "Whether the person may sign in. A POST without it means true.",
		},
		&attribute{
			name: "emails", dataType: typeComplex, multiValued: true,
			description: "The person's addresses. Until they are set, the userName as primary work address.",
			sub: []*attribute{
				{name: "value", required: true, description: "The address."},
				{name: "display", description: "A readable form of the address."},
				{name: "type", canonical: []string{"work", "home", "other"}, description: "What the address is for."},
				{name: "primary", dataType: typeBoolean, description: "Whether this is the preferred address; one at most is."},
			},
		},
		&attribute{
			name: "roles", dataType: typeComplex, multiValued: true, mutability: readOnly,
			description: "The role in force at LambdaTest, whoever decided it. To ask for a role, set OrganizationRole.",
			sub: []*attribute{
				{name: "value", mutability: readOnly, description: "Admin, User or Guest."},
				{name: "primary", dataType: typeBoolean, mutability: readOnly, description: "Always true."},
			},
		},
		&attribute{
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
		&attribute{
			name: "groups", dataType: typeComplex, multiValued: true, mutability: readOnly,
			description: "The groups of this provider that the person is in.",
			sub: []*attribute{
				{name: "value", caseExact: true, mutability: readOnly, description: "The id of the group."},
				{name: "$ref", dataType: typeReference, caseExact: true, references: []string{"Group"}, mutability: readOnly, description: "The URI of the group."},
				{name: "display", mutability: readOnly, description: "The displayName of the group."},
				{name: "type", canonical: []string{"direct"}, mutability: readOnly, description: "Always direct."},
			},
		},
	),
}).finish()
