// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// Loader keeps the table of tokens current. It learns from the cache which organizations there are and which Secrets changed, of
// which the cache holds the metadata alone, and reads a Secret that concerns it live when its resourceVersion is another.
type Loader struct {
	reader client.Reader
	now    func() time.Time
	notify func([]Notice, *Table)

	table    atomic.Pointer[Table]
	complete atomic.Bool
	wake     chan struct{}

	mu            sync.Mutex
	organizations map[types.NamespacedName]*v1alpha1.LambdaTestOrganization
	versions      map[types.NamespacedName]string // resourceVersions of Secrets, by the cache

	secrets map[types.NamespacedName]*secretTokens // used by run alone
}

// NewLoader returns a loader whose table is empty until Run has loaded it. It calls notify with each table that it loads.
func NewLoader(reader client.Reader, now func() time.Time, notify func([]Notice, *Table)) *Loader {
	return &Loader{
		reader:        reader,
		now:           now,
		notify:        notify,
		wake:          make(chan struct{}, 1),
		organizations: map[types.NamespacedName]*v1alpha1.LambdaTestOrganization{},
		versions:      map[types.NamespacedName]string{},
		secrets:       map[types.NamespacedName]*secretTokens{},
	}
}

// Find returns the grant of a presented token, or nil.
func (l *Loader) Find(token string) *Grant {
	if table := l.table.Load(); table != nil {
		return table.Find(token, l.now())
	}
	return nil
}

// FindRefused returns the grant of a token that is in a Secret and is not accepted now, and why.
func (l *Loader) FindRefused(token string) (*Grant, string) {
	if table := l.table.Load(); table != nil {
		return table.FindRefused(token, l.now())
	}
	return nil, ""
}

// Loaded tells whether there is a table: of all tokens, or of those that could be read while others could not.
func (l *Loader) Loaded() bool { return l.table.Load() != nil }

// Complete tells whether every Secret was read once. Before that, an unknown token may be a good one.
func (l *Loader) Complete() bool { return l.complete.Load() }

// StoreOrganization keeps a version of an organization. It and the next three functions follow the informers.
func (l *Loader) StoreOrganization(o *v1alpha1.LambdaTestOrganization) {
	l.update(func() { l.organizations[keyOf(o)] = o })
}

// DropOrganization forgets an organization that is gone.
func (l *Loader) DropOrganization(o *v1alpha1.LambdaTestOrganization) {
	l.update(func() { delete(l.organizations, keyOf(o)) })
}

// StoreSecret keeps the version of a Secret.
func (l *Loader) StoreSecret(o *metav1.PartialObjectMetadata) {
	l.updateSecret(keyOf(o), func() { l.versions[keyOf(o)] = o.ResourceVersion })
}

// DropSecret forgets a Secret that is gone.
func (l *Loader) DropSecret(o *metav1.PartialObjectMetadata) {
	l.updateSecret(keyOf(o), func() { delete(l.versions, keyOf(o)) })
}

// updateSecret wakes the loader only for Secrets that an organization names: a cluster has many others.
func (l *Loader) updateSecret(name types.NamespacedName, change func()) {
	l.mu.Lock()
	change()
	concerned := false
	for _, organization := range l.organizations {
		concerned = concerned || slices.Contains(secretsOf(organization), name)
	}
	l.mu.Unlock()
	if concerned {
		l.Reload()
	}
}

func (l *Loader) update(change func()) {
	l.mu.Lock()
	change()
	l.mu.Unlock()
	l.Reload()
}

// Reload makes Run load the table again.
func (l *Loader) Reload() {
	select {
	case l.wake <- struct{}{}:
	default: // it will run anyway
	}
}

func keyOf(o metav1.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
}

// Run loads the table, and again after each change, until ctx is done.
func (l *Loader) Run(ctx context.Context, failed func(error)) {
	for {
		again := l.load(ctx, failed)
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		case <-again:
		}
	}
}

// load builds the table. When a Secret could not be read, what was known of it stays, and the channel says when to try again. One
// Secret that cannot be read keeps no other organization waiting.
func (l *Loader) load(ctx context.Context, failed func(error)) <-chan time.Time {
	organizations, versions := l.wanted()
	fresh := make(map[types.NamespacedName]*secretTokens, len(versions))
	var again <-chan time.Time
	for name, version := range versions {
		secret, err := l.secret(ctx, name, version)
		if err != nil {
			failed(err)
			again = time.After(secretRetry)
		}
		if secret != nil {
			fresh[name] = secret
		}
	}
	l.secrets = fresh
	if again != nil && !l.Loaded() && len(fresh) == 0 {
		return again // no Secret can be read: the API server is away
	}
	table, notices := build(organizations, fresh, l.now())
	l.table.Store(table)
	l.complete.Store(l.complete.Load() || again == nil)
	l.notify(notices, table)
	if again == nil {
		again = l.nextExpiry(table)
	}
	return again
}

// wanted returns the organizations, and the versions of the Secrets that they name and that exist.
func (l *Loader) wanted() ([]*v1alpha1.LambdaTestOrganization, map[types.NamespacedName]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var organizations []*v1alpha1.LambdaTestOrganization
	versions := map[types.NamespacedName]string{}
	for _, organization := range l.organizations {
		organizations = append(organizations, organization)
		for _, name := range secretsOf(organization) {
			if version, ok := l.versions[name]; ok {
				versions[name] = version
			}
		}
	}
	return organizations, versions
}

func (l *Loader) secret(ctx context.Context, name types.NamespacedName, version string) (*secretTokens, error) {
	known := l.secrets[name]
	if known != nil && known.resourceVersion == version {
		return known, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	secret := &corev1.Secret{}
	err := l.reader.Get(ctx, name, secret)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return known, fmt.Errorf("reading SCIM token Secret %s: %w", name, err)
	}
	return readSecret(secret), nil
}

// nextExpiry wakes the loader once a day and when a token expires, so that people are told in time.
func (l *Loader) nextExpiry(table *Table) <-chan time.Time {
	wait := 24 * time.Hour
	for _, g := range table.Grants() {
		if left := g.Token.Expires.Sub(l.now()); !g.Token.Expires.IsZero() && left > 0 {
			wait = min(wait, left+time.Second)
		}
	}
	return time.After(wait)
}
