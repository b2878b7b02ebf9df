// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import "time"

// How urgent work is. Within one class the queue is first come, first served. A handful of values, because each is a label of a metric.
const (
	// priorityDenial is for people who are to lose access.
	priorityDenial = 500
	// priorityGranted is for people who hold a reservation for a call: whoever waits for them waits for nothing. As long as workers are what
	// is short, because the API server is slow, there is always somebody with one.
	priorityGranted = 400
	// priorityDeletion is for people about whom the last claim goes. It may be a whole organization at once: whoever holds a reservation
	// comes first, and so does every denial.
	priorityDeletion = 350
	// priorityChange is for people of whom something else was said.
	priorityChange = 300
	// prioritySweep is for the pages of a comparison. Adoption waits for them, so they come before creations.
	prioritySweep = 250
	// priorityCreation is for people who have no account yet.
	priorityCreation = 200
	// priorityDrift is for accounts that were changed at LambdaTest.
	priorityDrift = 100
	// priorityInitialList is for everything that was there when the operator started.
	priorityInitialList = 0
	// priorityReport is for what the status of an organization is to say. Organizations that were not opened yet come first: the initial
	// list brings them at -100, and their denials wait.
	priorityReport = -200
)

const (
	// organizationConcurrency is how many organizations are opened or reported on at once: one whose Secret is read slowly keeps nobody's
	// denials waiting.
	organizationConcurrency = 8

	// callTimeout bounds a call to LambdaTest, and stays well below the lease of 15 s: a call that was begun by the leader has ended
	// before anybody else can be it.
	callTimeout = 8 * time.Second

	// earlyLookUps is how many people may be looked up, rather than wait, while the first comparison is under way.
	earlyLookUps = 100

	// leadMargin is kept between the end of a call and the end of the lead, for clocks that do not run alike.
	leadMargin = time.Second
	// minCallTimeout is too short for a call to be worth beginning.
	minCallTimeout = 2 * time.Second

	// sweepPageSize is how many accounts a page of a comparison asks for; LambdaTest may give fewer.
	sweepPageSize = 100
	// sweepPasses is how often a comparison reads the pages of a list that shifts before it gives up until next time.
	sweepPasses = 3
	// sweepJitter spreads comparisons by a tenth of their interval, so that organizations do not march in step.
	sweepJitter = 0.1
	// maxLookUpsPerSweep bounds the lookups of accounts that are missing in a list: more missing ones make the list unbelievable.
	maxLookUpsPerSweep = 200

	// suspiciousShare: when more than a fifth of the known accounts are gone at once, it may be another organization.
	suspiciousShare = 5
	// suspiciousMinimum is how many must be gone, unless the token has just changed.
	suspiciousMinimum = 3
	// suspiciousSample is how many of the missing are looked up when there are too many for all.
	suspiciousSample = 20

	// maxInFlight is how many calls an organization may have under way: a quarter of the default concurrency, so that slow
	// organizations leave workers to the others.
	maxInFlight = 24
	// denialsInFlight is how many more denials may be under way when all places are taken, so that none waits for a slow call.
	denialsInFlight = 4
	// agingShare lets every fourth grant that is no denial go to whoever waits longest, so that nobody waits for ever.
	agingShare = 4
	// retryShare is the part of an organization's rate that is left to people whose calls fail. A denial is not bound by it until it
	// keeps failing.
	retryShare = 5
	// maxStrikes is how often a person's call may fail, with LambdaTest answering others in between, before the reason is believed to be
	// the person: more often than by bad luck with a LambdaTest that fails every third call.
	maxStrikes = 5
	// circuitThreshold is how many people in a row must fail before the organization is taken for unavailable.
	circuitThreshold = 3
	// minRate is the slowest an organization is slowed down to by 429s, in calls a second; each of them also brings a pause.
	minRate = 1
	// rateRecovery is how many successes it takes from there back to the ceiling.
	rateRecovery = 50

	// denialBackoffMax bounds the wait of people who are to lose access: a denial is promised within 5 s of LambdaTest's return.
	denialBackoffMax = 2 * time.Second
	// longPause is how long LambdaTest must ask for patience before those who wait for it are told so.
	longPause = 5 * time.Second
	// longWait is how long the queue of an organization must be before those at its end are told that they wait: shorter ones are over
	// before anybody looks, and a status for each would cost more than the wait.
	longWait = time.Minute
	// refusalPauseMin and refusalPauseMax bound how long a refusal is believed when nobody changes anything: its cause is tried again
	// after the shorter, and each time it is refused the pause doubles.
	refusalPauseMin = time.Minute
	refusalPauseMax = time.Hour
	// refusalTick is how often tries of refusals are granted, and refusalShare the part of an organization's rate that they may take:
	// a twentieth, whatever the number of those who are refused. At least one is granted each time.
	refusalTick  = 10 * time.Second
	refusalShare = 20
	// guardWindow is what the guard's limits are counted in; its defaults are those of the API.
	guardWindow  = time.Hour
	guardMinimum = 10
	guardPercent = 20
	// guardTokenLength makes 80 bits, short enough to be typed.
	guardTokenLength = 16
	// guardQuiet is how long the held set must stay the same before everybody in it is told a new token.
	guardQuiet = 2 * time.Second
	// guardGather is how long a write of the guard waits for others to be taken along, once somebody is held.
	guardGather = 50 * time.Millisecond
	// guardRetry is how long a write of the guard that failed waits for the next try.
	guardRetry = time.Second
	// guardCheck is how often it is looked whether a namespace or a definition goes with somebody held in it.
	guardCheck = 15 * time.Second
	// maxListed is how many entries the API takes in a list of status.guard, and maxListedBytes bounds the size of each of the four: with
	// the annotations, which may take 256 kB, the organization stays below the 1.5 MiB that etcd takes. Who is beyond waits for room.
	maxListed      = 10000
	maxListedBytes = 300_000
	// maxEntryBytes is more than an entry takes: the name of a resource has 253 characters.
	maxEntryBytes = 320
	// countsInterval is how often, at most, the counts in an organization's status follow its people.
	countsInterval = 5 * time.Second
	// orgRetry is how often an organization that cannot be connected is looked at without anybody changing anything.
	orgRetry = 5 * time.Minute
	// duplicateRetry is how often it is looked whether the older organization of two still is the same one.
	duplicateRetry = 30 * time.Second
	// takeOverRetry is how often an organization looks whether another one has stopped, which takes as long as a call.
	takeOverRetry = time.Second
	// olderOnesPatience is how long an organization waits for the first look at older ones after a start.
	olderOnesPatience = 30 * time.Second

	// portions are those that an organization's claims are listed in, so that a list of 100 000 takes 4 MB at a time and not 60.
	portions = 16
	// reviewBatch is how many of those who were settled before the start are queued at a time, and reviewPause how often it is looked
	// whether there is room for more.
	reviewBatch = 1000
	reviewPause = 20 * time.Millisecond

	// maxStepsPerReconcile bounds how often one reconcile looks, plans and calls: a lookup, a change, a change without what was refused.
	maxStepsPerReconcile = 4
)

// Defaults of Options.
const (
	// DefaultConcurrency is four organizations' worth of calls in flight.
	DefaultConcurrency = 96
	// DefaultBackoffMin and DefaultBackoffMax bound the wait after a failure; denials never wait longer than 2 s.
	DefaultBackoffMin = time.Second
	DefaultBackoffMax = 30 * time.Second
	// DefaultMarkRetention is how long Entra waits between disabling and deleting somebody, and so how long a return is likely.
	DefaultMarkRetention = 30 * 24 * time.Hour
	// DefaultLeaseDuration is client-go's.
	DefaultLeaseDuration = 15 * time.Second
)
