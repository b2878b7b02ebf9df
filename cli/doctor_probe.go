// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

const (
	userExtension = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User"
	// doctorPage is how many users a page of the doctor asks for, and doctorPages how many pages it reads at most.
	doctorPage, doctorPages = 100, 50
	// documentedPage is the size of a page in LambdaTest's documents.
	documentedPage = 20
	// unusedID is an id that no account has.
	unusedID = "999999999999999999"
)

// raw makes one call and shows the answer as it came. *lambdatest.Client is one.
type raw interface {
	Raw(ctx context.Context, method, path string, query url.Values, body any) (lambdatest.Answer, error)
}

// finding is what was seen of one reading. It contains no address and no id.
type finding struct {
	// saw is the setting; empty when it could not be told. odd says that it is none of the known ones.
	saw string
	odd bool
	// possible are the settings between which could not be told.
	possible []string
	evidence string
}

// examination is what the doctor has seen so far.
type examination struct {
	upstream raw
	claims   []*v1alpha1.LambdaTestUser
	findings map[string]finding
	// users are those that lists showed, by id; whole says that there are no others in the list.
	users map[string]wireAccount
	whole bool
}

func (e *examination) saw(name, what, evidence string, args ...any) {
	e.findings[name] = finding{saw: what, evidence: fmt.Sprintf(evidence, args...)}
}

func (e *examination) odd(name, evidence string, args ...any) {
	e.findings[name] = finding{odd: true, evidence: fmt.Sprintf(evidence, args...)}
}

// between notes what remains possible, unless the setting was seen already.
func (e *examination) between(name, evidence string, possible ...string) {
	if known, there := e.findings[name]; !there || known.saw == "" && !known.odd {
		e.findings[name] = finding{possible: possible, evidence: evidence}
	}
}

// wireAccount is an account as an answer shows it.
type wireAccount struct {
	ID       string          `json:"id"`
	UserName string          `json:"userName"`
	Active   json.RawMessage `json:"active"`
	Name     struct {
		GivenName  string `json:"givenName"`
		FamilyName string `json:"familyName"`
	} `json:"name"`
	Extension struct {
		OrganizationRole string `json:"OrganizationRole"`
		LambdatestGroup  string `json:"LambdatestGroup"`
	} `json:"urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User"`
}

func (a wireAccount) isActive() bool {
	return strings.EqualFold(strings.Trim(string(a.Active), `"`), "true")
}

type wireAccounts struct {
	Total     int           `json:"totalResults"`
	Resources []wireAccount `json:"Resources"`
}

func (l wireAccounts) ids() []string {
	ids := make([]string, 0, len(l.Resources))
	for _, each := range l.Resources {
		ids = append(ids, each.ID)
	}
	return ids
}

// list asks for a part of the list of users.
func (e *examination) list(ctx context.Context, start, count int) (wireAccounts, error) {
	answer, err := e.upstream.Raw(ctx, http.MethodGet, "/Users", url.Values{"startIndex": {strconv.Itoa(start)}, "count": {strconv.Itoa(count)}}, nil)
	return readAs[wireAccounts](answer, err)
}

// find asks for a person by userName. The status is 200 when LambdaTest says who there is, or that there is none.
func (e *examination) find(ctx context.Context, userName string) (status int, found wireAccounts, err error) {
	quoted, err := json.Marshal(userName)
	if err != nil {
		return 0, found, err
	}
	answer, err := e.upstream.Raw(ctx, http.MethodGet, "/Users", url.Values{"filter": {"userName eq " + string(quoted)}}, nil)
	if err != nil || answer.Status != http.StatusOK {
		return answer.Status, found, err
	}
	found, err = readAs[wireAccounts](answer, nil)
	return answer.Status, found, err
}

func (e *examination) get(ctx context.Context, id string) (status int, account wireAccount, err error) {
	answer, err := e.upstream.Raw(ctx, http.MethodGet, "/Users/"+id, nil, nil)
	if err != nil || answer.Status != http.StatusOK {
		return answer.Status, account, err
	}
	account, err = readAs[wireAccount](answer, nil)
	return answer.Status, account, err
}

// readAs decodes an answer that must be a success.
func readAs[T any](answer lambdatest.Answer, err error) (into T, _ error) {
	switch {
	case err != nil:
		return into, fmt.Errorf("asking LambdaTest: %w", err)
	case answer.Status != http.StatusOK && answer.Status != http.StatusCreated:
		return into, fmt.Errorf("asking LambdaTest: it answers %d", answer.Status)
	}
	if err := json.Unmarshal(answer.Body, &into); err != nil {
		return into, fmt.Errorf("asking LambdaTest: it answers %d and something that is not the SCIM that was expected", answer.Status)
	}
	return into, nil
}

// read finds out what reading alone shows.
func (e *examination) read(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		e.readErrors, e.readOrder, e.readPaging, e.readWhole, e.readInactive, e.readActive, e.readLetters, e.readRoles,
		e.readConcurrencyGroups, e.readOthers, e.readMoved,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (e *examination) readErrors(ctx context.Context) error {
	answer, err := e.upstream.Raw(ctx, http.MethodGet, "/Users/"+unusedID, nil, nil)
	if err != nil {
		return fmt.Errorf("asking LambdaTest: %w", err)
	}
	e.noteError(answer)
	return nil
}

// noteError tells the form of a refusal.
func (e *examination) noteError(answer lambdatest.Answer) {
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(answer.Body, &fields)
	has := func(name string) bool { _, there := fields[name]; return there }
	switch {
	case answer.Status < http.StatusBadRequest:
		e.odd(errorBodies, "an id that no account has is answered %d", answer.Status)
	case has("title") && has("message"):
		e.saw(errorBodies, vendorErrors, "%d with title and message", answer.Status)
	case has("detail") || strings.Contains(string(fields["schemas"]), "2.0:Error"):
		e.saw(errorBodies, scimErrors, "%d with a SCIM error", answer.Status)
	case strings.HasPrefix(strings.TrimSpace(string(answer.Body)), "<"):
		e.saw(errorBodies, htmlErrors, "%d with an HTML page", answer.Status)
	default:
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(fields)), func(name string) bool { return !plainName.MatchString(name) })
		e.odd(errorBodies, "%d with %d bytes, and the fields %s", answer.Status, len(answer.Body), strings.Join(names, ", "))
	}
}

// plainName is a name of a field that can be no address and no token.
var plainName = regexp.MustCompile(`^[A-Za-z]{1,20}$`)

func (e *examination) readOrder(ctx context.Context) error {
	first, err := e.list(ctx, 1, doctorPage)
	if err != nil {
		return err
	}
	second, err := e.list(ctx, 1, doctorPage)
	if err != nil {
		return err
	}
	e.take(first)
	e.take(second)
	ids := first.ids()
	isSorted := slices.IsSortedFunc(ids, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) })
	switch {
	case !slices.Equal(ids, second.ids()):
		e.saw(orderOfLists, anotherOrder, "the same list twice, in another order")
	case len(ids) < 3:
		e.between(orderOfLists, fmt.Sprintf("a list of %d", len(ids)), readingNamed(orderOfLists).names()...)
	case isSorted:
		e.saw(orderOfLists, byID, "%d users in the order of their ids, twice", len(ids))
	default:
		e.saw(orderOfLists, byChange, "%d users in the same order twice, which is not that of their ids", len(ids))
	}
	return nil
}

func (e *examination) take(list wireAccounts) {
	for _, each := range list.Resources {
		e.users[each.ID] = each
	}
}

// readPaging asks for the second user alone: a list that ignores that gives more than one.
func (e *examination) readPaging(ctx context.Context) error {
	second, err := e.list(ctx, 2, 1)
	if err != nil {
		return err
	}
	switch size := len(second.Resources); {
	case size > 1:
		return e.readWithoutPaging(ctx, second)
	case size == 0:
		e.between(totalResults, fmt.Sprintf("a list of %d", len(e.users)), allMatches, thisPage)
		return nil
	case second.Total == 1:
		e.saw(totalResults, thisPage, "the second user alone, totalResults 1")
	case second.Total > 1:
		e.saw(totalResults, allMatches, "the second user alone, totalResults %d", second.Total)
	default:
		e.odd(totalResults, "the second user alone, totalResults %d", second.Total)
	}
	e.between(listOfUsers, "startIndex=2&count=1 gives one user", pages, withoutInactive)
	return nil
}

// readWithoutPaging tells a list that always gives the first page from one that gives all users.
func (e *examination) readWithoutPaging(ctx context.Context, given wireAccounts) error {
	size := len(given.Resources)
	evidence := fmt.Sprintf("startIndex=2&count=1 gives %d users, totalResults %d", size, given.Total)
	hidden, err := e.hiddenAccounts(ctx)
	switch {
	case err != nil:
		return err
	case given.Total > size || hidden > 0:
		e.saw(listOfUsers, firstPageAlways, "%s", evidence)
	case size > documentedPage:
		e.saw(listOfUsers, allAtOnce, "%s", evidence)
	default:
		e.between(listOfUsers, evidence, firstPageAlways, allAtOnce)
	}
	switch {
	case given.Total > size:
		e.saw(totalResults, allMatches, "%s", evidence)
	case given.Total < size:
		e.odd(totalResults, "%s", evidence)
	case hidden > 0:
		e.saw(totalResults, thisPage, "%s, and other accounts exist", evidence)
	default:
		e.between(totalResults, evidence, allMatches, thisPage)
	}
	return nil
}

// hiddenAccounts counts accounts that resources name, that exist, and that no list has shown; of at most a few.
func (e *examination) hiddenAccounts(ctx context.Context) (hidden int, err error) {
	asked := 0
	for _, claim := range e.claims {
		if _, listed := e.users[claim.Status.AccountID]; listed || claim.Status.AccountID == "" || isMoved(claim) {
			continue
		}
		if asked++; asked > documentedPage {
			break
		}
		status, _, err := e.get(ctx, claim.Status.AccountID)
		if err != nil {
			return 0, err
		}
		if status == http.StatusOK {
			hidden++
		}
	}
	return hidden, nil
}

// readWhole reads the list to its end, as long as there is paging.
func (e *examination) readWhole(ctx context.Context) error {
	known := e.findings[listOfUsers]
	if !slices.Contains(known.possible, pages) {
		e.whole = known.saw == allAtOnce
		return nil
	}
	for page, start := 0, 1; page < doctorPages; page++ {
		read, err := e.list(ctx, start, doctorPage)
		if err != nil {
			return err
		}
		e.take(read)
		if len(read.Resources) == 0 {
			e.whole = e.findings[orderOfLists].saw != anotherOrder || start <= doctorPage+1
			return nil
		}
		start += len(read.Resources)
	}
	return nil
}

// readInactive tells whether a list that is read page by page leaves out inactive people.
func (e *examination) readInactive(ctx context.Context) error {
	if !slices.Contains(e.findings[listOfUsers].possible, pages) {
		return nil
	}
	for _, user := range e.users {
		if !user.isActive() {
			e.saw(listOfUsers, pages, "startIndex=2&count=1 gives one user, and inactive users are listed")
			return nil
		}
	}
	for _, claim := range e.claims {
		if claim.Status.Account == nil || claim.Status.Account.Active || claim.Status.AccountID == "" || !e.whole {
			continue
		}
		status, account, err := e.get(ctx, claim.Status.AccountID)
		if err != nil {
			return err
		}
		if status == http.StatusOK && !account.isActive() {
			e.saw(listOfUsers, withoutInactive, "startIndex=2&count=1 gives one user, and an inactive account is not in the list")
			return nil
		}
	}
	return nil
}

func (e *examination) readActive(context.Context) error {
	forms := map[string]int{}
	for _, user := range e.users {
		switch text := string(user.Active); text {
		case "true", "false":
			forms[booleans]++
		case `"true"`, `"false"`:
			forms[stringsOfThem]++
		default:
			forms["other"]++
		}
	}
	kinds := slices.Sorted(maps.Keys(forms))
	switch {
	case len(kinds) == 0:
		e.between(valuesOfActive, "no user is listed", booleans, stringsOfThem)
	case len(kinds) == 1 && kinds[0] != "other":
		e.saw(valuesOfActive, kinds[0], "%d users", forms[kinds[0]])
	default:
		e.odd(valuesOfActive, "%d booleans, %d strings of them, %d other values", forms[booleans], forms[stringsOfThem], forms["other"])
	}
	return nil
}

// readLetters asks for a person in other letters.
func (e *examination) readLetters(ctx context.Context) error {
	var lower string
	for _, user := range e.users {
		switch other := strings.ToLower(user.UserName); {
		case other != user.UserName:
			return e.noteLetters(ctx, other, asStored)
		case strings.ToUpper(other) != other:
			lower = other
		}
	}
	if lower == "" {
		return nil
	}
	return e.noteLetters(ctx, strings.ToUpper(lower), "")
}

// noteLetters asks for a person in other letters than LambdaTest shows. otherwise is what holds if the person is found; "" for unknown.
func (e *examination) noteLetters(ctx context.Context, userName, otherwise string) error {
	status, found, err := e.find(ctx, userName)
	switch {
	case err != nil:
		return err
	case status != http.StatusOK:
		e.odd(letters, "a person who is listed is answered %d when asked for in other letters", status)
	case len(found.Resources) == 0:
		e.saw(letters, comparedWithCase, "a person who is listed is not found in other letters")
	case otherwise != "":
		e.saw(letters, otherwise, "a userName with upper-case letters is shown, and found in lower case")
	default:
		e.between(letters, "a person is found in other letters", asStored, lowerCased)
	}
	return nil
}

func (e *examination) readRoles(context.Context) error {
	absent, custom := 0, 0
	for _, user := range e.users {
		switch user.Extension.OrganizationRole {
		case "":
			absent++
		case lambdatest.RoleAdmin, lambdatest.RoleUser, lambdatest.RoleGuest:
		default:
			custom++
		}
	}
	switch {
	case absent > 0 && absent == len(e.users):
		e.odd(customRole, "no user of %d has OrganizationRole", absent)
	case absent > 0 && custom > 0:
		e.odd(customRole, "%d users without OrganizationRole, and %d with another than the three", absent, custom)
	case absent > 0:
		e.saw(customRole, roleAbsent, "%d users without OrganizationRole", absent)
	case custom > 0:
		e.saw(customRole, shownByName, "%d users with another role than the three", custom)
	}
	return nil
}

func (e *examination) readConcurrencyGroups(ctx context.Context) error {
	for id, user := range e.users {
		if user.Extension.LambdatestGroup == "" {
			continue
		}
		status, account, err := e.get(ctx, id)
		switch {
		case err != nil:
			return err
		case status == http.StatusOK && account.Extension.LambdatestGroup != "":
			e.saw(concurrencyGroups, always, "lists and single users show it")
		default:
			e.odd(concurrencyGroups, "lists show it, and single users do not")
		}
		return nil
	}
	for _, claim := range e.claims {
		user, listed := e.users[claim.Status.AccountID]
		if listed && claim.Status.Account != nil && claim.Status.Account.ConcurrencyGroup != "" && user.Extension.LambdatestGroup == "" {
			e.between(concurrencyGroups, "a person to whom the operator gave one is listed without", onlyAfterPost, never)
			return nil
		}
	}
	return nil
}

func hasReason(claim *v1alpha1.LambdaTestUser, reason string) bool {
	return currentReady(claim, claim.Status.ObservedGeneration).Reason == reason
}

func isMoved(claim *v1alpha1.LambdaTestUser) bool {
	return hasReason(claim, v1alpha1.AccountMovedReason)
}

// readOthers asks for a person of whom LambdaTest said that another organization has them.
func (e *examination) readOthers(ctx context.Context) error {
	for _, claim := range e.claims {
		if hasReason(claim, v1alpha1.OwnedByAnotherOrganizationReason) {
			return e.noteOther(ctx, claim.Spec.UserName)
		}
	}
	return nil
}

func (e *examination) noteOther(ctx context.Context, userName string) error {
	status, _, err := e.find(ctx, userName)
	switch {
	case err != nil:
		return err
	case status == http.StatusBadRequest || status == http.StatusNotFound:
		e.saw(otherOrganization, strconv.Itoa(status), "such a person is answered %d by userName", status)
	default:
		e.odd(otherOrganization, "such a person is answered %d by userName", status)
	}
	return nil
}

func (e *examination) readMoved(ctx context.Context) error {
	for _, claim := range e.claims {
		if !isMoved(claim) || claim.Status.AccountID == "" {
			continue
		}
		status, _, err := e.get(ctx, claim.Status.AccountID)
		if err != nil {
			return err
		}
		switch status {
		case http.StatusBadRequest, http.StatusNotFound:
			e.saw(moved, strconv.Itoa(status), "such a person is answered %d by id", status)
		case http.StatusOK:
			e.between(moved, "such a person is shown by id", shown, shownReadOnly)
		default:
			e.odd(moved, "such a person is answered %d by id", status)
		}
		switch _, there := e.users[claim.Status.AccountID]; {
		case there:
			e.saw(movedInList, listed, "such a person is in the list")
		case e.whole:
			e.saw(movedInList, missing, "such a person is not in the list")
		}
		return nil
	}
	return nil
}
