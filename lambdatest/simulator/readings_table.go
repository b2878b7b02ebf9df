// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

// The names of readings and of their settings. A reading of yes and no has a
// word for each, so that a flag reads well.
const (
	concurrencyGroupInAnswers = "concurrency-group-in-answers"
	onlyAfterPost             = "only-after-post"
	always                    = "always"
	never                     = "never"

	listOfUsers          = "list-of-users"
	pages                = "pages"
	firstPageAlways      = "first-20-always"
	allAtOnce            = "all-at-once"
	pagesWithoutInactive = "pages-without-inactive"

	totalResults = "total-results"
	allMatches   = "all-matches"
	thisPage     = "this-page"

	orderOfLists      = "order-of-lists"
	byID              = "by-id"
	byChange          = "by-change"
	anotherAtEachCall = "another-at-each-call"

	postOfKnownEmail = "post-of-known-email"
	is200            = "200"
	is201            = "201"
	is400            = "400"
	is404            = "404"
	is409            = "409"

	postWithoutRole = "post-without-role"
	resetsToUser    = "resets-to-user"
	keepsRole       = "keeps-role"

	postOfInactive = "post-of-inactive"
	asAsked        = "as-asked"

	userOfAnotherOrganization = "user-of-another-organization"

	memberOfSubOrganization       = "member-of-sub-organization"
	shown                         = "shown"
	shownReadOnly                 = "shown-read-only"
	memberOfSubOrganizationInList = "member-of-sub-organization-in-list"
	missing                       = "missing"
	listed                        = "listed"

	ownRoleAgainstGroups = "own-role-against-groups"
	lastWriteWins        = "last-write-wins"
	groupsWin            = "groups-win"
	higherWins           = "higher-wins"

	customRole   = "custom-role"
	shownByName  = "shown-by-name"
	shownAsUser  = "shown-as-user"
	roleIsAbsent = "absent"

	concurrencyGroupAgainstMapping = "concurrency-group-against-mapping"
	mappingReasserts               = "mapping-reasserts"
	staysAsWritten                 = "stays-as-written"

	unknownConcurrencyGroup = "unknown-concurrency-group"
	ignored                 = "ignored"

	restoredGroup = "restored-group"
	sameID        = "same-id"
	newID         = "new-id"

	errorBody        = "errors"
	scimError        = "scim"
	typeTitleMessage = "type-title-message"
	htmlError        = "html"

	extensionInPatch = "extension-in-patch"
	fullPathOnly     = "full-path-only"
	pathLessToo      = "path-less-too"

	valuesOfActive = "values-of-active"
	booleans       = "booleans"
	stringsOfThem  = "strings"

	lettersOfUserName = "letters-of-user-name"
	asStored          = "as-stored"
	lowerCased        = "lower-cased"
	comparedWithCase  = "compared-with-case"

	reactivation = "reactivation"
	roleOfBefore = "role-of-before"
	becomesUser  = "becomes-user"
)

// readings is the one description of all readings. Options, flags, the
// administration API and docs/simulator.md are made of it.
var readings = []Reading{
	{
		Name:    concurrencyGroupInAnswers,
		Decides: "which answers about a user show LambdatestGroup",
		Counts:  "answers about a user who has a concurrency group",
		Source:  "SCIM page: LambdatestGroup is in the sample answer to POST, and in no other",
		Settings: []Setting{
			{onlyAfterPost, "the answer to POST shows it, no other does"},
			{always, "every answer shows it"},
			{never, "no answer shows it"},
		},
	},
	{
		Name:    listOfUsers,
		Decides: "what GET /Users without a filter gives",
		Counts:  "lists without a filter that the settings would give differently: more users than one page, a later page, or an inactive user",
		Source:  "SCIM page: startIndex and count are documented for groups only; whether inactive people are listed is not said",
		Settings: []Setting{
			{pages, "pages by startIndex and count"},
			{firstPageAlways, "ignores startIndex and count, and gives the first 20"},
			{allAtOnce, "ignores startIndex and count, and gives every user"},
			{pagesWithoutInactive, "pages by startIndex and count, and leaves out inactive users"},
		},
	},
	{
		Name:    totalResults,
		Decides: "what totalResults of a list of users counts",
		Counts:  "lists of users that show fewer users than match",
		Source:  "SCIM page: the only sample has one result",
		Settings: []Setting{
			{allMatches, "all users that match"},
			{thisPage, "the users in this answer"},
		},
	},
	{
		Name:    orderOfLists,
		Decides: "the order of lists of users and of groups",
		Counts:  "lists of more than one user or group",
		Source:  "SCIM page: no order is documented",
		Settings: []Setting{
			{byID, "by id"},
			{byChange, "the last change first"},
			{anotherAtEachCall, "another order at each call"},
		},
	},
	{
		Name:    postOfKnownEmail,
		Decides: "the answer to a POST of an e-mail that the organization knows",
		Counts:  "answers to a POST of a known e-mail, unless " + postOfInactive + " refuses it",
		Source:  "SCIM page: an existing user of the organization is updated; no status is given",
		Settings: []Setting{
			{is201, "201, and the account is updated"},
			{is200, "200, and the account is updated"},
			{is409, "409, and nothing is changed; an inactive account is not known in this sense, see " + postOfInactive},
		},
	},
	{
		Name:    postWithoutRole,
		Decides: "what a POST of a known e-mail without a role does to the role",
		Counts:  "answers to such a POST for an account whose role is not User",
		Source:  "SCIM page: OrganizationRole defaults to User if not provided; an existing user's attributes are updated",
		Settings: []Setting{
			{resetsToUser, "the role becomes User"},
			{keepsRole, "the role stays"},
		},
	},
	{
		Name:    postOfInactive,
		Decides: "the answer to a POST of a known e-mail whose account is inactive",
		Counts:  "answers to such a POST",
		Source:  "SCIM page: whether a deactivated account revives is not said",
		Settings: []Setting{
			{asAsked, "updates it as asked, active included"},
			{is400, "400, and nothing is changed"},
		},
	},
	{
		Name:    userOfAnotherOrganization,
		Decides: "the status for a user of another organization, by id and by filter; POST is 400 in any case",
		Counts:  "answers about a user of another organization",
		Source:  "SCIM page: 400 under each operation, 404 in the table of errors",
		Settings: []Setting{
			{is400, "400"},
			{is404, "404"},
		},
	},
	{
		Name:    memberOfSubOrganization,
		Decides: "what the parent's token sees of a user who was moved to a sub-organization, by id and by filter",
		Counts:  "answers to the parent's token about a moved user",
		Source:  "SCIM page: members of a mapped sub-organization leave the parent; what its token sees is not said",
		Settings: []Setting{
			{is400, "400, as for a user of another organization"},
			{is404, "404; POST is 400"},
			{shown, "shown and changed as before"},
			{shownReadOnly, "shown; every write is 400"},
		},
	},
	{
		Name:    memberOfSubOrganizationInList,
		Decides: "whether the parent's list has users who were moved to a sub-organization",
		Counts:  "lists without a filter of a parent that has moved users",
		Source:  "SCIM page: not said",
		Settings: []Setting{
			{missing, "they are not in it"},
			{listed, "they are in it"},
		},
	},
	{
		Name:    ownRoleAgainstGroups,
		Decides: "which role a user has who was given one, and is in groups that give another",
		Counts:  "answers to a write that gives such a user a role, or that recomputes the role of one whose own is higher",
		Source:  "SCIM page: a role changed by hand may be overwritten; which of the two wins is not said",
		Settings: []Setting{
			{lastWriteWins, "the role written last, until the groups are recomputed"},
			{groupsWin, "the role from groups, always"},
			{higherWins, "the higher of the two"},
		},
	},
	{
		Name:    customRole,
		Decides: "what OrganizationRole shows for a user with a custom role",
		Counts:  "answers that show such a user",
		Source:  "page on roles: custom roles are given to people and teams in the console; the SCIM page knows three roles",
		Settings: []Setting{
			{shownByName, "the name of the custom role"},
			{shownAsUser, "User"},
			{roleIsAbsent, "no OrganizationRole at all"},
		},
	},
	{
		Name:    concurrencyGroupAgainstMapping,
		Decides: "what becomes of a concurrency group that is written for a member of a group mapped to another",
		Counts:  "answers to such a write",
		Source:  "SCIM page: SCIM mappings override other assignments on the next sync; when that is, is not said",
		Settings: []Setting{
			{mappingReasserts, "the mapping sets its own back within a minute"},
			{staysAsWritten, "it stays"},
		},
	},
	{
		Name:    unknownConcurrencyGroup,
		Decides: "the answer to a LambdatestGroup that does not exist",
		Counts:  "answers to a request that names one",
		Source:  "SCIM page: the group must already exist; no error is given",
		Settings: []Setting{
			{is400, "400, and nothing of the request is done"},
			{ignored, "the group is ignored, the rest is done"},
		},
	},
	{
		Name:    restoredGroup,
		Decides: "the id of a group that is created with the name of a deleted one",
		Counts:  "answers to such a POST",
		Source:  "SCIM page: the deleted record is restored; its id is not mentioned",
		Settings: []Setting{
			{sameID, "the id it had"},
			{newID, "a new id"},
		},
	},
	{
		Name:    errorBody,
		Decides: "the body of every answer that refuses a call",
		Counts:  "refused calls",
		Source:  "SCIM page: statuses only; the vendor's user API answers with type, title and message",
		Settings: []Setting{
			{scimError, "a SCIM error (RFC 7644, section 3.12)"},
			{typeTitleMessage, `{"type", "title", "message"}; message is a string, an object and an array in turn`},
			{htmlError, "an HTML page"},
		},
	},
	{
		Name:    extensionInPatch,
		Decides: "how a PATCH names attributes of the extension",
		Counts:  "answers to a PATCH of the extension, in either form, or without a path",
		Source:  "SCIM page: use the fully qualified path; other forms are not mentioned",
		Settings: []Setting{
			{fullPathOnly, "by the full path only; without a path is 400"},
			{pathLessToo, "also without a path, with an object as value"},
		},
	},
	{
		Name:    valuesOfActive,
		Decides: "how active is written",
		Counts:  "answers that show a user, and refusals of a string",
		Source:  "SCIM page: true and false in every sample; whether strings are taken is not said",
		Settings: []Setting{
			{booleans, "true and false; a string is 400"},
			{stringsOfThem, `"true" and "false" in answers; requests may have either`},
		},
	},
	{
		Name:    lettersOfUserName,
		Decides: "upper and lower case of userName in answers and in a filter",
		Counts:  "answers that show a userName with upper-case letters, or to a filter whose letters differ from those stored",
		Source:  "SCIM page: not said",
		Settings: []Setting{
			{asStored, "shown as stored, compared without case"},
			{lowerCased, "shown in lower case, compared without case"},
			{comparedWithCase, "shown as stored, compared with case"},
		},
	},
	{
		Name:    reactivation,
		Decides: "the role of an account that is activated by a write without a role",
		Counts:  "answers to such a write, when the role was not User",
		Source:  "SCIM page: not said",
		Settings: []Setting{
			{roleOfBefore, "the role it had"},
			{becomesUser, "User"},
		},
	},
}
