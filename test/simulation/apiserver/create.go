// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validate/content"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kjson "sigs.k8s.io/json"
)

const (
	optimisticLock = "the object has been modified; please apply your changes to the latest version and try again"
	// generateNameAttempts is how often kube-apiserver draws a name.
	generateNameAttempts = 8
	// nameAlphabet has no vowels and no digits that look like letters.
	nameAlphabet = "bcdfghjklmnpqrstvwxz2456789"
)

// intent is a write that is about to happen.
type intent struct {
	*request
	dryRun, strict bool
	manager        string
}

func (r *request) intent(dryRun []string, fieldValidation, manager string) intent {
	if manager == "" {
		manager, _, _ = strings.Cut(r.UserAgent(), "/")
	}
	return intent{request: r, dryRun: len(dryRun) > 0, strict: fieldValidation == metav1.FieldValidationStrict, manager: manager}
}

func (r *request) key() string { return keyOf(r.namespace, r.name) }

func (r *request) write(name string) Write {
	return Write{
		Verb: r.verb, Subresource: r.subresource, User: r.user, From: r.RemoteAddr,
		Key: Key{Resource: r.kind.table.resource, Namespace: r.namespace, Name: name},
	}
}

func (s *Server) create(req *request) (answer, error) {
	options := &metav1.CreateOptions{}
	if err := req.decodeOptions(options); err != nil {
		return answer{}, err
	}
	if errs := metavalidation.ValidateCreateOptions(options); len(errs) > 0 {
		return answer{}, apierrors.NewInvalid(optionsKind("CreateOptions"), "", errs)
	}
	in := req.intent(options.DryRun, options.FieldValidation, options.FieldManager)
	o, err := in.decode()
	if err != nil {
		return answer{}, err
	}
	wipeSystemFields(o)
	if err := in.placeIn(o); err != nil {
		return answer{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.createLocked(in, o)
	if err != nil {
		return answer{}, err
	}
	return req.show(http.StatusCreated, v), nil
}

// decode reads the body of a create or an update.
func (in intent) decode() (object, error) {
	o := object{}
	strictErrs, err := kjson.UnmarshalStrict(in.body, &o)
	if o == nil { // "null"
		o = object{}
	}
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("the object provided is unrecognized (must be of type %s): %v", in.kind.kind, err))
	}
	if err := in.kind.identify(o); err != nil {
		return nil, err
	}
	unknown, err := in.kind.rules.read(o)
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: %v", in.kind.kind, in.kind.Version, in.kind.kind, err))
	}
	if in.strict && len(unknown)+len(strictErrs) > 0 {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("strict decoding error: %v %v", strictErrs, unknown))
	}
	return o, nil
}

// identify checks apiVersion and kind, which Kubernetes' own kinds may omit.
func (k *kind) identify(o object) error {
	version, versionErr := stringField(o, "apiVersion")
	name, nameErr := stringField(o, "kind")
	if err := errors.Join(versionErr, nameErr); err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	_, isCustom := k.rules.(*custom)
	switch {
	case isCustom && name == "":
		return apierrors.NewBadRequest("Object 'Kind' is missing")
	case !isCustom && version == "":
		o["apiVersion"] = k.GroupVersion().String()
	case version != k.GroupVersion().String():
		return apierrors.NewBadRequest(fmt.Sprintf("the API version in the data (%s) does not match the expected API version (%s)", version, k.GroupVersion()))
	}
	if isCustom {
		return nil
	}
	if name != "" && name != k.kind {
		return apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s", name, k.Version, k.kind))
	}
	o["kind"] = k.kind
	return nil
}

func stringField(o object, name string) (string, error) {
	value, found := o[name]
	if !found {
		return "", nil
	}
	text, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("%s is not a string", name)
	}
	return text, nil
}

func wipeSystemFields(o object) {
	for _, name := range []string{"creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "uid", "selfLink"} {
		delete(metadataOf(o), name)
	}
}

// placeIn sets the namespace of the request, or refuses another one.
func (r *request) placeIn(o object) error {
	if metadataOf(o) == nil {
		o["metadata"] = object{}
	}
	switch namespace := meta(o).GetNamespace(); {
	case namespace == r.namespace:
	case namespace == "" || r.namespace == "":
		meta(o).SetNamespace(r.namespace)
	default:
		return apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	return nil
}

// identify gives a new object its UID and the time.
func (s *Server) identify(o object) {
	id := [16]byte{}
	for i := range id {
		id[i] = byte(s.rand.Uint32())
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	meta(o).SetUID(types.UID(fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])))
	meta(o).SetCreationTimestamp(metav1.Now())
}

func (s *Server) createLocked(in intent, o object) (*version, error) {
	if err := s.admitCreate(in, o); err != nil {
		return nil, err
	}
	generate := meta(o).GetGenerateName() != "" && meta(o).GetName() == ""
	for attempt := 1; ; attempt++ {
		if generate {
			meta(o).SetName(s.generate(meta(o).GetGenerateName()))
		}
		v, err := s.createNamed(in, o)
		if !generate || !apierrors.IsAlreadyExists(err) || attempt == generateNameAttempts {
			return v, err
		}
	}
}

func (s *Server) generate(prefix string) string {
	const random, longest = 5, 63
	name := []byte(prefix[:min(len(prefix), longest-random)])
	for range random {
		name = append(name, nameAlphabet[s.rand.IntN(len(nameAlphabet))])
	}
	return string(name)
}

// admitCreate refuses objects in a namespace that is missing or being deleted, or of a definition that is.
func (s *Server) admitCreate(in intent, o object) error {
	name := meta(o).GetName()
	if name == "" {
		name = meta(o).GetGenerateName()
	}
	if in.kind.Group != "" {
		definition := s.kinds[definitionsResource].table.versions[in.kind.group().String()]
		if definition != nil && meta(definition.object).GetDeletionTimestamp() != nil {
			return apierrors.NewForbidden(in.kind.group(), name, errors.New("create not allowed while custom resource definition is terminating"))
		}
	}
	if !in.kind.namespaced {
		return nil
	}
	namespace := s.kinds[namespacesResource].table.versions[in.namespace]
	if namespace == nil {
		return apierrors.NewNotFound(namespacesResource.GroupResource(), in.namespace)
	}
	if phase, _, _ := unstructured.NestedString(namespace.object, "status", "phase"); phase == string(corev1.NamespaceTerminating) {
		err := apierrors.NewForbidden(in.kind.group(), name,
			fmt.Errorf("unable to create new content in namespace %s because it is being terminated", in.namespace))
		err.ErrStatus.Details.Causes = []metav1.StatusCause{{
			Type:    corev1.NamespaceTerminatingCause,
			Message: fmt.Sprintf("namespace %s is being terminated", in.namespace),
			Field:   "metadata.namespace",
		}}
		return err
	}
	return nil
}

func (s *Server) createNamed(in intent, o object) (*version, error) {
	s.identify(o)
	in.kind.rules.prepareCreate(o)
	errs := in.kind.rules.validateCreate(o)
	if len(errs) == 0 {
		errs = apivalidation.ValidateObjectMetaAccessor(meta(o), in.kind.namespaced, pathSegment, field.NewPath("metadata"))
	}
	name := meta(o).GetName()
	if len(errs) > 0 {
		return nil, apierrors.NewInvalid(in.kind.invalidKind(o), name, errs)
	}
	if err := s.enforce(in, name, o, nil); err != nil {
		return nil, err
	}
	if version, err := strconv.ParseUint(meta(o).GetResourceVersion(), 10, 64); err == nil && version != 0 {
		return nil, errors.New("resourceVersion should not be set on objects to be created")
	}
	key := keyOf(in.namespace, name)
	if existing := in.kind.table.versions[key]; existing != nil {
		err := apierrors.NewAlreadyExists(in.kind.group(), name)
		if meta(existing.object).GetDeletionTimestamp() != nil {
			err.ErrStatus.Message = "object is being deleted: " + err.ErrStatus.Message
		}
		return nil, err
	}
	return s.save(in, nil, key, o)
}

func pathSegment(name string, prefix bool) []string {
	if prefix {
		return content.IsPathSegmentPrefix(name)
	}
	return content.IsPathSegmentName(name)
}

// save commits the object, unless the write is a dry run.
func (s *Server) save(in intent, before *version, key string, o object) (*version, error) {
	completed := in.kind.rules.complete(o)
	if in.dryRun {
		revision := int64(0) // a created object has no resourceVersion
		if before != nil {
			revision = before.revision
		}
		return newVersion(key, o, revision)
	}
	isEvent := in.kind.table.resource.Resource == "events"
	if isEvent {
		s.expireEvents(in.kind.table, time.Now())
		before = in.kind.table.versions[key]
	}
	v, err := s.store.commit(in.kind.table, before, key, o, completed, in.write(meta(o).GetName()))
	if isEvent && err == nil {
		s.rememberEvent(key, time.Now())
	}
	return v, err
}
