// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package controllers puts the controllers together: Setup adds them to a manager. It decides nothing but who may write: a client that
// writes only while this process leads.
//
// Four reconcilers make LambdaTest agree with the resources of a cluster, and none imports another: person, group, organization and
// imports. They stand on the packages of internal. Data flows one way:
//
//	claims ──merge──► desired ┐
//	                          ├─plan──► change ──guard──lane──► one call ──settle──► conditions of each claim
//	table ──observe─► observed┘
//
// docs/architecture.md says who imports whom. The controllers never import scimserver: the two meet in the API server.
package controllers
