// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import "time"

const (
	// CallTimeout bounds a call to LambdaTest, and stays well below the lease of 15 s: a call that the leader began has ended before another
	// replica can lead.
	CallTimeout = 8 * time.Second

	// earlyLookUps is how many people may be looked up while the first sweep is under way; the others wait for it.
	earlyLookUps = 100

	// leadMargin is kept between the end of a call and the end of the lead, for clocks that do not run alike.
	leadMargin = time.Second
	// MinCallTimeout is too short for a call to be worth beginning.
	MinCallTimeout = 2 * time.Second

	// sweepPageSize is how many accounts a page of a sweep asks for; LambdaTest may give fewer.
	sweepPageSize = 100
	// maxListBytes is how much of a list of accounts, or of groups, a sweep keeps. The client bounds each page; without this bound a list of
	// many pages would fill the memory of the leader. Each of 250 000 accounts, the most that the client reads, may have 256 bytes of text.
	maxListBytes = 64 << 20
	// memberBytes is what a member of a group takes besides the text of its id.
	memberBytes = 16
	// sweepPasses is how often a sweep reads the pages of a list that shifts before it gives up until next time.
	sweepPasses = 3
	// sweepJitter spreads sweeps by a tenth of their interval, so that organizations do not march in step.
	sweepJitter = 0.1
	// maxLookUpsPerSweep bounds the lookups of accounts that are missing in a list: more missing ones make the list unbelievable.
	maxLookUpsPerSweep = 200

	// smallestPage is the size of a page in LambdaTest's documents. A list of one page that is shorter is taken for the whole list.
	smallestPage = 20
	// listsDoubted is how many incomplete lists say that lists are unreliable, and listsBelieved how many complete ones in a row end that.
	listsDoubted  = 2
	listsBelieved = 10
	// oneByOneShare is the part of an organization's rate, a tenth, that reads the people whom its lists do not show.
	oneByOneShare = 10

	// mismatchShare: when more than a fifth of the known accounts are gone at once, it may be another organization.
	mismatchShare = 5
	// mismatchMinimum is how many must be gone, unless the token has just changed.
	mismatchMinimum = 3
	// mismatchSample is how many of the missing are looked up when there are too many for all.
	mismatchSample = 20

	// maxStrikes is how often a person's call may fail, with LambdaTest answering others in between, before the reason is believed to be
	// the person: more often than by bad luck with a LambdaTest that fails every third call.
	maxStrikes = 5

	// longPause is how long LambdaTest must ask for patience before the status of everybody who waits says so.
	longPause = 5 * time.Second

	// DenialOverdue is how long a denial may be pending before events and a condition of the organization say so.
	DenialOverdue = time.Minute

	// RefusalPauseMin is how long a refusal is believed at first while nothing is changed. Each time its cause is refused again the
	// pause doubles.
	RefusalPauseMin = time.Minute
	// RefusalPauseMax is the longest of these pauses.
	RefusalPauseMax = time.Hour
	// refusalTick is how often tries of refusals are granted, and refusalShare the part of an organization's rate that they may take:
	// a twentieth, whatever the number of those who are refused. At least one is granted each time.
	refusalTick  = 10 * time.Second
	refusalShare = 20

	// MaxCorrections is how often the operator sets a role or a concurrency group that LambdaTest sets back each time. The pauses between
	// are those of refusals.
	MaxCorrections = 5
	// setBackMemory is how long a correction counts: an administrator may edit an account once a week for years.
	setBackMemory = 24 * time.Hour

	// CountsInterval is how often, at most, the counts in an organization's status follow its people.
	CountsInterval = 5 * time.Second

	// reviewBatch is how many people who were settled before the start are queued at a time, and reviewPause how often the review checks
	// whether there is room for more.
	reviewBatch = 1000
	reviewPause = 20 * time.Millisecond

	// MaxStepsPerReconcile bounds how often one reconcile reads, plans and calls: a lookup, a change, a change without what was refused.
	MaxStepsPerReconcile = 4
)
