// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver"
)

// unreachable is a client whose API server can go away.
type unreachable struct {
	client.Client
	away   atomic.Bool
	panics atomic.Bool // on reads of users and groups
	only   string      // when set, reads of what has that name fail, and lists, and nothing else does

	mu   sync.Mutex
	read []string // names of the users and groups that were read, and "list" for each list of them
}

// reads returns what was read since the last time.
func (u *unreachable) reads() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	read := u.read
	u.read = nil
	return read
}

func (u *unreachable) note(name string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.read = append(u.read, name)
}

func optionsWith(c client.Client) scimserver.Options { return scimserver.Options{Client: c, Reader: c} }

// secretOf is a Secret with one token.
func secretOf(namespace, name, token string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		StringData: map[string]string{"okta": token},
	}
}

func (u *unreachable) err() error {
	if !u.away.Load() {
		return nil
	}
	return fmt.Errorf("Get \"https://192.0.2.1:6443\": %w", &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED})
}

func (u *unreachable) Get(ctx context.Context, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
	if _, isSecret := o.(*corev1.Secret); u.panics.Load() && !isSecret {
		panic("boom")
	}
	if err := u.err(); err != nil && (u.only == "" || u.only == key.Name) {
		return err
	}
	u.note(key.Name)
	return u.Client.Get(ctx, key, o, options...)
}

func (u *unreachable) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	if err := u.err(); err != nil {
		return err
	}
	u.note("list")
	return u.Client.List(ctx, list, options...)
}

func (u *unreachable) Create(ctx context.Context, o client.Object, options ...client.CreateOption) error {
	if err := u.err(); err != nil {
		return err
	}
	return u.Client.Create(ctx, o, options...)
}

func (u *unreachable) Update(ctx context.Context, o client.Object, options ...client.UpdateOption) error {
	if err := u.err(); err != nil {
		return err
	}
	return u.Client.Update(ctx, o, options...)
}
