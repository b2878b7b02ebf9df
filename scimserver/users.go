// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"
	"net/http"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// getUser: RFC 7644, section 3.4.1.
func (s *Server) getUser(r *request) (reply, error) {
	user, err := s.shownUser(r.Context(), r.organizationKey(), r.segment)
	if err != nil {
		return reply{}, err
	}
	return s.userReply(r, http.StatusOK, user), nil
}

// userReply shows a user, or says that the client has this version already.
func (s *Server) userReply(r *request, status int, user *v1alpha1.LambdaTestUser) reply {
	return resourceReply(r, status, claims.UserType, s.viewUser(r, user))
}

func (s *Server) viewUser(r *request, user *v1alpha1.LambdaTestUser) *claims.UserView {
	roles := r.organization().Spec.SCIM.CoreRoles
	return &claims.UserView{User: user, Base: r.base, CoreRoles: roles, Groups: func(userName string) []*v1alpha1.LambdaTestGroup {
		return s.index.GroupsOf(r.organizationKey(), userName)
	}}
}

// replaceUser: RFC 7644, section 3.5.1.
func (s *Server) replaceUser(r *request) (reply, error) {
	body, err := r.json(s.limits.UserBodyBytes)
	if err != nil {
		return reply{}, err
	}
	return s.changeUser(r, r.segment, claims.PutUser(body))
}

// patchUser: RFC 7644, section 3.5.2.
func (s *Server) patchUser(r *request) (reply, error) {
	body, err := r.json(s.limits.UserBodyBytes)
	if err != nil {
		return reply{}, err
	}
	operations, err := scim.ReadPatch(body)
	if err != nil {
		return reply{}, err
	}
	return s.changeUser(r, r.segment, claims.PatchUser(operations))
}

// changeUser reads a user, decides what becomes of it, and writes it. After a conflict it begins again.
func (s *Server) changeUser(r *request, id string, change claims.UserChange) (reply, error) {
	if matches := r.ifMatch(); matches != nil {
		change.Precondition = func(user *v1alpha1.LambdaTestUser) error { return matches(claims.ETag(user)) }
	}
	var user *v1alpha1.LambdaTestUser
	err := s.retrying(r.Context(), "user", func() (bool, error) {
		var err error
		if user, err = s.liveUser(r.Context(), r.organizationKey(), id); err != nil {
			return true, err
		}
		err = s.writeUser(r, user, change)
		if change.Denies && apierrors.IsInvalid(err) {
			change = claims.DenyOnly(err) // the API server knows a rule that this server does not
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return reply{}, orNotFound(err, "user", id)
	}
	return s.userReply(r, http.StatusOK, user), nil
}

// userRules are the rules for users of the request's organization.
func (s *Server) userRules(r *request) claims.UserRules {
	return claims.RulesOf(r.organization(), pausedFor(r), s.roomOf(r).takeUser)
}

// writeUser carries out a change of a user that was just read, and turns user into what is stored then.
func (s *Server) writeUser(r *request, user *v1alpha1.LambdaTestUser, change claims.UserChange) error {
	spec, leftOut, err := change.On(user, s.userRules(r))
	if err != nil {
		return err
	}
	fields, outcome := claims.ChangedUserFields(&user.Spec, &spec), outcomeOf(user.Spec, spec)
	r.audit = written{resource: "User/" + user.Name, outcome: "unchanged", leftOut: leftOut}
	if !reflect.DeepEqual(spec, user.Spec) {
		user.Spec = spec
		if err := s.update(r.Context(), user, v1alpha1.UserKind); err != nil {
			return err
		}
		r.audit.outcome, r.audit.fields = outcome, fields
	}
	if leftOut != nil {
		r.audit.outcome = "denied"
		s.reportLeftOut(r, user, leftOut)
	}
	return nil
}

// reportLeftOut reports that only the denial of a request was applied, so that the provider and the user differ. Events are bounded for
// each organization: each is a write, and stays in memory for twelve minutes.
func (s *Server) reportLeftOut(r *request, user *v1alpha1.LambdaTestUser, leftOut error) {
	s.metrics.leftOver(r.organization())
	s.auditLeftOut(r, user, leftOut)
	if _, allowed := s.leftOut.allow(r.organizationKey().String(), s.now()); !allowed {
		return
	}
	s.options.Recorder.Eventf(user, nil, corev1.EventTypeWarning, "DeniedInPart", "Deny",
		"The identity provider denied the person; the rest of its request was not applied: %s", problemOf(leftOut).Detail)
}

// deleteUser marks the user as deleted: RFC 7644, section 3.6, "MAY choose not to permanently delete the resource".
func (s *Server) deleteUser(r *request) (reply, error) {
	matches := r.ifMatch()
	err := s.retrying(r.Context(), "user", func() (bool, error) {
		user, err := s.liveUser(r.Context(), r.organizationKey(), r.segment)
		if err != nil {
			return true, err
		}
		if matches != nil {
			if err := matches(claims.ETag(user)); err != nil {
				return true, err
			}
		}
		user.Spec = claims.Denied(user)
		now := metav1.NewTime(s.now())
		user.Spec.DeletedAt = &now
		err = s.update(r.Context(), user, v1alpha1.UserKind)
		return err == nil, err
	})
	if err != nil {
		return reply{}, orNotFound(err, "user", r.segment)
	}
	r.audit = written{resource: "User/" + r.segment, outcome: "deleted", fields: []string{"active"}}
	return noContent(), nil
}

// createUser: RFC 7644, section 3.3.
func (s *Server) createUser(r *request) (reply, error) {
	body, err := r.json(s.limits.UserBodyBytes)
	if err != nil {
		return reply{}, err
	}
	post, err := claims.PostUser(body, s.userRules(r))
	if err != nil {
		return reply{}, err
	}
	post.Spec.OrganizationRef.Name = r.organization().Name
	user, status, err := s.createOrRevive(r, post)
	if err != nil {
		return reply{}, err
	}
	return s.userReply(r, status, user), nil
}

// createOrRevive creates the person's resource, or revives the one that is there.
func (s *Server) createOrRevive(r *request, post *claims.UserPost) (user *v1alpha1.LambdaTestUser, status int, err error) {
	err = s.retrying(r.Context(), "user", func() (bool, error) {
		name := s.idOf(r.organizationKey(), post.Spec.UserName) // once a resource with a former id is gone, the next has the new one
		user, err = s.createResource(r, name, post)
		if !apierrors.IsAlreadyExists(err) {
			status = http.StatusCreated
			return err == nil, err
		}
		user, status, err = s.meetExisting(r, name, post)
		return err == nil && user != nil, err
	})
	return user, status, err
}

func (s *Server) createResource(r *request, name string, post *claims.UserPost) (*v1alpha1.LambdaTestUser, error) {
	user := &v1alpha1.LambdaTestUser{ObjectMeta: newObject(r.organizationKey(), name, s.now()), Spec: *post.Spec.DeepCopy()}
	user.Labels[v1alpha1.PersonLabel] = v1alpha1.PersonDigest(r.organization().Name, post.Spec.UserName)
	if s.index.User(r.organizationKey(), name) == nil { // one that is there is revived, or is a conflict
		if err := s.roomOf(r).takeNew(post); err != nil {
			return nil, err
		}
	}
	if err := s.create(r.Context(), user, v1alpha1.UserKind); err != nil {
		return nil, err
	}
	r.audit = written{resource: "User/" + name, outcome: "created", leftOut: post.LeftOut, fields: claims.ChangedUserFields(&v1alpha1.LambdaTestUserSpec{}, &user.Spec)}
	if post.LeftOut != nil {
		r.audit.outcome = "denied"
		s.reportLeftOut(r, user, post.LeftOut)
	}
	return user, nil
}

// meetExisting decides what a POST means for a person who has a resource. A nil user without an error means: try to create again.
func (s *Server) meetExisting(r *request, name string, post *claims.UserPost) (*v1alpha1.LambdaTestUser, int, error) {
	user := &v1alpha1.LambdaTestUser{}
	if err := s.liveGet(r.Context(), r.organizationKey().Namespace, name, user); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, 0, nil
		}
		return nil, 0, err
	}
	switch {
	case !ownsUser(r.organizationKey(), user), v1alpha1.FoldUserName(user.Spec.UserName) != v1alpha1.FoldUserName(post.Spec.UserName):
		return nil, 0, problem.Taken("the id of this userName belongs to a resource of another person, or of another party: the administrator of the cluster has to delete that")
	case !user.DeletionTimestamp.IsZero():
		return nil, 0, s.awaitGone(r.Context(), user)
	case post.Denies && (!user.IsDenial() || post.LeftOut != nil):
		return s.denyExisting(r, user, post)
	case !user.IsDenial():
		return nil, 0, taken()
	}
	return s.revive(r, user, post)
}

func taken() error {
	return problem.Taken("an active user with this userName exists: let the identity provider import the users of this application, and link the two")
}

// denyExisting: a POST that ends in active: false about a person who has a resource denies like any other request. The provider sees a user
// whom it deleted again, inactive, because a client must find what a POST returned.
func (s *Server) denyExisting(r *request, user *v1alpha1.LambdaTestUser, post *claims.UserPost) (*v1alpha1.LambdaTestUser, int, error) {
	reason := post.LeftOut
	if reason == nil {
		reason = taken()
	}
	if user.IsMarkedDeleted() {
		user.Spec.DeletedAt = nil
		if err := s.update(r.Context(), user, v1alpha1.UserKind); err != nil {
			return nil, 0, err
		}
	}
	return user, http.StatusOK, s.writeUser(r, user, claims.DenyOnly(reason))
}

// revive makes an inactive or deleted user active again. Another person with the same address is taken out of the groups first: if the
// process ends between the two writes, an inactive user without groups is safe, an active one with the roles of another is not.
func (s *Server) revive(r *request, user *v1alpha1.LambdaTestUser, post *claims.UserPost) (*v1alpha1.LambdaTestUser, int, error) {
	spec := s.userRules(r).Revived(user, post.Spec)
	if !claims.IsSamePerson(user, spec) {
		if err := s.leaveGroups(r, user.Spec.UserName); err != nil {
			return nil, 0, err
		}
	}
	if err := s.roomOf(r).takeUser(&user.Spec, &spec); err != nil {
		return nil, 0, err
	}
	fields := claims.ChangedUserFields(&user.Spec, &spec)
	user.Spec = spec
	if err := s.update(r.Context(), user, v1alpha1.UserKind); err != nil {
		return nil, 0, err
	}
	r.audit = written{resource: "User/" + user.Name, outcome: "revived", fields: fields, leftOut: post.LeftOut}
	if post.LeftOut != nil {
		s.reportLeftOut(r, user, post.LeftOut)
	}
	return user, http.StatusCreated, nil
}

// awaitGone waits, bounded, until a resource whose deletion is under way is gone.
func (s *Server) awaitGone(ctx context.Context, user *v1alpha1.LambdaTestUser) error {
	waiting, cancel := context.WithTimeout(ctx, goneWait)
	defer cancel()
	s.index.AwaitGone(waiting, v1alpha1.UserKind, user)
	if waiting.Err() != nil {
		return problem.Later(http.StatusServiceUnavailable, retryAfter, "the deletion of an earlier user with this userName is not finished: try again")
	}
	return nil
}
