// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"cmp"
	"time"
)

// Limits are the guard rails that an operator may want to move. A zero field means its default.
type Limits struct {
	// UserBodyBytes is the size limit of a body about users; default DefaultUserBodyBytes.
	UserBodyBytes int64
	// GroupBodyBytes is the size limit of a body about groups; default DefaultGroupBodyBytes.
	GroupBodyBytes int64
	// RequestsPerSecond is what one token may send on average; default DefaultRequestsPerSecond.
	RequestsPerSecond float64
	// RequestBurst is what one token may send at once after a quiet time; default twice RequestsPerSecond.
	RequestBurst int
	// FailedAttempts may be made at once from one network without a valid token, and as many again each minute; default
	// DefaultFailedAttempts.
	FailedAttempts int
	// Connections may be open at once; default DefaultConnections.
	Connections int
}

const (
	// DefaultUserBodyBytes bounds a user: all that is stored of one fits into 12 KiB, what providers add is dropped.
	DefaultUserBodyBytes = 1 << 20
	// DefaultGroupBodyBytes bounds a group: 25 000 members, the most a resource holds, with $ref and display are 8 MiB.
	DefaultGroupBodyBytes = 16 << 20
	// DefaultRequestsPerSecond is well above the 25 a second that Entra ID asks for.
	DefaultRequestsPerSecond = 100
	// DefaultFailedAttempts is far from enough to guess a token and enough for a provider whose token is being changed, also when a
	// proxy makes all clients look like one.
	DefaultFailedAttempts = 200
	// DefaultConnections take some 45 KiB each with headers that never end, 90 MiB in all of a pod's 512. Providers and proxies have dozens.
	DefaultConnections = 2000
)

const (
	// bytesPerElement: a body may have one element of a list or an object for so many bytes of its limit, 16 000 about a user, 260 000
	// about a group, which is twice what 25 000 members with $ref and display have. An element of two bytes takes forty in memory.
	bytesPerElement = 64
	// maxBodiesBytes bounds what all bodies that are worked on have beyond their first bodyStep: decoded they take some times that, and a pod has
	// 512 MiB. bodyWait is how long a body waits for its share.
	maxBodiesBytes = 32 << 20
	bodyWait       = 10 * time.Second
	// bodyStep is how much of a body is read at a time, and bodyStepTime how long that may take: no line is so slow.
	bodyStep     = 64 << 10
	bodyStepTime = 10 * time.Second
	// batchTurns is how many batches of changes of groups are applied at once for one organization.
	batchTurns = 2

	// defaultPageSize is what Okta steps by, whatever it asked for.
	defaultPageSize = 100
	// maxPageSize keeps a usual page of users below about a megabyte.
	maxPageSize = 1000
	// maxPageBytes ends a page early, after the resource that reaches it: a thousand users at their largest, or 20 000 members of groups. Without it
	// a page of groups would have gigabytes.
	maxPageBytes = 4 << 20

	// maxAnswersBytes bounds the answers larger than smallAnswerBytes that are not read yet: a client may read slowly, or never. A pod has 512 MiB,
	// and an answer must fit into half of it: that of the largest group has some 8 MiB. Smaller answers take 64 MiB with DefaultConnections.
	maxAnswersBytes  = 64 << 20
	smallAnswerBytes = 32 << 10
	// turnBytes is from where on an answer needs a turn, of which each organization has one: above a page of a hundred usual users.
	turnBytes = 128 << 10
	// memberBytes is what a member takes in an answer, more or less.
	memberBytes = 200
	// answerWait is how long a request waits for a turn, and then for memory.
	answerWait = 5 * time.Second

	// leftOutPerSecond and leftOutBurst bound, for each organization, the events about denials that were not all there was: some 160 KiB.
	leftOutPerSecond = 0.1
	leftOutBurst     = 10
	// leftOutOrganizations is how many have such a bound of their own at a time.
	leftOutOrganizations = 1000

	// refusalsPerSecond and refusalsBurst bound the log lines about requests that were refused with one status, for each organization and for
	// those without a valid token. refusalKinds is how many such bounds there are at a time.
	refusalsPerSecond = 1
	refusalsBurst     = 10
	refusalKinds      = 1000
	// readsPerSecond bounds the log lines about reads with one token from one network: one a minute.
	readsPerSecond = 1.0 / 60

	// What an organization may store unless spec.scim.limits says so; the CRD has the same defaults. All of it fits into a pod of 512 MiB: docs/scaling.md.
	defaultPeople, defaultGroups, defaultMembers, defaultBytes = 100_000, 10_000, 500_000, 64 << 20
	// spareDenials is how many denials of unknown people, of denialBytes each, pass beyond twice the limits.
	spareDenials, denialBytes = 1000, 4096
	// pausedRetry is how long a provider is told to wait while its organization is paused.
	pausedRetry = 5 * time.Minute

	// maxHeaderBytes of a request: a token, a filter and a dozen headers.
	maxHeaderBytes = 32 << 10
	// maxHostBytes is the longest name of a host, and a port.
	maxHostBytes = 253 + len(":65535")
	// headerTimeout is how long a client may take to send its headers.
	headerTimeout = 10 * time.Second
	// requestTimeout bounds reading a request, and answering it: 16 MiB over a slow line, and a group of 25 000.
	requestTimeout = 60 * time.Second
	// idleTimeout is longer than that of the usual load balancers, so that they close first and never meet a closed connection.
	idleTimeout = 120 * time.Second
	// shutdownTimeout bounds the wait for requests in flight when the process stops; below the 30 s that a pod is given.
	shutdownTimeout = 20 * time.Second

	// storeTimeout bounds one call to the API server. Identity providers wait for 30 s and more.
	storeTimeout = 10 * time.Second
	// writeAttempts and writeBackoff bound the retries of a write that met another one: 12 attempts take about 2.6 s.
	writeAttempts = 12
	writeBackoff  = 5 * time.Millisecond
	maxBackoff    = 400 * time.Millisecond
	// batchTimeout bounds the changes of a group that are written together. A change may wait for one such batch before its own: an answer then
	// still comes in time.
	batchTimeout = requestTimeout / 2
	// gatherPart of the time that a write of a group took is waited for more changes of it, once several come at a time.
	gatherPart = 8
	// ownWriteWait is how long an answer waits for the index to show the write that it reports.
	ownWriteWait = time.Second
	// goneWait is how long a POST waits for a resource of the same name to finish its deletion.
	goneWait = 3 * time.Second
	// retryAfter is how long a client that must come back is told to wait.
	retryAfter = 2 * time.Second
	// usersPerList is how many users that the index does not know are listed at a time: the labels of so many fit into a URL.
	usersPerList = 500

	// failedAddresses is how many client addresses, or tokens, are remembered.
	failedAddresses = 10_000
)

func (l Limits) withDefaults() Limits {
	l.UserBodyBytes = cmp.Or(l.UserBodyBytes, DefaultUserBodyBytes)
	l.GroupBodyBytes = cmp.Or(l.GroupBodyBytes, DefaultGroupBodyBytes)
	l.RequestsPerSecond = cmp.Or(l.RequestsPerSecond, DefaultRequestsPerSecond)
	l.RequestBurst = cmp.Or(l.RequestBurst, int(2*l.RequestsPerSecond))
	l.FailedAttempts = cmp.Or(l.FailedAttempts, DefaultFailedAttempts)
	l.Connections = cmp.Or(l.Connections, DefaultConnections)
	return l
}
