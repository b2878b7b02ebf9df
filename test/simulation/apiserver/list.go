// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	listvalidation "k8s.io/apimachinery/pkg/apis/meta/internalversion/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

const (
	// freshTimeout is how long kube-apiserver waits for a revision that is still to come.
	freshTimeout = 3 * time.Second
	freshPoll    = 50 * time.Millisecond
)

// selection is what a list or a watch is about.
type selection struct {
	internalversion.ListOptions
	namespace string
	labels    labels.Selector
	fields    fields.Selector
}

// listOptions are those of the query.
func (r *request) listOptions() (*selection, error) {
	s := &selection{namespace: r.namespace, labels: labels.Everything(), fields: fields.Everything()}
	if err := r.decodeOptions(&s.ListOptions); err != nil {
		return nil, err
	}
	internalversion.SetListOptionsDefaults(&s.ListOptions, true)
	if errs := listvalidation.ValidateListOptions(&s.ListOptions, true); len(errs) > 0 {
		return nil, apierrors.NewInvalid(optionsKind("ListOptions"), "", errs)
	}
	if s.LabelSelector != nil {
		s.labels = s.LabelSelector
	}
	if s.FieldSelector != nil {
		s.fields = s.FieldSelector
	}
	for _, requirement := range s.fields.Requirements() {
		if !r.kind.hasSelector(requirement.Field) {
			return nil, apierrors.NewBadRequest("field label not supported: " + requirement.Field)
		}
	}
	return s, nil
}

func (k *kind) hasSelector(name string) bool {
	return name == "metadata.name" || k.namespaced && name == "metadata.namespace" || slices.Contains(k.traits.selectors, name)
}

// matches says whether a version is in the selection.
func (s *selection) matches(k *kind, v *version) bool {
	return v != nil && s.contains(v) &&
		(s.labels.Empty() || s.labels.Matches(labels.Set(meta(v.object).GetLabels()))) &&
		(s.fields.Empty() || s.fields.Matches(k.fieldsOf(v.object)))
}

// contains compares the namespace.
func (s *selection) contains(v *version) bool {
	return s.namespace == "" || strings.HasPrefix(v.key, s.namespace+"/")
}

// isAll says whether the selection has no selectors.
func (s *selection) isAll() bool { return s.labels.Empty() && s.fields.Empty() }

// page is a list, or a part of one.
type page struct {
	versions  []*version
	revision  int64
	next      string
	remaining int
}

func (s *Server) list(req *request) (answer, error) {
	chosen, err := req.listOptions()
	if err != nil {
		return answer{}, err
	}
	where, err := chosen.where()
	if err != nil {
		return answer{}, err
	}
	if where.minimum > 0 {
		if err := s.waitFor(req.Context(), strconv.FormatInt(where.minimum, 10)); err != nil {
			return answer{}, err
		}
	}
	s.mu.Lock()
	list, err := s.read(req.kind, chosen, where)
	s.mu.Unlock()
	if err != nil {
		return answer{}, err
	}
	return req.showList(list), nil
}

// where is the place of a page in the history: the revision, 0 for the latest, and the first key. The revision must be at least minimum.
type where struct {
	revision, minimum int64
	start             string
}

// continueToken is what a client sends back to get the next page. The form is that of kube-apiserver.
type continueToken struct {
	Version  string `json:"v"`
	Revision int64  `json:"rv"`
	Start    string `json:"start"`
}

func (s *selection) where() (where, error) {
	if s.Continue != "" {
		return s.whereOfToken()
	}
	revision, err := parseRevision(s.ResourceVersion)
	if err != nil {
		return where{}, apierrors.NewBadRequest(fmt.Sprintf("invalid resource version: %v", err))
	}
	exact := s.ResourceVersionMatch == metav1.ResourceVersionMatchExact || s.ResourceVersionMatch == "" && s.Limit > 0 && revision > 0
	if exact {
		return where{revision: revision, minimum: revision}, nil
	}
	return where{minimum: revision}, nil
}

func (s *selection) whereOfToken() (where, error) {
	invalid := apierrors.NewBadRequest("invalid continue token: continue key is not valid")
	content, err := base64.RawURLEncoding.DecodeString(s.Continue)
	token := continueToken{}
	if err != nil || json.Unmarshal(content, &token) != nil || token.Version != "meta.k8s.io/v1" || token.Revision == 0 || token.Start == "" {
		return where{}, invalid
	}
	if start := "/" + strings.TrimPrefix(token.Start, "/"); path.Clean(start) != start {
		return where{}, invalid
	}
	if s.ResourceVersion != "" && s.ResourceVersion != "0" {
		return where{}, apierrors.NewBadRequest("specifying resource version is not allowed when using continue")
	}
	w := where{revision: max(token.Revision, 0), start: token.Start}
	if s.namespace != "" {
		w.start = s.namespace + "/" + token.Start
	}
	return w, nil
}

func (s *selection) token(key string, revision int64) string {
	start := key + "\x00"
	if s.namespace != "" {
		start = strings.TrimPrefix(start, s.namespace+"/")
	}
	content, err := json.Marshal(continueToken{Version: "meta.k8s.io/v1", Revision: revision, Start: start})
	if err != nil {
		panic(err) // two strings and a number
	}
	return base64.RawURLEncoding.EncodeToString(content)
}

// read returns a page. It needs the lock.
func (s *Server) read(k *kind, chosen *selection, w where) (page, error) {
	revision := w.revision
	if revision == 0 {
		revision = s.store.revision
	}
	versions, ok := k.table.at(revision)
	if !ok {
		return page{}, expired(chosen, w.start)
	}
	first, _ := slices.BinarySearchFunc(versions, w.start, func(v *version, start string) int { return strings.Compare(v.key, start) })
	versions = versions[first:]
	list := page{revision: revision}
	limit := int(chosen.Limit)
	if chosen.ResourceVersion == "0" {
		limit = 0 // served from the watch cache, which ignores it
	}
	for i, v := range versions {
		if !chosen.matches(k, v) {
			continue
		}
		list.versions = append(list.versions, v)
		if limit > 0 && len(list.versions) == limit {
			if rest := chosen.count(versions[i+1:]); rest > 0 {
				list.next = chosen.token(v.key, revision)
				list.remaining = rest
			}
			break
		}
	}
	if !chosen.isAll() {
		list.remaining = 0
	}
	return list, nil
}

func (s *selection) count(versions []*version) (count int) {
	for _, v := range versions {
		if s.contains(v) {
			count++
		}
	}
	return count
}

// expired is the answer when the history no longer reaches back.
func expired(chosen *selection, start string) error {
	if chosen.Continue == "" {
		return apierrors.NewResourceExpired("The resourceVersion for the provided list is too old.")
	}
	err := apierrors.NewResourceExpired("The provided continue parameter is too old to display a consistent list result.")
	err.ErrStatus.Continue = chosen.token(strings.TrimSuffix(start, "\x00"), -1)
	return err
}

// showList is the answer with a list.
func (r *request) showList(list page) answer {
	k, metadata := r.kind, metav1.ListMeta{ResourceVersion: strconv.FormatInt(list.revision, 10), Continue: list.next}
	if list.remaining > 0 {
		remaining := int64(list.remaining)
		metadata.RemainingItemCount = &remaining
	}
	encoded, err := json.Marshal(metadata)
	if err != nil {
		panic(err) // strings and numbers
	}
	version, name := k.GroupVersion().String(), k.listKind
	if r.partial {
		version, name = "meta.k8s.io/v1", "PartialObjectMetadataList"
	}
	body := &bytes.Buffer{}
	if r.partial && len(list.versions) == 0 {
		fmt.Fprintf(body, `{"apiVersion":%q,"kind":%q,"metadata":%s,"items":null}`, version, name, encoded)
		return answer{code: http.StatusOK, body: body.Bytes()}
	}
	fmt.Fprintf(body, `{"apiVersion":%q,"kind":%q,"metadata":%s,"items":[`, version, name, encoded)
	for i, v := range list.versions {
		if i > 0 {
			body.WriteByte(',')
		}
		switch {
		case r.partial:
			body.Write(partialJSON(v))
		case k.traits.listsTyped:
			body.WriteString(k.prefix)
			body.Write(k.view(v)[1:])
		default:
			body.Write(k.view(v))
		}
	}
	body.WriteString("]}")
	return answer{code: http.StatusOK, body: body.Bytes()}
}

func parseRevision(text string) (int64, error) {
	if text == "" || text == "0" {
		return 0, nil
	}
	revision, err := strconv.ParseUint(text, 10, 63)
	return int64(revision), err
}

// waitFor waits until the server has a revision. kube-apiserver gives up after three seconds.
func (s *Server) waitFor(ctx context.Context, text string) error {
	revision, err := parseRevision(text)
	if err != nil {
		return fmt.Errorf("invalid resource version: %w", err)
	}
	for waited := time.Duration(0); ; waited += freshPoll {
		current := s.Revision()
		if current >= revision {
			return nil
		}
		if waited >= freshTimeout {
			tooLarge := apierrors.NewTimeoutError(fmt.Sprintf("Too large resource version: %d, current: %d", revision, current), 1)
			tooLarge.ErrStatus.Details.Causes = []metav1.StatusCause{{
				Type: metav1.CauseTypeResourceVersionTooLarge, Message: "Too large resource version",
			}}
			return tooLarge
		}
		if !sleep(ctx, freshPoll) {
			return ctx.Err()
		}
	}
}

// sleep waits; it returns false if ctx ended.
func sleep(ctx context.Context, duration time.Duration) bool {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
