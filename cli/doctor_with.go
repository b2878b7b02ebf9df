// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// The name of the throwaway account. An account of another name is a person's: the doctor writes to none.
const (
	throwawayGiven, throwawayFamily = "Doctor", "Throwaway"
	// noSuchGroup is a concurrency group that does not exist.
	noSuchGroup = "lambdatest-operator-doctor-no-such-group"
)

// trial writes to one throwaway account. Every step leaves it active with the role Guest, except where it says otherwise.
type trial struct {
	*examination
	address, concurrencyGroup string
	id                        string
}

// write finds out what only writing shows. It switches the account off at the end, whatever happens.
func (e *examination) write(ctx context.Context, address, concurrencyGroup string) error {
	t := &trial{examination: e, address: withUpperCase(address), concurrencyGroup: concurrencyGroup}
	if err := t.create(ctx, address); err != nil {
		return err
	}
	err := t.steps(ctx)
	// The command may have been interrupted; the account must not stay active.
	_, off := t.upstream.Raw(context.WithoutCancel(ctx), http.MethodDelete, "/Users/"+t.id, nil, nil)
	if off != nil {
		off = fmt.Errorf("deactivating the throwaway account, which may be active still: %w", off)
	}
	return errors.Join(err, off)
}

func (t *trial) steps(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		t.lettersOfUserName, t.concurrencyGroupInAnswers, t.postAgain, t.postWithoutRole, t.patchWithoutPath, t.unknownGroup, t.listedWhenInactive,
		t.reactivate, t.postInactive,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// withUpperCase gives an address a letter by which upper and lower case show. LambdaTest takes both for the same person.
func withUpperCase(address string) string {
	if address == "" || strings.ToLower(address) != address {
		return address
	}
	return strings.ToUpper(address[:1]) + address[1:]
}

// create creates the account, or takes one that an earlier run has left.
func (t *trial) create(ctx context.Context, address string) error {
	for _, spelled := range []string{address, t.address} {
		status, found, err := t.find(ctx, spelled)
		switch {
		case err != nil:
			return err
		case status != http.StatusOK:
			if status == http.StatusBadRequest || status == http.StatusNotFound {
				t.saw(otherOrganization, strconv.Itoa(status), "such a person is answered %d by userName", status)
			}
			return fmt.Errorf("nothing was written: LambdaTest answers %d about the address of --with, as for a person of another organization", status)
		case len(found.Resources) == 0:
			continue
		}
		if there := found.Resources[0]; there.Name.GivenName != throwawayGiven || there.Name.FamilyName != throwawayFamily {
			return errors.New("nothing was written: the address of --with has an account that the doctor did not create; name another one")
		}
		t.id, t.address = found.Resources[0].ID, spelled
		return t.makeGuest(ctx)
	}
	created, err := readAs[wireAccount](t.post(ctx, lambdatest.RoleGuest))
	t.id = created.ID
	if err == nil && t.id == "" {
		err = errors.New("LambdaTest answers the creation of the throwaway account without an id")
	}
	return err
}

// post is a POST of the account that is to be active, without a role if that is empty.
func (t *trial) post(ctx context.Context, role string) (lambdatest.Answer, error) {
	extension := map[string]string{}
	if role != "" {
		extension["OrganizationRole"] = role
	}
	return t.upstream.Raw(ctx, http.MethodPost, "/Users", nil, map[string]any{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User", userExtension},
		"userName": t.address, "active": true, "name": map[string]string{"givenName": throwawayGiven, "familyName": throwawayFamily},
		userExtension: extension,
	})
}

type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path,omitempty"`
	Value any    `json:"value"`
}

func (t *trial) patch(ctx context.Context, operations ...operation) (lambdatest.Answer, error) {
	return t.upstream.Raw(ctx, http.MethodPatch, "/Users/"+t.id, nil, map[string]any{
		"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": operations,
	})
}

func setRole(role string) operation {
	return operation{"Replace", userExtension + ":OrganizationRole", role}
}

func setGroup(group string) operation {
	return operation{"Replace", userExtension + ":LambdatestGroup", group}
}

func setActive() operation { return operation{"Replace", "active", true} }

func (t *trial) makeGuest(ctx context.Context) error {
	_, err := readAs[wireAccount](t.patch(ctx, setActive(), setRole(lambdatest.RoleGuest)))
	return err
}

// shown is the account as it is now.
func (t *trial) shown(ctx context.Context) (wireAccount, error) {
	status, account, err := t.get(ctx, t.id)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("reading the throwaway account: LambdaTest answers %d", status)
	}
	return account, err
}

// role is the role of the account now.
func (t *trial) role(ctx context.Context) (string, error) {
	account, err := t.shown(ctx)
	return account.Extension.OrganizationRole, err
}

func (t *trial) lettersOfUserName(ctx context.Context) error {
	account, err := t.shown(ctx)
	switch {
	case err != nil:
		return err
	case account.UserName == t.address:
		return t.noteLetters(ctx, strings.ToLower(t.address), asStored)
	case account.UserName == strings.ToLower(t.address):
		t.saw(letters, lowerCased, "a userName that was created with an upper-case letter is shown in lower case")
	default:
		t.odd(letters, "the userName is shown neither as it was created nor in lower case")
	}
	return nil
}

// concurrencyGroupInAnswers gives the account a concurrency group, if one was named, and compares the answer to POST with that to GET.
func (t *trial) concurrencyGroupInAnswers(ctx context.Context) error {
	if t.concurrencyGroup == "" {
		return nil
	}
	if _, err := readAs[wireAccount](t.patch(ctx, setGroup(t.concurrencyGroup))); err != nil {
		return fmt.Errorf("giving the concurrency group of --concurrency-group: %w", err)
	}
	answer, err := t.post(ctx, lambdatest.RoleGuest)
	if err != nil || answer.Status == http.StatusConflict {
		return err
	}
	posted, err := readAs[wireAccount](answer, nil)
	if err != nil {
		return err
	}
	account, err := t.shown(ctx)
	if err != nil {
		return err
	}
	inPost, inGet := posted.Extension.LambdatestGroup != "", account.Extension.LambdatestGroup != ""
	switch {
	case inPost && inGet:
		t.saw(concurrencyGroups, always, "POST and GET show it")
	case inPost:
		t.saw(concurrencyGroups, onlyAfterPost, "POST shows it, GET does not")
	case !inGet:
		t.saw(concurrencyGroups, never, "neither POST nor GET shows it")
	default:
		t.odd(concurrencyGroups, "GET shows it, POST does not")
	}
	return nil
}

func (t *trial) postAgain(ctx context.Context) error {
	answer, err := t.post(ctx, lambdatest.RoleGuest)
	switch {
	case err != nil:
		return fmt.Errorf("asking LambdaTest: %w", err)
	case answer.Status == http.StatusOK, answer.Status == http.StatusCreated, answer.Status == http.StatusConflict:
		t.saw(knownEmail, strconv.Itoa(answer.Status), "a second POST is answered %d", answer.Status)
	default:
		t.odd(knownEmail, "a second POST is answered %d", answer.Status)
	}
	return nil
}

func (t *trial) postWithoutRole(ctx context.Context) error {
	if seen := t.findings[knownEmail].saw; seen != is200 && seen != is201 {
		t.between(withoutRole, "a POST of a known address is refused", resetsToUser, keepsRole)
		return nil
	}
	if _, err := readAs[wireAccount](t.post(ctx, "")); err != nil {
		return err
	}
	return t.guestIsNow(ctx, withoutRole, keepsRole, resetsToUser)
}

// guestIsNow finds out whether the Guest is still one, or became a User, and makes the account a Guest again.
func (t *trial) guestIsNow(ctx context.Context, reading, guest, user string) error {
	role, err := t.role(ctx)
	if err != nil {
		return err
	}
	switch role {
	case lambdatest.RoleGuest:
		t.saw(reading, guest, "Guest stays Guest")
	case lambdatest.RoleUser:
		t.saw(reading, user, "Guest becomes User")
	default:
		t.odd(reading, "Guest becomes another role")
	}
	return t.makeGuest(ctx)
}

func (t *trial) patchWithoutPath(ctx context.Context) error {
	value := map[string]any{userExtension: map[string]string{"OrganizationRole": lambdatest.RoleUser}}
	return t.patchedRole(ctx, extensionInPatch, fullPathOnly, pathLessToo, operation{Op: "Replace", Value: value})
}

func (t *trial) unknownGroup(ctx context.Context) error {
	return t.patchedRole(ctx, unknownGroup, is400, ignored, setRole(lambdatest.RoleUser), setGroup(noSuchGroup))
}

// patchedRole makes a change that sets the role User among others: LambdaTest refuses it and changes nothing, or makes it.
func (t *trial) patchedRole(ctx context.Context, name, ifRefused, ifMade string, operations ...operation) error {
	answer, err := t.patch(ctx, operations...)
	if err != nil {
		return fmt.Errorf("asking LambdaTest: %w", err)
	}
	role, err := t.role(ctx)
	if err != nil {
		return err
	}
	switch {
	case answer.Status == http.StatusBadRequest && role == lambdatest.RoleGuest:
		t.saw(name, ifRefused, "the change is answered 400, and not made")
	case answer.Status == http.StatusOK && role == lambdatest.RoleUser:
		t.saw(name, ifMade, "the change is answered 200; the role is set")
	default:
		t.odd(name, "the change is answered %d; the role is set: %t", answer.Status, role == lambdatest.RoleUser)
	}
	return t.makeGuest(ctx)
}

// deactivate switches the account off, as a denial does.
func (t *trial) deactivate(ctx context.Context) error {
	answer, err := t.upstream.Raw(ctx, http.MethodDelete, "/Users/"+t.id, nil, nil)
	if err != nil {
		return fmt.Errorf("asking LambdaTest: %w", err)
	}
	account, err := t.shown(ctx)
	if err == nil && account.isActive() {
		return fmt.Errorf("a DELETE of the throwaway account is answered %d, and the account is still active: the operator cannot deny people in this organization", answer.Status)
	}
	return err
}

func (t *trial) listedWhenInactive(ctx context.Context) error {
	if err := t.deactivate(ctx); err != nil || t.findings[listOfUsers].saw != "" || !t.whole {
		return err
	}
	t.users = map[string]wireAccount{}
	if err := t.readWhole(ctx); err != nil || !t.whole {
		return err
	}
	if _, there := t.users[t.id]; there {
		t.saw(listOfUsers, pages, "startIndex=2&count=1 gives one user, and an inactive account is listed")
	} else {
		t.saw(listOfUsers, withoutInactive, "startIndex=2&count=1 gives one user, and an inactive account is not listed")
	}
	return nil
}

func (t *trial) reactivate(ctx context.Context) error {
	if _, err := readAs[wireAccount](t.patch(ctx, setActive())); err != nil {
		return err
	}
	return t.guestIsNow(ctx, reactivation, roleOfBefore, becomesUser)
}

func (t *trial) postInactive(ctx context.Context) error {
	if err := t.deactivate(ctx); err != nil {
		return err
	}
	answer, err := t.post(ctx, lambdatest.RoleGuest)
	if err != nil {
		return fmt.Errorf("asking LambdaTest: %w", err)
	}
	account, err := t.shown(ctx)
	if err != nil {
		return err
	}
	made := answer.Status == http.StatusOK || answer.Status == http.StatusCreated
	switch {
	case answer.Status == http.StatusBadRequest && !account.isActive():
		t.saw(ofInactive, is400, "a POST is answered 400, and the account stays off")
	case made && account.isActive():
		t.saw(ofInactive, asAsked, "a POST is answered %d, and the account is on", answer.Status)
	default:
		t.odd(ofInactive, "a POST is answered %d, and the account is on: %t", answer.Status, account.isActive())
	}
	return nil
}
