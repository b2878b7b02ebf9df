// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package usercache

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// compactGroup is a transform that drops what no reader of the cache needs of a LambdaTestGroup: managed fields, which repeat much of the
// object, all labels except the source, and all annotations except three.
//
// It also leaves out a long list of members until the operator has found the organization of the group. Otherwise an account that may only
// create groups in one namespace, where there is no organization, could fill the memory of every replica. Only the operator writes status,
// so only the operator decides when the cache gets the members: the group's reconciler writes that the organization is there, and the
// event of that write brings the members. Groups of the SCIM endpoint are always whole: only the operator creates them.
//
// Nothing is left out of users: their size is bounded by their schema, and the claims that deny are among them.
func compactGroup(object any) (any, error) {
	group, ok := object.(*v1alpha1.LambdaTestGroup)
	if !ok {
		return object, nil
	}
	leavesOut := awaitsOrganization(group) && (group.HasMembersLeftOut() || sizeOf(group.Spec.Members) > maxMemberBytes)
	group.ManagedFields = nil
	group.CreationTimestamp = metav1.NewTime(v1alpha1.CreatedAt(group))
	group.Labels = sourceLabels[group.Labels[v1alpha1.SourceLabel]]
	maps.DeleteFunc(group.Annotations, func(name, _ string) bool { return !slices.Contains(groupAnnotations, name) })
	if leavesOut {
		group.Spec.Members = nil
		if group.Annotations == nil {
			group.Annotations = map[string]string{}
		}
		group.Annotations[v1alpha1.MembersLeftOutAnnotation] = "true"
	}
	return group, nil
}

// maxMemberBytes is what the members of a group take at most in memory until its organization is found: some 200 of them.
const maxMemberBytes = 8 << 10

// stringHeader is what a text takes besides its bytes.
const stringHeader = 16

func sizeOf(members []string) int {
	size := 0
	for _, member := range members {
		size += stringHeader + len(member)
	}
	return size
}

// groupAnnotations are those that are read.
var groupAnnotations = []string{v1alpha1.LastModifiedAnnotation, v1alpha1.ReconcileRequestedAtAnnotation, v1alpha1.DeletedByProviderAnnotation}

// awaitsOrganization tells whether the operator has not found the organization of a group yet.
func awaitsOrganization(group *v1alpha1.LambdaTestGroup) bool {
	ready := meta.FindStatusCondition(group.Status.Conditions, v1alpha1.ReadyCondition)
	return !v1alpha1.IsSCIM(group) && (ready == nil || ready.Reason == v1alpha1.OrganizationNotFoundReason)
}
