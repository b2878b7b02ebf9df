// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Command contract plays one story under every reading of LambdaTest's documents, and checks whether the product kept its promises.
//
// The simulated LambdaTest has a switch for each thing that the documents leave open (docs/simulator.md). A combination is a setting of
// each switch; the combinations together have every two settings of two switches at least once. Two replicas serve one organization for
// each combination. All organizations play the same story at the same time, and restart the leader together. The checks look at resources
// and accounts and not at calls, because the calls differ between the combinations.
//
//	main.go          flags, and one run from the start of everything to the report
//	cover.go         switches -> combinations; pure
//	run.go           the environment, the restart that all stories share, and which switches the stories met
//	story.go         what happens in a story; actions.go says how
//	check_agree.go   resources and LambdaTest agree, or the resources say why not
//	check_quiet.go   nothing is written while nothing changes
//	check_twice.go   no account is created, activated or deactivated twice
//	check_words.go   conditions read well
//	report.go        out/contract.json
//
// It is test support: nothing that ships imports it.
package main
