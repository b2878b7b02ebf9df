// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

var groupType = (&resourceType{
	name:        "Group",
	description: "A group of people in the LambdaTest organization, and the roles it gives them",
	endpoint:    "/Groups",
	schema:      groupSchema,
	extension:   groupExtension,
	fold:        v1alpha1.FoldUserName,
	attributes: []*attribute{
		{name: "displayName", required: true, unique: true, description: "The name of the group."},
		{
			name: "members", dataType: typeComplex, multiValued: true,
			description: "The people in the group.",
			sub: []*attribute{
				{name: "value", required: true, caseExact: true, mutability: immutableOnce, description: "The id of the user."},
				{name: "$ref", dataType: typeReference, caseExact: true, references: []string{"User"}, mutability: readOnly, description: "The URI of the user."},
				{name: "display", mutability: readOnly, description: "The userName of the user."},
				{name: "type", canonical: []string{"User"}, mutability: readOnly, description: "Always User."},
			},
		},
		{
			name: groupExtension, dataType: typeComplex,
			description: "What LambdaTest adds to a group.",
			sub: []*attribute{
				{name: lambdatestRolesName, multiValued: true, canonical: roleNames, strict: true, description: "The roles that the group gives its members; the highest of all groups of a person is in force."},
			},
		},
	},
}).finish()
