// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

// story is the state of the demo, with Okta, Git and LambdaTest.
type story struct {
	env        *environment.Environment
	okta       *okta
	lambdaTest *simulator.Org
	people     string
	// ids are the SCIM ids that Okta keeps, by userName.
	ids map[string]string
}

func newStory(env *environment.Environment) *story {
	organization := env.Organizations["default"]
	return &story{
		env:        env,
		okta:       newOkta(env.Front.SCIMURL, organization.SCIMToken),
		lambdaTest: organization.LambdaTest,
		ids:        map[string]string{},
	}
}

func (s *story) play(ctx context.Context) error {
	var err error
	if s.people, err = peoplePath(); err != nil {
		return err
	}
	return tell(ctx, []step{
		{"Okta tests the connection.", s.okta.testConnection},
		{"Okta creates Katherine, Edsger, Barbara and Donald; each gets an account at LambdaTest by one POST.", s.createPeople},
		{"Okta imports all users, page by page.", s.importPeople},
		{"Okta pushes Edsger's profile; no attribute that LambdaTest stores has changed, so there is no call.", s.pushProfile},
		{"Okta makes Katherine an Admin.", s.raiseRole},
		{"Okta (a custom app: GET and PUT) deactivates Barbara; her account is deactivated.", s.deactivateBarbara},
		{"Okta (a catalogue app: PATCH) deactivates Donald; his account is deactivated.", s.deactivateDonald},
		{"Okta reactivates Barbara; her account is active again.", s.reactivateBarbara},
		{"A folder of manifests is applied: Ada as Admin, Grace as User, and Alan.", s.applyFolder},
		{"Alan's manifest is removed from the folder; his account is deactivated.", s.removeAlan},
		{"Edsger is made an Admin at LambdaTest itself; the next sweep undoes it.", s.undoRoleDrift},
		{"Donald is activated at LambdaTest itself; the next sweep deactivates him again.", s.undoActivation},
		{"Okta claims Grace, whom Git declares, and denies her; her account is deactivated.", s.denyGrace},
		{"Git is applied again and says that Grace is active; the denial wins, and there is no call.", s.reapplyGit},
		{"Okta also claims Ada, then her manifest is removed: a hand-over without any call.", s.handOverAda},
		{"Two sweeps without changes: no write at LambdaTest.", s.staysIdle},
	})
}

func (s *story) createPeople(ctx context.Context) error {
	for _, person := range []person{katherine, edsger, barbara, donald} {
		id, err := s.okta.create(ctx, person)
		if err != nil {
			return err
		}
		s.ids[person.userName] = id
	}
	for userName := range s.ids {
		if err := s.account(ctx, userName, is(true, "User")); err != nil {
			return err
		}
	}
	return s.posts(len(s.ids))
}

func (s *story) importPeople(ctx context.Context) error {
	names, err := s.okta.importAll(ctx)
	if err != nil {
		return err
	}
	expected := []string{katherine.userName, edsger.userName, barbara.userName, donald.userName}
	slices.Sort(names)
	slices.Sort(expected)
	if !slices.Equal(names, expected) {
		return fmt.Errorf("imported %v, expected %v", names, expected)
	}
	return nil
}

func (s *story) pushProfile(ctx context.Context) error {
	return s.withoutCalls(ctx, func(ctx context.Context) error {
		return s.okta.push(ctx, s.ids[edsger.userName], resource{"displayName": "Edsger W. Dijkstra", "nickName": "EWD"})
	})
}

func (s *story) raiseRole(ctx context.Context) error {
	if err := s.okta.pushRole(ctx, s.ids[katherine.userName], "Admin"); err != nil {
		return err
	}
	return s.account(ctx, katherine.userName, is(true, "Admin"))
}

func (s *story) deactivateBarbara(ctx context.Context) error {
	if err := s.okta.setActive(ctx, s.ids[barbara.userName], false); err != nil {
		return err
	}
	return s.account(ctx, barbara.userName, isActive(false))
}

func (s *story) deactivateDonald(ctx context.Context) error {
	if err := s.okta.deactivateByPatch(ctx, s.ids[donald.userName]); err != nil {
		return err
	}
	return s.account(ctx, donald.userName, isActive(false))
}

func (s *story) reactivateBarbara(ctx context.Context) error {
	found, err := s.okta.lookup(ctx, barbara.userName)
	if err != nil {
		return err
	}
	if found == nil || found["id"] != s.ids[barbara.userName] {
		return fmt.Errorf("the lookup of an inactive user returns %v", found)
	}
	if err := s.okta.setActive(ctx, s.ids[barbara.userName], true); err != nil {
		return err
	}
	return s.account(ctx, barbara.userName, isActive(true))
}

func (s *story) applyFolder(ctx context.Context) error {
	if err := s.kubectl(ctx, "apply", "--server-side", "-f", s.people); err != nil {
		return err
	}
	if err := s.kubectl(ctx, "wait", "--for=condition=Ready", "--timeout=30s", "-f", s.people); err != nil {
		return err
	}
	for userName, role := range map[string]string{"ada@example.com": "Admin", "grace@example.com": "User", "alan@example.com": "User"} {
		if err := s.account(ctx, userName, is(true, role)); err != nil {
			return err
		}
	}
	return s.posts(len(s.ids) + 3)
}

func (s *story) removeAlan(ctx context.Context) error {
	if err := s.kubectl(ctx, "delete", "-f", filepath.Join(s.people, "alan.yaml")); err != nil {
		return err
	}
	return s.account(ctx, "alan@example.com", isActive(false))
}

func (s *story) undoRoleDrift(ctx context.Context) error {
	if err := s.okta.pushRole(ctx, s.ids[edsger.userName], "User"); err != nil {
		return err
	}
	return s.undo(ctx, edsger.userName, func(a *simulator.Account) { a.Role = "Admin" }, is(true, "User"))
}

func (s *story) undoActivation(ctx context.Context) error {
	return s.undo(ctx, donald.userName, func(a *simulator.Account) { a.Active = true }, isActive(false))
}

func (s *story) undo(ctx context.Context, userName string, edit func(*simulator.Account), expected expectation) error {
	if _, err := s.lambdaTest.EditAccount(userName, edit); err != nil {
		return err
	}
	return s.account(ctx, userName, expected)
}

func (s *story) denyGrace(ctx context.Context) error {
	id, err := s.okta.create(ctx, grace)
	if err != nil {
		return err
	}
	s.ids[grace.userName] = id
	if err := s.okta.setActive(ctx, id, false); err != nil {
		return err
	}
	return s.account(ctx, grace.userName, isActive(false))
}

func (s *story) reapplyGit(ctx context.Context) error {
	return s.withoutCalls(ctx, func(ctx context.Context) error {
		for _, manifest := range []string{"ada.yaml", "grace.yaml"} {
			if err := s.kubectl(ctx, "apply", "--server-side", "--force-conflicts", "-f", filepath.Join(s.people, manifest)); err != nil {
				return err
			}
		}
		return s.kubectl(ctx, "wait", "--for=jsonpath={.status.conditions[?(@.type==\"Ready\")].reason}=DeniedByAnotherClaim",
			"--timeout=30s", "lambdatestuser/grace")
	})
}

func (s *story) handOverAda(ctx context.Context) error {
	return s.withoutCalls(ctx, func(ctx context.Context) error {
		ada := person{"ada@example.com", "Ada", "Lovelace", "00u1ada"}
		id, err := s.okta.create(ctx, ada)
		if err != nil {
			return err
		}
		s.ids[ada.userName] = id
		if err := s.okta.pushRole(ctx, id, "Admin"); err != nil {
			return err
		}
		return s.kubectl(ctx, "delete", "-f", filepath.Join(s.people, "ada.yaml"))
	})
}

func (s *story) staysIdle(ctx context.Context) error {
	return s.withoutCalls(ctx, func(ctx context.Context) error { return s.sweeps(ctx, 2) })
}
