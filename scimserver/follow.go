// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// TransformSecret keeps of the metadata of a Secret what this package looks at: the name and the resourceVersion. It is for the cache
// that is given to New, because the annotations of a Secret that was applied by kubectl repeat what is in it.
func TransformSecret(object any) (any, error) {
	if o, ok := object.(*metav1.PartialObjectMetadata); ok {
		o.Annotations, o.ManagedFields, o.Labels, o.OwnerReferences = nil, nil, nil, nil
	}
	return object, nil
}

// startPoll is the pause between looks at whether everything is there.
const startPoll = 20 * time.Millisecond

// follow feeds the index and the tokens from the cache until ctx is done.
func (s *Server) follow(ctx context.Context) error {
	synced, err := s.subscribe(ctx)
	if err != nil {
		return err
	}
	for _, hasSynced := range synced {
		if !waitUntil(ctx, hasSynced) {
			return nil
		}
	}
	go s.reloadOnceLeading(ctx)
	go s.uses.Run(ctx)
	go s.tokens.Run(ctx, func(err error) { s.log.Error(err, "SCIM tokens could not be read") })
	if waitUntil(ctx, s.tokens.Loaded) {
		s.started.Store(true)
	}
	<-ctx.Done()
	return nil
}

func waitUntil(ctx context.Context, done func() bool) bool {
	return wait.PollUntilContextCancel(ctx, startPoll, true, func(context.Context) (bool, error) { return done(), nil }) == nil
}

// subscribe returns the questions whether each kind of object has been seen completely.
func (s *Server) subscribe(ctx context.Context) ([]toolscache.InformerSynced, error) {
	secrets := &metav1.PartialObjectMetadata{}
	secrets.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	var synced []toolscache.InformerSynced
	for _, f := range []struct {
		object  client.Object
		handler toolscache.ResourceEventHandler
	}{
		{&v1alpha1.LambdaTestUser{}, handlerOf(s.index.StoreUser, s.index.DropUser)},
		{&v1alpha1.LambdaTestGroup{}, handlerOf(s.index.StoreGroup, s.index.DropGroup)},
		{&v1alpha1.LambdaTestOrganization{}, handlerOf(ignoreInitial(s.tokens.StoreOrganization), s.tokens.DropOrganization)},
		{secrets, handlerOf(ignoreInitial(s.tokens.StoreSecret), s.tokens.DropSecret)},
	} {
		informer, err := s.options.Cache.GetInformer(ctx, f.object)
		if err != nil {
			return nil, fmt.Errorf("watching %T: %w", f.object, err)
		}
		registration, err := informer.AddEventHandler(f.handler)
		if err != nil {
			return nil, fmt.Errorf("following %T: %w", f.object, err)
		}
		synced = append(synced, registration.HasSynced)
	}
	return synced, nil
}

func ignoreInitial[T any](store func(T)) func(T, bool) {
	return func(object T, _ bool) { store(object) }
}

// handlerOf adapts a pair of functions to client-go's handler.
func handlerOf[T any](store func(object T, initial bool), drop func(T)) toolscache.ResourceEventHandler {
	return toolscache.ResourceEventHandlerDetailedFuncs{
		AddFunc: func(object any, initial bool) {
			if o, ok := object.(T); ok {
				store(o, initial)
			}
		},
		UpdateFunc: func(_, object any) {
			if o, ok := object.(T); ok {
				store(o, false)
			}
		},
		DeleteFunc: func(object any) {
			if missed, ok := object.(toolscache.DeletedFinalStateUnknown); ok {
				object = missed.Obj
			}
			if o, ok := object.(T); ok {
				drop(o)
			}
		},
	}
}

// quietLog sends what net/http has to say, such as failed TLS handshakes, to debug logging.
func quietLog(l logr.Logger) *log.Logger {
	return log.New(logWriter{l.V(1)}, "", 0)
}

type logWriter struct{ log logr.Logger }

func (w logWriter) Write(line []byte) (int, error) {
	w.log.Info("HTTP server", "message", string(line))
	return len(line), nil
}
