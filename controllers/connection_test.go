// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"net/http"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

func TestARefusalOfAReplacedTokenDoesNotStopTheNewOne(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := newConnection(types.NamespacedName{Namespace: "n", Name: "o"}, Options{Now: func() time.Time { return now }}.withDefaults(),
		newDoorway[PersonKey](), func() {})
	set := settings{perSecond: 10, burst: 10, syncInterval: time.Minute}
	c.use(set, &lambdatest.Client{})
	c.lane.acquire(ada, priorityChange, false)

	err := c.call(t.Context(), ada, "GetUser", func(context.Context, Upstream) error {
		c.use(set, &lambdatest.Client{})
		return upstreamError(t, http.StatusUnauthorized)
	})

	if err == nil {
		t.Error("the call is taken for a success")
	}
	if state, _ := c.lane.state(); state != "closed" {
		t.Errorf("the circuit is %s", state)
	}
}
