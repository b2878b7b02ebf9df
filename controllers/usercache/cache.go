// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package usercache

import (
	"maps"
	"net"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// How the connection for the watches is made: client-go's own figures.
const (
	dialTimeout   = 30 * time.Second
	dialKeepAlive = 30 * time.Second
)

// New is for manager.Options.NewCache. The cache watches over a connection of its own: on a connection that is shared with the writes of
// the replica, each event waits for the answers of all writes under way. With many writes the API server gives the watch up as
// unresponsive, again and again, and the controllers see a denial seconds late.
func New(config *rest.Config, options cache.Options) (cache.Cache, error) {
	config = rest.CopyConfig(config)
	// client-go shares connections between equal configurations. One with a dialer is equal to no other.
	if config.Dial == nil {
		config.Dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: dialKeepAlive}).DialContext
	}
	config.Wrap(withUsersDecoded)
	options.HTTPClient = nil
	options.NewInformer = newInformer
	options.ByObject = maps.Clone(options.ByObject)
	if options.ByObject == nil {
		options.ByObject = map[client.Object]cache.ByObject{}
	}
	options.ByObject[&v1alpha1.LambdaTestUser{}] = cache.ByObject{Transform: compactUsers()}
	options.ByObject[&v1alpha1.LambdaTestGroup{}] = cache.ByObject{Transform: compactGroup}
	return cache.New(config, options)
}
