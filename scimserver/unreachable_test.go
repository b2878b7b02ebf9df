// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver_test

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// unreachable is a client whose API server can go away.
type unreachable struct {
	client.Client
	away atomic.Bool
}

func (u *unreachable) err() error {
	if !u.away.Load() {
		return nil
	}
	return fmt.Errorf("Get \"https://192.0.2.1:6443\": %w", &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED})
}

func (u *unreachable) Get(ctx context.Context, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
	if err := u.err(); err != nil {
		return err
	}
	return u.Client.Get(ctx, key, o, options...)
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
