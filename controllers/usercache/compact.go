// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package usercache

import (
	"bytes"
	"slices"
	"sync"
	"unique"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// compactUsers returns a transform that makes LambdaTestUsers small in the cache: there may be 100 000 of them. It drops what no reader
// of the cache needs: managed fields, all labels except the source, all annotations except two. A change of a user that was read from the
// cache must therefore be sent as a patch, never as the whole object. The time of the creation gets its fraction of a second, which an
// annotation has. Texts that many users have in common are stored once, and the texts
// of one user share one piece of memory.
func compactUsers() toolscache.TransformFunc {
	shared := sharedAnnotations{byTime: map[string]map[string]string{}}
	return func(object any) (any, error) {
		if user, ok := object.(*v1alpha1.LambdaTestUser); ok && !isCompact(user) {
			user.ManagedFields = nil
			user.CreationTimestamp = metav1.NewTime(v1alpha1.CreatedAt(user))
			user.Labels = sourceLabels[user.Labels[v1alpha1.SourceLabel]]
			user.Annotations = shared.of(user.Annotations)
			if slices.Equal(user.Finalizers, onlyOurs) {
				user.Finalizers = onlyOurs
			}
			for _, word := range words(user) {
				*word = unique.Make(*word).Value()
			}
			pack(texts(user))
		}
		return object, nil
	}
}

// isCompact tells whether a user is compact already, as those of a list are when client-go applies the transform. A user that was just
// decoded has a finalizers slice of its own.
func isCompact(user *v1alpha1.LambdaTestUser) bool {
	return len(user.Finalizers) == 1 && &user.Finalizers[0] == &onlyOurs[0]
}

// sourceLabels are the labels that are kept, by the source; declared users need none. Users can share them, because no reader changes an
// object of the cache.
var sourceLabels = map[string]map[string]string{
	v1alpha1.SourceSCIM:   {v1alpha1.SourceLabel: v1alpha1.SourceSCIM},
	v1alpha1.SourceImport: {v1alpha1.SourceLabel: v1alpha1.SourceImport},
}

// onlyOurs are the finalizers of nearly all users.
var onlyOurs = []string{v1alpha1.Finalizer}

// maxSharedTimes bounds how many times of a last change are remembered for sharing: about 4 MB.
const maxSharedTimes = 10_000

// sharedAnnotations are shared by users who were last written in the same second, as happens when a provider creates all its users: even
// a map of one entry takes more memory than all texts of a user.
type sharedAnnotations struct {
	mu     sync.Mutex
	byTime map[string]map[string]string
}

func (s *sharedAnnotations) of(all map[string]string) map[string]string {
	kept := map[string]string{}
	for _, name := range []string{v1alpha1.LastModifiedAnnotation, v1alpha1.ReconcileRequestedAtAnnotation} {
		if value, ok := all[name]; ok {
			kept[name] = value
		}
	}
	modified, written := kept[v1alpha1.LastModifiedAnnotation]
	switch {
	case len(kept) == 0:
		return nil
	case len(kept) > 1 || !written:
		return kept
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.byTime[modified]; ok {
		return known
	}
	if len(s.byTime) >= maxSharedTimes {
		clear(s.byTime)
	}
	s.byTime[modified] = kept
	return kept
}

// words are the texts that many users have in common.
func words(user *v1alpha1.LambdaTestUser) []*string {
	spec, status := &user.Spec, &user.Status
	all := []*string{
		&user.APIVersion, &user.Kind, &user.Namespace,
		&spec.OrganizationRef.Name, &spec.ConcurrencyGroup,
		(*string)(&spec.Role), (*string)(&spec.ManagementPolicy), (*string)(&spec.DeletionPolicy),
	}
	for i := range spec.Emails {
		all = append(all, &spec.Emails[i].Type)
	}
	for i := range status.Conditions {
		condition := &status.Conditions[i]
		all = append(all, &condition.Type, (*string)(&condition.Status), &condition.Reason, &condition.Message)
	}
	if account := status.Account; account != nil {
		all = append(all, &account.Role, &account.ConcurrencyGroup)
	}
	if effective := status.Effective; effective != nil {
		all = append(all, (*string)(&effective.Role), &effective.ConcurrencyGroup)
	}
	return all
}

// texts are a user's own, longest first where one may be part of another.
func texts(user *v1alpha1.LambdaTestUser) []*string {
	spec, status := &user.Spec, &user.Status
	var all []*string
	if effective := status.Effective; effective != nil {
		all = append(all, &effective.RoleFrom, &effective.ActiveFrom, &effective.ConcurrencyGroupFrom)
	}
	all = append(all, &user.Name, (*string)(&user.UID), &spec.UserName, &spec.DisplayName, &spec.Name.GivenName, &spec.Name.FamilyName,
		&spec.ExternalID, &status.AccountID, &user.ResourceVersion)
	for i := range spec.Emails {
		all = append(all, &spec.Emails[i].Value, &spec.Emails[i].Display)
	}
	if account := status.Account; account != nil {
		all = append(all, &account.GivenName, &account.FamilyName)
	}
	return all
}

// pack lays texts into one piece of memory; what is part of another takes none.
func pack(texts []*string) {
	var piece []byte
	places := make([]int, len(texts))
	for i, text := range texts {
		places[i] = bytes.Index(piece, []byte(*text))
		if places[i] < 0 {
			places[i] = len(piece)
			piece = append(piece, *text...)
		}
	}
	packed := string(piece)
	for i, text := range texts {
		*text = packed[places[i]:][:len(*text)]
	}
}
