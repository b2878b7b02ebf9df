// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Role is what a person may do in the LambdaTest organization. LambdaTest calls the attribute OrganizationRole.
//
// +kubebuilder:validation:Enum=Admin;User;Guest
type Role string

// The roles of LambdaTest, from most to least.
const (
	RoleAdmin Role = "Admin"
	RoleUser  Role = "User"
	RoleGuest Role = "Guest"
)

// Rank orders roles: Admin 3, User 2, Guest 1, anything else (unset included) 0.
func (r Role) Rank() int {
	switch r {
	case RoleAdmin:
		return 3
	case RoleUser:
		return 2
	case RoleGuest:
		return 1
	default:
		return 0
	}
}

// OrganizationReference names a LambdaTestOrganization in the same namespace.
//
// +structType=atomic
type OrganizationReference struct {
	// name is the name of the LambdaTestOrganization, in the namespace of this resource; default "default".
	//
	// +kubebuilder:default=default
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!self.matches('[\\\\p{C}\\\\p{Zl}\\\\p{Zp}]')",message="name must not hold control or formatting characters"
	// +optional
	Name string `json:"name,omitempty"`
}
