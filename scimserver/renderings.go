// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"bytes"
	"sync"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// renderings keeps the JSON of users of the index that were shown lately, without what depends on the request or on other resources: the location
// and the groups. Providers list everybody again and again, and rendering is most of what a page costs. It holds maxRenderedBytes at
// most, and forgets everything beyond.
type renderings struct {
	mu     sync.RWMutex
	byUser map[*v1alpha1.LambdaTestUser]rendering
	bytes  int
}

// rendering is a user's JSON, cut where `groups` and the location belong.
type rendering struct{ head, tail []byte }

// metaBegin is where the cut is: meta is the last attribute, and groups stands before it.
const metaBegin = `,"meta":{`

var withoutPlace = claims.UserType.Project(nil, []string{"groups", "meta.location"})

func newRenderings() *renderings {
	return &renderings{byUser: map[*v1alpha1.LambdaTestUser]rendering{}}
}

// of returns the rendering of a user of the index, whose objects never change.
func (r *renderings) of(user *v1alpha1.LambdaTestUser) rendering {
	r.mu.RLock()
	known, ok := r.byUser[user]
	r.mu.RUnlock()
	if ok {
		return known
	}
	text := claims.UserType.Append(nil, &claims.UserView{User: user}, withoutPlace)
	cut := bytes.LastIndex(text, []byte(metaBegin))
	fresh := rendering{head: text[:cut:cut], tail: text[cut+len(metaBegin):]}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bytes += len(text); r.bytes > maxRenderedBytes {
		clear(r.byUser)
		r.bytes = len(text)
	}
	r.byUser[user] = fresh
	return fresh
}

// forget drops a user that the index no longer has.
func (r *renderings) forget(user *v1alpha1.LambdaTestUser) {
	if user == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.byUser[user]; ok {
		r.bytes -= len(known.head) + len(metaBegin) + len(known.tail)
		delete(r.byUser, user)
	}
}

// indexedUser is a user of the index, which has a rendering.
type indexedUser struct {
	*claims.UserView
	renderings *renderings
}

// appendView renders a resource, from a rendering that is kept where that is possible.
func appendView(dst []byte, t *scim.ResourceType, v scim.Valuer, p scim.Projection) []byte {
	if user, ok := v.(indexedUser); ok && p.IsEverything() {
		return user.appendWhole(dst)
	}
	return t.Append(dst, v, p)
}

// appendWhole renders a user with every attribute. It gives what Append gives.
func (v indexedUser) appendWhole(dst []byte) []byte {
	r := v.renderings.of(v.User)
	dst = append(dst, r.head...)
	dst = claims.UserType.AppendNext(dst, "groups", v)
	dst = append(dst, `,"meta":{"location":`...)
	dst = scim.AppendString(dst, v.Base+claims.UserType.Endpoint+"/"+v.User.Name)
	dst = append(dst, ',')
	return append(dst, r.tail...)
}
