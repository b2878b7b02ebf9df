// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// SchemeGroupVersion is the API group and version of every type in this package.
var SchemeGroupVersion = schema.GroupVersion{Group: "iam.lambdatest.io", Version: "v1alpha1"}

// Kinds of this package, as written in manifests.
const (
	OrganizationKind = "LambdaTestOrganization"
	UserKind         = "LambdaTestUser"
	GroupKind        = "LambdaTestGroup"
)

var schemeBuilder = runtime.NewSchemeBuilder(func(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(SchemeGroupVersion,
		&LambdaTestOrganization{}, &LambdaTestOrganizationList{},
		&LambdaTestUser{}, &LambdaTestUserList{},
		&LambdaTestGroup{}, &LambdaTestGroupList{},
	)
	metav1.AddToGroupVersion(scheme, SchemeGroupVersion)
	return nil
})

// AddToScheme adds the types of this package to a scheme.
var AddToScheme = schemeBuilder.AddToScheme

// Resource returns the group-qualified resource of a plural name, such as "lambdatestusers".
func Resource(plural string) schema.GroupResource {
	return SchemeGroupVersion.WithResource(plural).GroupResource()
}
