// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"
	"fmt"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/index"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// getGroup: RFC 7644, section 3.4.1.
func (s *Server) getGroup(r *request) (reply, error) {
	group, err := s.shownGroup(r.Context(), r.organizationKey(), r.segment)
	if err != nil {
		return reply{}, err
	}
	return s.groupReply(r, http.StatusOK, group)
}

// replaceGroup: RFC 7644, section 3.5.1.
func (s *Server) replaceGroup(r *request) (reply, error) {
	body, err := r.json(s.limits.GroupBodyBytes)
	if err != nil {
		return reply{}, err
	}
	change, err := claims.PutGroup(body)
	if err != nil {
		return reply{}, err
	}
	group, err := s.changeGroup(r, change)
	if err != nil {
		return reply{}, err
	}
	return s.groupReply(r, http.StatusOK, group)
}

// patchGroup: RFC 7644, section 3.5.2: 204, unless attributes are asked for. A group may have 10 000 members.
func (s *Server) patchGroup(r *request) (reply, error) {
	body, err := r.json(s.limits.GroupBodyBytes)
	if err != nil {
		return reply{}, err
	}
	operations, err := scim.ReadPatch(body)
	if err != nil {
		return reply{}, err
	}
	group, err := s.changeGroup(r, claims.PatchGroup(operations))
	if err != nil {
		return reply{}, err
	}
	if _, asked := r.projection(claims.GroupType); asked {
		return s.groupReply(r, http.StatusOK, group)
	}
	return reply{status: http.StatusNoContent, header: http.Header{"Etag": {claims.ETag(group)}}}, nil
}

func (s *Server) changeGroup(r *request, change claims.GroupChange) (*v1alpha1.LambdaTestGroup, error) {
	if matches := r.ifMatch(); matches != nil {
		change.Precondition = func(group *v1alpha1.LambdaTestGroup) error { return matches(claims.ETag(group)) }
	}
	group, fields, err := s.submitGroup(r, r.segment, change)
	if err != nil {
		return nil, err
	}
	r.audit = written{resource: "Group/" + r.segment, outcome: "changed", fields: fields}
	if len(fields) == 0 {
		r.audit.outcome = "unchanged"
	}
	return group, nil
}

// deleteGroup deletes the resource. Its finalizer keeps it until LambdaTest has been told; the provider does not see it any more.
func (s *Server) deleteGroup(r *request) (reply, error) {
	matches := r.ifMatch()
	err := s.retrying(r.Context(), "group", func() (bool, error) {
		group, err := s.liveGroup(r.Context(), r.organizationKey(), r.segment)
		if err != nil {
			return true, err
		}
		if matches != nil {
			if err := matches(claims.ETag(group)); err != nil {
				return true, err
			}
		}
		err = s.remove(r.Context(), group)
		return err == nil, err
	})
	if err != nil {
		return reply{}, orNotFound(err, "group", r.segment)
	}
	r.audit = written{resource: "Group/" + r.segment, outcome: "deleted"}
	return noContent(), nil
}

// remove deletes a group and waits until the index no longer shows it: any later version is one that is going. An annotation
// marks the deletion as the provider's; the controllers guard every other deletion. Both writes name the version that was read, so that of
// two deletions at once only one succeeds.
func (s *Server) remove(ctx context.Context, group *v1alpha1.LambdaTestGroup) error {
	calling, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	marked, patch := group.DeepCopy(), client.MergeFromWithOptions(group, client.MergeFromWithOptimisticLock{})
	metav1.SetMetaDataAnnotation(&marked.ObjectMeta, v1alpha1.DeletedByProviderAnnotation, s.now().UTC().Format(time.RFC3339))
	if err := s.client.Patch(calling, marked, patch); err != nil {
		return err
	}
	if err := s.client.Delete(calling, marked, client.Preconditions{UID: &marked.UID, ResourceVersion: &marked.ResourceVersion}); err != nil {
		return err
	}
	s.awaitIndex(ctx, v1alpha1.GroupKind, marked, s.index.AwaitNext)
	return nil
}

// createGroup: RFC 7644, section 3.3.
func (s *Server) createGroup(r *request) (reply, error) {
	body, err := r.json(s.limits.GroupBodyBytes)
	if err != nil {
		return reply{}, err
	}
	spec, err := claims.PostGroup(body, s.groupRules(r, nil))
	if err != nil {
		return reply{}, err
	}
	spec.OrganizationRef.Name = r.organization().Name
	group, err := s.createUnderFreeName(r, spec)
	if err != nil {
		return reply{}, err
	}
	r.audit = written{resource: "Group/" + group.Name, outcome: "created", fields: claims.ChangedGroupFields(&v1alpha1.LambdaTestGroupSpec{}, &spec)}
	return s.groupReply(r, http.StatusCreated, group)
}

// groupAttempts bounds the names tried for a group: one is taken by each group that was created with the displayName, and then renamed
// or not yet gone.
const groupAttempts = 20

// createUnderFreeName creates a group under the first name that is free. Two POSTs at once try the same names, so one of them meets the other's.
func (s *Server) createUnderFreeName(r *request, spec v1alpha1.LambdaTestGroupSpec) (*v1alpha1.LambdaTestGroup, error) {
	if err := s.roomOf(r).take(index.Usage{}, index.UsageOfGroup(&spec)); err != nil {
		return nil, err
	}
	for attempt := range groupAttempts {
		name := v1alpha1.SCIMGroupName(r.organization().Name, spec.DisplayName, attempt)
		group := &v1alpha1.LambdaTestGroup{ObjectMeta: newObject(r.organizationKey(), name, s.now()), Spec: *spec.DeepCopy()}
		group.Labels[v1alpha1.GroupNameLabel] = nameDigest(r, spec.DisplayName)
		if err := s.create(r.Context(), group, v1alpha1.GroupKind); !apierrors.IsAlreadyExists(err) {
			return group, err
		}
		if err := s.isNotNamed(r, name, spec.DisplayName); err != nil {
			return nil, err
		}
	}
	return nil, problem.Later(http.StatusServiceUnavailable, retryAfter, "many groups of this displayName are being deleted: try again")
}

// checkDisplayName fails when another group of the organization has the displayName. The index knows of those that are older than a moment. The
// label is asked for at the API server, because another replica may just have renamed a group, or created one.
func (s *Server) checkDisplayName(r *request, self *v1alpha1.LambdaTestGroup, displayName string) error {
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	labelled := &metav1.PartialObjectMetadataList{}
	labelled.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind(v1alpha1.GroupKind + "List"))
	name := client.MatchingLabels{v1alpha1.GroupNameLabel: nameDigest(r, displayName)}
	if err := s.reader.List(ctx, labelled, client.InNamespace(r.organizationKey().Namespace), name); err != nil {
		return fmt.Errorf("listing the groups of a displayName: %w", err)
	}
	candidates := map[string]bool{}
	for _, group := range labelled.Items {
		candidates[group.Name] = true
	}
	if known := s.index.GroupNamed(r.organizationKey(), displayName); known != nil {
		candidates[known.Name] = true
	}
	for id := range candidates {
		if self != nil && id == self.Name {
			continue
		}
		if err := s.isNotNamed(r, id, displayName); err != nil {
			return err
		}
	}
	return nil
}

// isNotNamed fails when the API server has the group under that displayName: another replica may just have deleted or renamed it, and then a
// POST succeeds.
func (s *Server) isNotNamed(r *request, id, displayName string) error {
	group, err := s.liveGroup(r.Context(), r.organizationKey(), id)
	switch {
	case err != nil:
		return ignoreNotFound(err)
	case v1alpha1.FoldDisplayName(group.Spec.DisplayName) == v1alpha1.FoldDisplayName(displayName):
		return problem.Taken("a group with this displayName exists")
	}
	return nil
}

// nameDigest is the value of the label of the groups of that displayName.
func nameDigest(r *request, displayName string) string {
	return v1alpha1.SCIMGroupName(r.organization().Name, displayName, 0)
}
