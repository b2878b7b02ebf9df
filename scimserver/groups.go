// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"
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
	return s.groupReply(r, http.StatusOK, group), nil
}

func (s *Server) groupReply(r *request, status int, group *v1alpha1.LambdaTestGroup) reply {
	p, _ := r.projection(claims.GroupType)
	if r.Method == http.MethodGet && r.isUnchanged(claims.ETag(group)) {
		return reply{status: http.StatusNotModified, header: http.Header{"Etag": {claims.ETag(group)}}}
	}
	return resourceReply(status, claims.GroupType, s.viewGroup(r, group, s.liveMembers(r)), p)
}

func (s *Server) viewGroup(r *request, group *v1alpha1.LambdaTestGroup, members func(*v1alpha1.LambdaTestGroup) []claims.Member) *claims.GroupView {
	return &claims.GroupView{Group: group, Base: r.base, Members: members}
}

// PutGroup: RFC 7644, section 3.5.1.
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
	return s.groupReply(r, http.StatusOK, group), nil
}

// PatchGroup: RFC 7644, section 3.5.2: 204, unless attributes are asked for. A group may have 10 000 members.
func (s *Server) patchGroup(r *request) (reply, error) {
	body, err := r.json(s.limits.GroupBodyBytes)
	if err != nil {
		return reply{}, err
	}
	operations, err := scim.ReadPatch(body)
	if err == nil {
		err = scim.Malformed(operations)
	}
	if err != nil {
		return reply{}, err
	}
	group, err := s.changeGroup(r, claims.PatchGroup(operations))
	if err != nil {
		return reply{}, err
	}
	if _, asked := r.projection(claims.GroupType); asked {
		return s.groupReply(r, http.StatusOK, group), nil
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
	r.audit = audit{resource: "Group/" + r.segment, outcome: "changed", fields: fields}
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
	r.audit = audit{resource: "Group/" + r.segment, outcome: "deleted"}
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
	r.audit = audit{resource: "Group/" + group.Name, outcome: "created", fields: claims.ChangedGroupFields(&v1alpha1.LambdaTestGroupSpec{}, &spec)}
	return s.groupReply(r, http.StatusCreated, group), nil
}

// groupAttempts bounds the names tried for a group: one is taken by each group that was created with the displayName, and then renamed
// or not yet gone.
const groupAttempts = 20

// createUnderFreeName creates a group under the first name that is free. Two POSTs at once try the same names, so one of them meets the other's.
func (s *Server) createUnderFreeName(r *request, spec v1alpha1.LambdaTestGroupSpec) (*v1alpha1.LambdaTestGroup, error) {
	for attempt := range groupAttempts {
		name := v1alpha1.SCIMGroupName(r.organization().Name, spec.DisplayName, attempt)
		occupied, err := s.occupied(r, name, spec.DisplayName)
		if err != nil {
			return nil, err
		}
		if occupied {
			continue
		}
		if err := s.unusedAfter(r, spec.DisplayName, attempt); err != nil {
			return nil, err
		}
		group := &v1alpha1.LambdaTestGroup{ObjectMeta: newObject(r.organizationKey(), name, s.now()), Spec: *spec.DeepCopy()}
		if err = s.roomOf(r).take(index.Usage{}, index.UsageOfGroup(&group.Spec)); err != nil {
			return nil, err
		}
		err = s.create(r.Context(), group, v1alpha1.GroupKind)
		if err == nil {
			return group, nil
		}
		if !apierrors.IsAlreadyExists(err) {
			return nil, err
		}
		if _, err := s.occupied(r, name, spec.DisplayName); err != nil {
			return nil, err
		}
	}
	return nil, problem.Later(http.StatusServiceUnavailable, retryAfter, "many groups of this displayName are being deleted: try again")
}

// occupied tells whether a name is in use: by a group of the displayName, which is an error, or by one that was renamed or is going.
func (s *Server) occupied(r *request, name, displayName string) (bool, error) {
	group := &v1alpha1.LambdaTestGroup{}
	err := s.liveGet(r.Context(), r.organizationKey().Namespace, name, group)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	same := v1alpha1.FoldDisplayName(group.Spec.DisplayName) == v1alpha1.FoldDisplayName(displayName)
	if same && index.IsVisibleGroup(group) && ownsGroup(r.organizationKey(), group) {
		return true, problem.Taken("a group with this displayName exists")
	}
	return true, nil
}

// unusedAfter looks at the name after a free one: a group may live there since a time when this one was taken.
func (s *Server) unusedAfter(r *request, displayName string, attempt int) error {
	next := v1alpha1.SCIMGroupName(r.organization().Name, displayName, attempt+1)
	_, err := s.occupied(r, next, displayName)
	return err
}
