// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package usercache makes the cache of a replica, so that it can hold 100 000 LambdaTestUsers, fill quickly, and follow the API server
// again soon after an outage.
//
//   - New is all that others use: it returns a cache whose informers are made here, over a connection of its own.
//   - informer.go lists and watches again at an even pace while the API server is away; client-go would wait for up to a minute.
//   - list.go and events.go decode users with encoding/json/v2, which takes a fraction of the time that client-go takes.
//   - compact.go makes each user small before the cache stores it.
//
// It knows nothing of what the cached objects are used for. It imports api, and nothing else of this module. The package can be deleted
// in one piece on the day client-go decodes with encoding/json/v2 and lets a program choose the pause of its watches; docs/decisions/0013 and
// 0014 have the measurements.
package usercache
