// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import "slices"

// reading is one thing that LambdaTest's documents leave open. Readings and settings have the names that docs/simulator.md gives them.
type reading struct {
	name, asks string
	settings   []setting
	// toTell says how a reading is found out that could not be told.
	toTell string
}

// setting is what LambdaTest may do, and what that means for the organization.
type setting struct{ name, means string }

const (
	listOfUsers       = "list-of-users"
	pages             = "pages"
	firstPageAlways   = "first-20-always"
	allAtOnce         = "all-at-once"
	withoutInactive   = "pages-without-inactive"
	totalResults      = "total-results"
	allMatches        = "all-matches"
	thisPage          = "this-page"
	orderOfLists      = "order-of-lists"
	byID              = "by-id"
	byChange          = "by-change"
	anotherOrder      = "another-at-each-call"
	concurrencyGroups = "concurrency-group-in-answers"
	onlyAfterPost     = "only-after-post"
	always            = "always"
	never             = "never"
	knownEmail        = "post-of-known-email"
	withoutRole       = "post-without-role"
	resetsToUser      = "resets-to-user"
	keepsRole         = "keeps-role"
	ofInactive        = "post-of-inactive"
	asAsked           = "as-asked"
	otherOrganization = "user-of-another-organization"
	moved             = "member-of-sub-organization"
	movedInList       = "member-of-sub-organization-in-list"
	missing           = "missing"
	listed            = "listed"
	shown             = "shown"
	shownReadOnly     = "shown-read-only"
	customRole        = "custom-role"
	shownByName       = "shown-by-name"
	shownAsUser       = "shown-as-user"
	roleAbsent        = "absent"
	unknownGroup      = "unknown-concurrency-group"
	ignored           = "ignored"
	errorBodies       = "errors"
	scimErrors        = "scim"
	vendorErrors      = "type-title-message"
	htmlErrors        = "html"
	extensionInPatch  = "extension-in-patch"
	fullPathOnly      = "full-path-only"
	pathLessToo       = "path-less-too"
	valuesOfActive    = "values-of-active"
	booleans          = "booleans"
	stringsOfThem     = "strings"
	letters           = "letters-of-user-name"
	asStored          = "as-stored"
	lowerCased        = "lower-cased"
	comparedWithCase  = "compared-with-case"
	reactivation      = "reactivation"
	roleOfBefore      = "role-of-before"
	becomesUser       = "becomes-user"
	is200             = "200"
	is201             = "201"
	is400             = "400"
	is404             = "404"
	is409             = "409"
)

const (
	byWriting = "run the command with --with and a throwaway address"
	byConsole = "only mappings and groups in LambdaTest's console show this; the operator works with each setting"
	nothing   = "Nothing to do."
)

var readings = []reading{
	{concurrencyGroups, "which answers show a person's concurrency group", []setting{
		{onlyAfterPost, "The operator remembers the concurrency group that it sent. It cannot see that an administrator changes it."},
		{always, "The operator sees, and corrects, a concurrency group that an administrator changes."},
		{never, "The operator remembers the concurrency group that it sent. It cannot see that an administrator changes it."},
	}, byWriting + " and --concurrency-group"},
	{listOfUsers, "what the list of users gives", []setting{
		{pages, "A sweep reads all accounts, page by page."},
		{firstPageAlways, "The list never shows more than the first page. The operator reads all other people one by one, so it notices changes at LambdaTest later (condition ListUnreliable)."},
		{allAtOnce, "The list gives all users at once, which the operator does not take for complete. It reads people one by one when there are more than a page of them (condition ListUnreliable)."},
		{withoutInactive, "The list leaves out inactive people. The operator reads them one by one, so it notices later that an inactive account was removed (condition ListUnreliable)."},
	}, "an organization with at least two pages of users and an inactive one shows it; or " + byWriting},
	{totalResults, "what totalResults of a list counts", []setting{
		{allMatches, nothing},
		{thisPage, "From the second page on the list cannot be trusted. The operator reads people one by one, so it notices changes at LambdaTest later (condition ListUnreliable)."},
	}, "an organization with at least two pages of users shows it"},
	{orderOfLists, "the order of lists", []setting{
		{byID, nothing},
		{byChange, "A change during a sweep moves users to another page: the sweep then reads the pages again."},
		{anotherOrder, "Pages do not add up in one pass. The operator reads people one by one whom no page showed (condition ListUnreliable)."},
	}, "an organization with at least three users shows it"},
	{knownEmail, "the answer to a POST of a known address", []setting{
		{is201, nothing}, {is200, nothing},
		{is409, "The operator looks the person up after the refusal, and changes the account: one more call for each adoption."},
	}, byWriting},
	{withoutRole, "what a POST of a known address without a role does to the role", []setting{
		{resetsToUser, "The operator looks people up before it creates them without a role."},
		{keepsRole, nothing},
	}, byWriting},
	{ofInactive, "the answer to a POST of an address whose account is inactive", []setting{
		{asAsked, nothing},
		{is400, "The operator looks the person up after the refusal, and activates the account: one more call for each rehire."},
	}, byWriting},
	{otherOrganization, "the answer about a user of another organization", []setting{
		{is400, nothing}, {is404, nothing},
	}, "a resource for a person of another organization shows it, or --with and the address of such a person: nothing is written then"},
	{moved, "what the parent's token sees of a person in a sub-organization", []setting{
		{is400, "Such a person is reported as AccountMoved. Denials do not reach them: deny them in the sub-organization."},
		{is404, "Such a person is reported as AccountMoved. Denials do not reach them: deny them in the sub-organization."},
		{shown, "The parent's token still manages such a person."},
		{shownReadOnly, "Such a person is shown, and every change is refused: deny them in the sub-organization."},
	}, "a person whom a mapping has moved to a sub-organization shows it"},
	{movedInList, "whether the parent's list has people of a sub-organization", []setting{
		{missing, nothing}, {listed, nothing},
	}, "a person whom a mapping has moved to a sub-organization shows it"},
	{"own-role-against-groups", "whether a person's own role or the role from groups wins", []setting{
		{"last-write-wins", nothing}, {"groups-win", nothing}, {"higher-wins", nothing},
	}, byConsole},
	{customRole, "what is shown of a custom role", []setting{
		{shownByName, "The operator keeps custom roles where no resource sets a role."},
		{shownAsUser, "The operator cannot see custom roles. A resource that sets the role User leaves them as they are."},
		{roleAbsent, "The operator cannot see custom roles. A resource that sets a role replaces them."},
	}, "a person with a custom role shows it"},
	{"concurrency-group-against-mapping", "whether a mapping sets a concurrency group back", []setting{
		{"mapping-reasserts", nothing}, {"stays-as-written", nothing},
	}, byConsole},
	{unknownGroup, "the answer to a concurrency group that does not exist", []setting{
		{is400, nothing},
		{ignored, "LambdaTest does not say that a concurrency group is missing: the operator reports UpstreamRejected or nothing."},
	}, byWriting},
	{"restored-group", "the id of a group that is created again", []setting{
		{"same-id", nothing}, {"new-id", nothing},
	}, byConsole},
	{errorBodies, "the body of a refusal", []setting{
		{scimErrors, nothing},
		{vendorErrors, "Messages of the operator have LambdaTest's status without its explanation."},
		{htmlErrors, "The operator takes such a page for LambdaTest's if LambdaTest answers a list right after it. Messages do not say why LambdaTest refuses something."},
	}, "every organization shows it"},
	{extensionInPatch, "how a PATCH names attributes of the extension", []setting{
		{fullPathOnly, nothing}, {pathLessToo, nothing},
	}, byWriting},
	{valuesOfActive, "how active is written", []setting{
		{booleans, nothing}, {stringsOfThem, nothing},
	}, "an organization with a user shows it"},
	{letters, "upper and lower case of userNames", []setting{
		{asStored, nothing}, {lowerCased, nothing},
		{comparedWithCase, "A person may be declared in other letters than LambdaTest has: the operator finds the account by its id, or in a sweep, only."},
	}, byWriting},
	{reactivation, "the role of an account that is activated again", []setting{
		{roleOfBefore, nothing},
		{becomesUser, "A person who is activated again is User until the operator has set the role that a resource declares."},
	}, byWriting},
}

func readingNamed(name string) reading {
	return readings[slices.IndexFunc(readings, func(r reading) bool { return r.name == name })]
}

func (r reading) names() []string {
	names := make([]string, 0, len(r.settings))
	for _, each := range r.settings {
		names = append(names, each.name)
	}
	return names
}

// means is what a setting means; "" for none of the reading's settings.
func (r reading) means(name string) string {
	for _, each := range r.settings {
		if each.name == name {
			return each.means
		}
	}
	return ""
}
