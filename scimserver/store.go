// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"regexp"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/index"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// What this server does with the API server: live reads, and writes that wait for the index.

var idForm = regexp.MustCompile(`^scim-[a-z2-7]{26}$`)

// idOf is the id of a person: that of the resource that an earlier version made, if there is one, else the one that a new resource has.
// The index alone tells, because no resource is made under a former id any more.
func (s *Server) idOf(organization types.NamespacedName, userName string) string {
	if former, differs := v1alpha1.FormerSCIMUserName(organization.Name, userName); differs {
		if user := s.index.User(organization, former); user != nil && v1alpha1.FoldUserName(user.Spec.UserName) == v1alpha1.FoldUserName(userName) {
			return former
		}
	}
	return v1alpha1.SCIMUserName(organization.Name, userName)
}

// shownUser reads a user that the provider may see, for an answer that shows it.
func (s *Server) shownUser(ctx context.Context, organization types.NamespacedName, id string) (*v1alpha1.LambdaTestUser, error) {
	if known := s.index.User(organization, id); known != nil && index.IsVisibleUser(known) {
		latest, err := s.isLatest(ctx, v1alpha1.UserKind, known)
		if latest || err != nil {
			return known, orNotFound(err, "user", id)
		}
	}
	return s.liveUser(ctx, organization, id)
}

// shownGroup does the same with a group.
func (s *Server) shownGroup(ctx context.Context, organization types.NamespacedName, id string) (*v1alpha1.LambdaTestGroup, error) {
	if known := s.index.Group(organization, id); known != nil && index.IsVisibleGroup(known) {
		latest, err := s.isLatest(ctx, v1alpha1.GroupKind, known)
		if latest || err != nil {
			return known, orNotFound(err, "group", id)
		}
	}
	return s.liveGroup(ctx, organization, id)
}

// isLatest asks the API server whether nothing newer was written than a resource of the index: a resourceVersion is given once. The answer is as
// true as a read of the resource, without its transfer, decoding and rendering: a sixth of the CPU time that the GET of a user takes, and all
// members of a group.
func (s *Server) isLatest(ctx context.Context, kind string, known client.Object) (bool, error) {
	latest := &metav1.PartialObjectMetadata{}
	latest.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind(kind))
	if err := s.liveGet(ctx, known.GetNamespace(), known.GetName(), latest); err != nil {
		return false, err
	}
	return latest.ResourceVersion == known.GetResourceVersion(), nil
}

// liveUser reads a user that the provider may see. Any other resource of that name does not exist for the provider.
func (s *Server) liveUser(ctx context.Context, organization types.NamespacedName, id string) (*v1alpha1.LambdaTestUser, error) {
	user := &v1alpha1.LambdaTestUser{}
	if err := s.liveGet(ctx, organization.Namespace, id, user); err != nil {
		return nil, orNotFound(err, "user", id)
	}
	if !ownsUser(organization, user) || !index.IsVisibleUser(user) {
		return nil, problem.NotFound("user", id)
	}
	return user, nil
}

func ownsUser(organization types.NamespacedName, user *v1alpha1.LambdaTestUser) bool {
	return v1alpha1.IsSCIM(user) && user.Namespace == organization.Namespace && user.Spec.OrganizationRef.Name == organization.Name
}

// noGroup is an id that no group has.
const noGroup = v1alpha1.SCIMNamePrefix + "aaaaaaaaaaaaaaaaaaaaaaaaaa"

// liveGroup reads a group that the provider may see. In place of a group of another organization it reads one that does not exist: to read the
// members takes longer, and would tell that the group is there.
func (s *Server) liveGroup(ctx context.Context, organization types.NamespacedName, id string) (*v1alpha1.LambdaTestGroup, error) {
	if s.index.IsOfAnother(organization, id) {
		return nil, orNotFound(s.liveGet(ctx, organization.Namespace, noGroup, &v1alpha1.LambdaTestGroup{}), "group", id)
	}
	group := &v1alpha1.LambdaTestGroup{}
	if err := s.liveGet(ctx, organization.Namespace, id, group); err != nil {
		return nil, orNotFound(err, "group", id)
	}
	if !ownsGroup(organization, group) || !index.IsVisibleGroup(group) {
		return nil, problem.NotFound("group", id)
	}
	return group, nil
}

func ownsGroup(organization types.NamespacedName, group *v1alpha1.LambdaTestGroup) bool {
	return v1alpha1.IsSCIM(group) && group.Namespace == organization.Namespace && group.Spec.OrganizationRef.Name == organization.Name
}

// liveGet asks the API server only for ids that this endpoint can have given.
func (s *Server) liveGet(ctx context.Context, namespace, id string, into client.Object) error {
	if !idForm.MatchString(id) {
		return apierrors.NewNotFound(v1alpha1.Resource("resources"), id)
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := s.reader.Get(ctx, types.NamespacedName{Namespace: namespace, Name: id}, into); err != nil {
		return fmt.Errorf("reading %s: %w", id, err)
	}
	return nil
}

// liveList asks the API server for the objects that a selector chooses.
func (s *Server) liveList(ctx context.Context, into client.ObjectList, namespace string, selector labels.Selector) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := s.reader.List(ctx, into, client.InNamespace(namespace), client.MatchingLabelsSelector{Selector: selector}); err != nil {
		return fmt.Errorf("listing: %w", err)
	}
	return nil
}

// isMissing tells whether a user or group does not exist for the provider.
func isMissing(err error) bool {
	p := problem.As(err)
	return p != nil && p.Status == http.StatusNotFound
}

func ignoreNotFound(err error) error {
	if isMissing(err) {
		return nil
	}
	return err
}

// orNotFound turns the API server's error about a resource that is not there into the client's.
func orNotFound(err error, what, id string) error {
	if apierrors.IsNotFound(err) {
		return problem.NotFound(what, id)
	}
	return err
}

// newObject is the metadata of a resource of this endpoint.
func newObject(organization types.NamespacedName, name string, now time.Time) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: organization.Namespace,
		Name:      name,
		Labels:    map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM},
		Annotations: map[string]string{
			v1alpha1.CreatedAnnotation:      now.UTC().Format(time.RFC3339Nano),
			v1alpha1.LastModifiedAnnotation: now.UTC().Format(time.RFC3339),
		},
		// With the create, so that no upstream write can come before it.
		Finalizers: []string{v1alpha1.Finalizer},
	}
}

// create and update write to the API server and wait for the index to show it.
func (s *Server) create(ctx context.Context, object client.Object, kind string) error {
	return s.write(ctx, object, kind, func(ctx context.Context) error { return s.client.Create(ctx, object) })
}

func (s *Server) update(ctx context.Context, object client.Object, kind string) error {
	annotations := maps.Clone(object.GetAnnotations())
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[v1alpha1.LastModifiedAnnotation] = s.now().UTC().Format(time.RFC3339)
	object.SetAnnotations(annotations)
	return s.write(ctx, object, kind, func(ctx context.Context) error { return s.client.Update(ctx, object) })
}

func (s *Server) write(ctx context.Context, object client.Object, kind string, call func(context.Context) error) error {
	calling, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := call(calling); err != nil {
		return fmt.Errorf("writing %s: %w", object.GetName(), err)
	}
	s.awaitIndex(ctx, kind, object, s.index.Await)
	return nil
}

// awaitIndex waits until the index shows a write, so that the client finds it in the next list. The wait is bounded: the write is done in any case.
func (s *Server) awaitIndex(ctx context.Context, kind string, object client.Object, await func(context.Context, string, metav1.Object)) {
	waiting, cancel := context.WithTimeout(ctx, ownWriteWait)
	defer cancel()
	await(waiting, kind, object)
	if waiting.Err() != nil {
		s.metrics.lateIndexes.Inc()
	}
}

// retrying runs a round of read and write until it is done, pausing longer each time. A client never learns of a conflict: it would
// not repeat the request.
func (s *Server) retrying(ctx context.Context, kind string, round func() (done bool, err error)) error {
	for attempt := range writeAttempts {
		done, err := round()
		if done || err != nil && !apierrors.IsConflict(err) {
			return err
		}
		s.metrics.conflicts.WithLabelValues(kind).Inc()
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
	return problem.Later(503, retryAfter, "others change the same %s at the same time: try again", kind)
}

func pause(ctx context.Context, attempt int) error {
	wait := min(writeBackoff<<attempt, maxBackoff)
	wait = wait/2 + rand.N(wait) //nolint:gosec // spreads those who met once; nothing is kept secret by it
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}
