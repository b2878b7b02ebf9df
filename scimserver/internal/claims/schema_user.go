// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
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

// UserType is the table of users, and coreRolesUserType the one where the organization takes roles from the core attribute.
var (
	UserType          = userType(scim.ReadOnly, "The role in force at LambdaTest, from any party. To ask for a role, set OrganizationRole.")
	coreRolesUserType = userType(scim.ReadWrite, "The role that this provider gives the person: of several the primary one, otherwise the highest. "+
		"OrganizationRole in the same request wins. Values other than Admin, User and Guest are ignored.")
)

// UserTypeOf is the table of the users of an organization.
func UserTypeOf(organization *v1alpha1.LambdaTestOrganization) *scim.ResourceType {
	return UserRules{coreRoles: organization.Spec.SCIM.CoreRoles}.table()
}

func userType(roles scim.Mutability, ofRoles string) *scim.ResourceType {
	return (&scim.ResourceType{
		Name:        "User",
		Description: "A person in the LambdaTest organization",
		Endpoint:    "/Users",
		Schema:      userSchema,
		Extension:   userExtension,
		Unstored:    unstoredOfUsers,
		Fold:        v1alpha1.FoldUserName,
		Rename:      lambdaTestName,
		Attributes: []*scim.Attribute{
			{
				Name: "userName", Required: true, Mutability: scim.Immutable, Unique: true,
				Description:  "The person's e-mail address. LambdaTest cannot rename an account, so it never changes.",
				WhyImmutable: userNameChange,
			},
			{
				Name: "name", DataType: scim.TypeComplex, Required: true,
				Description: "The person's name, used when the account is created.",
				Sub: []*scim.Attribute{
					{Name: "familyName", Required: true, Description: "The last name."},
					{Name: "givenName", Required: true, Description: "The first name."},
				},
			},
			{Name: "displayName", Description: "The name to show. Kept for the provider."},
			{
				Name: "active", DataType: scim.TypeBoolean, Required: true,
				Description: "Whether the person may sign in. A POST without it means true.",
			},
			{
				Name: "emails", DataType: scim.TypeComplex, MultiValued: true,
				Description: "The person's addresses. Until they are set, the userName as primary work address.",
				Sub: []*scim.Attribute{
					{Name: "value", Required: true, Description: "The address."},
					{Name: "display", Description: "A readable form of the address."},
					{Name: "type", Canonical: []string{"work", "home", "other"}, Description: "What the address is for."},
					{Name: "primary", DataType: scim.TypeBoolean, Description: "Whether this is the preferred address; one at most is."},
				},
			},
			{
				Name: "roles", DataType: scim.TypeComplex, MultiValued: true, Mutability: roles, Description: ofRoles,
				Sub: []*scim.Attribute{
					{Name: "value", Required: true, Mutability: roles, Description: "Admin, User or Guest."},
					{Name: "primary", DataType: scim.TypeBoolean, Mutability: roles, Description: "Whether this is the role that counts."},
				},
			},
			{
				Name: userExtension, DataType: scim.TypeComplex,
				Description: "What LambdaTest adds to a user.",
				Sub: []*scim.Attribute{
					{
						Name: organizationRoleName, Canonical: roleNames, Strict: true,
						Description: "The role that this provider gives the person. Without it a new account starts as User and an existing one keeps its role.",
					},
					{Name: lambdatestGroupName, CaseExact: true, Description: "The name of an existing LambdaTest concurrency group."},
				},
			},
			{
				Name: "groups", DataType: scim.TypeComplex, MultiValued: true, Mutability: scim.ReadOnly,
				Description: "The groups of this provider that the person is in.",
				Sub: []*scim.Attribute{
					{Name: "value", CaseExact: true, Mutability: scim.ReadOnly, Description: "The id of the group."},
					{Name: "$ref", DataType: scim.TypeReference, CaseExact: true, References: []string{"Group"}, Mutability: scim.ReadOnly, Description: "The URI of the group."},
					{Name: "display", Mutability: scim.ReadOnly, Description: "The displayName of the group."},
					{Name: "type", Canonical: []string{"direct"}, Mutability: scim.ReadOnly, Description: "Always direct."},
				},
			},
		},
	}).Complete()
}
