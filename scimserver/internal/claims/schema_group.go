// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// GroupType is the table of groups.
var GroupType = (&scim.ResourceType{
	Name:        "Group",
	Description: "A group of people in the LambdaTest organization, and the roles it gives them",
	Endpoint:    "/Groups",
	Schema:      groupSchema,
	Extension:   groupExtension,
	Fold:        v1alpha1.FoldUserName,
	Rename:      lambdaTestName,
	Attributes: []*scim.Attribute{
		{Name: "displayName", Required: true, Unique: true, Description: "The name of the group."},
		{
			Name: "members", DataType: scim.TypeComplex, MultiValued: true, Set: true,
			Description: "The people in the group.",
			Sub: []*scim.Attribute{
				{Name: "value", Required: true, CaseExact: true, Mutability: scim.Immutable, Description: "The id of the user."},
				{Name: "$ref", DataType: scim.TypeReference, CaseExact: true, References: []string{"User"}, Mutability: scim.Immutable, Description: "The URI of the user."},
				{Name: "display", Mutability: scim.ReadOnly, Description: "The userName of the user."},
				{Name: "type", Canonical: []string{"User"}, Mutability: scim.ReadOnly, Description: "Always User."},
			},
		},
		{
			Name: groupExtension, DataType: scim.TypeComplex,
			Description: "What LambdaTest adds to a group.",
			Sub: []*scim.Attribute{
				{Name: lambdatestRolesName, MultiValued: true, Canonical: roleNames, Strict: true, Description: "The roles that the group gives its members; the highest of all groups of a person is in force."},
			},
		},
	},
}).Complete()
