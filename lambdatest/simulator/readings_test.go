// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

const (
	userPath = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User"
	ada      = "ada@example.com"
)

// scenario meets one reading. Its outcome is what the answers say; each setting
// must lead to another one.
type scenario struct {
	options []simulator.Option
	play    func(*testing.T, *simulator.Server) string
	want    map[string]string
}

// clock is a clock that specs move.
type clock struct{ elapsed atomic.Int64 }

func (c *clock) now() time.Time { return noon.Add(time.Duration(c.elapsed.Load())) }

func (c *clock) advance(d time.Duration) { c.elapsed.Add(int64(d)) }

// with adds Ada.
func with(change func(*simulator.Account)) simulator.Option {
	return func(o *simulator.Org) {
		account := simulator.Account{UserName: ada, GivenName: "Ada", FamilyName: "Example", Active: true}
		change(&account)
		simulator.Accounts(account)(o)
	}
}

func replace(path, value string) string {
	return patchOf(fmt.Sprintf(`{"op": "Replace", "path": %q, "value": %s}`, path, value))
}

// found looks for a user by name.
func found(t *testing.T, sim *simulator.Server, userName string) answer {
	t.Helper()
	return ask(t, sim, "GET /Users?filter=userName%20eq%20%22"+userName+"%22", "")
}

// role is what an answer shows.
func role(t *testing.T, a answer) string {
	t.Helper()
	var user struct {
		Extension struct{ OrganizationRole string } `json:"urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User"`
	}
	if err := json.Unmarshal([]byte(a.body), &user); err != nil {
		t.Fatalf("the answer is no user: %s", a.body)
	}
	return user.Extension.OrganizationRole
}

func listedIDs(t *testing.T, sim *simulator.Server, query string) string {
	t.Helper()
	return strings.Join(listed(t, sim, query).IDs, " ")
}

func statuses(answers ...answer) string {
	var all []string
	for _, a := range answers {
		all = append(all, fmt.Sprint(a.status))
	}
	return strings.Join(all, " ")
}

// moved makes a sub-organization and moves Ada there.
func moved(t *testing.T, sim *simulator.Server) *simulator.Org {
	t.Helper()
	sub := sim.AddSubOrganization("europe", "token-of-europe")
	sim.SetGroup("EU", nil, ada)
	if err := sim.MapGroup("EU", simulator.Mapping{Kind: simulator.SubOrganization, Target: "europe"}); err != nil {
		t.Fatal(err)
	}
	return sub
}

const withoutRole = `{"userName": "ada@example.com", "active": true, "name": {"givenName": "A", "familyName": "E"}}`

func scenarios() map[string]scenario {
	moving := &clock{}
	plain := with(func(*simulator.Account) {})
	admin := with(func(a *simulator.Account) { a.Role = "Admin" })
	inactiveAdmin := with(func(a *simulator.Account) { a.Role, a.Active = "Admin", false })
	return map[string]scenario{
		"concurrency-group-in-answers": {
			[]simulator.Option{simulator.ConcurrencyGroups("QA")},
			func(t *testing.T, sim *simulator.Server) string {
				post, get := ask(t, sim, "POST /Users", newAda), ask(t, sim, "GET /Users/23001", "")
				put := ask(t, sim, "PUT /Users/23001", `{"active": true}`)
				var seen []bool
				for _, a := range []answer{post, get, put, found(t, sim, ada)} {
					seen = append(seen, strings.Contains(a.body, `"LambdatestGroup":"QA"`))
				}
				return fmt.Sprint(seen)
			},
			map[string]string{
				"only-after-post": "[true false false false]", "always": "[true true true true]", "never": "[false false false false]",
			},
		},
		"list-of-users": {
			[]simulator.Option{simulator.Population(25)},
			func(t *testing.T, sim *simulator.Server) string {
				ask(t, sim, "DELETE /Users/23003", "")
				got := listed(t, sim, "startIndex=21&count=10")
				return fmt.Sprintf("%d from %s", len(got.IDs), got.IDs[0])
			},
			map[string]string{
				"pages": "5 from 23021", "first-20-always": "20 from 23001", "all-at-once": "25 from 23001", "pages-without-inactive": "4 from 23022",
			},
		},
		"total-results": {
			[]simulator.Option{simulator.Population(5)},
			func(t *testing.T, sim *simulator.Server) string { return fmt.Sprint(listed(t, sim, "count=2").Total) },
			map[string]string{"all-matches": "5", "this-page": "2"},
		},
		"order-of-lists": {
			[]simulator.Option{simulator.Population(6)},
			func(t *testing.T, sim *simulator.Server) string {
				ask(t, sim, "PATCH /Users/23004", replace("active", "true"))
				first := listedIDs(t, sim, "")
				for range 3 {
					if listedIDs(t, sim, "") != first {
						return "it differs"
					}
				}
				return first
			},
			map[string]string{
				"by-id": "23001 23002 23003 23004 23005 23006", "by-change": "23004 23006 23005 23003 23002 23001", "another-at-each-call": "it differs",
			},
		},
		"post-of-known-email": {
			[]simulator.Option{plain},
			func(t *testing.T, sim *simulator.Server) string {
				return statuses(ask(t, sim, "POST /Users", withoutRole))
			},
			map[string]string{"201": "201", "200": "200", "409": "409"},
		},
		"post-without-role": {
			[]simulator.Option{admin},
			func(t *testing.T, sim *simulator.Server) string {
				return role(t, ask(t, sim, "POST /Users", withoutRole))
			},
			map[string]string{"resets-to-user": "User", "keeps-role": "Admin"},
		},
		"post-of-inactive": {
			[]simulator.Option{inactiveAdmin},
			func(t *testing.T, sim *simulator.Server) string {
				posted := ask(t, sim, "POST /Users", withoutRole)
				account, _ := sim.Account(ada)
				return fmt.Sprint(posted.status, account.Active)
			},
			map[string]string{"as-asked": "201 true", "400": "400 false"},
		},
		"user-of-another-organization": {
			nil,
			func(t *testing.T, sim *simulator.Server) string {
				eve := sim.AddForeignAccount("eve@example.com")
				return statuses(ask(t, sim, "GET /Users/"+eve.ID, ""), found(t, sim, "eve@example.com"), ask(t, sim, "DELETE /Users/"+eve.ID, ""))
			},
			map[string]string{"400": "400 400 400", "404": "404 404 404"},
		},
		"member-of-sub-organization": {
			[]simulator.Option{plain},
			func(t *testing.T, sim *simulator.Server) string {
				moved(t, sim)
				return statuses(ask(t, sim, "GET /Users/23001", ""), found(t, sim, ada),
					ask(t, sim, "PATCH /Users/23001", replace("active", "false")), ask(t, sim, "POST /Users", withoutRole))
			},
			map[string]string{
				"400": "400 400 400 400", "404": "404 404 404 400", "shown": "200 200 200 201", "shown-read-only": "200 200 400 400",
			},
		},
		"member-of-sub-organization-in-list": {
			[]simulator.Option{plain, simulator.Population(2)},
			func(t *testing.T, sim *simulator.Server) string {
				moved(t, sim)
				return listedIDs(t, sim, "")
			},
			map[string]string{"missing": "23002 23003", "listed": "23001 23002 23003"},
		},
		"own-role-against-groups": {
			[]simulator.Option{plain},
			func(t *testing.T, sim *simulator.Server) string {
				group := sim.SetGroup("Low", []string{"Guest"}, ada)
				written := role(t, ask(t, sim, "PATCH /Users/23001", replace(userPath+":OrganizationRole", `"Admin"`)))
				ask(t, sim, "PATCH /Groups/"+group.ID, replace(rolesPath, `["User"]`))
				return written + " " + role(t, ask(t, sim, "GET /Users/23001", ""))
			},
			map[string]string{"last-write-wins": "Admin User", "groups-win": "Guest User", "higher-wins": "Admin Admin"},
		},
		"custom-role": {
			[]simulator.Option{with(func(a *simulator.Account) { a.Role, a.CustomRole = "Guest", "QA Lead" })},
			func(t *testing.T, sim *simulator.Server) string { return role(t, ask(t, sim, "GET /Users/23001", "")) },
			map[string]string{"shown-by-name": "QA Lead", "shown-as-user": "User", "absent": ""},
		},
		"concurrency-group-against-mapping": {
			[]simulator.Option{
				plain, simulator.ConcurrencyGroups("Dev"), simulator.Clock(moving.now),
				simulator.Reads(simulator.Settings{"concurrency-group-in-answers": "always"}),
			},
			func(t *testing.T, sim *simulator.Server) string {
				sim.SetGroup("QA", nil, ada)
				if err := sim.MapGroup("QA", simulator.Mapping{Kind: simulator.ConcurrencyGroup, Target: "QA"}); err != nil {
					t.Fatal(err)
				}
				shows := func(a answer) string {
					return regexp.MustCompile(`"LambdatestGroup":"(\w+)"`).FindStringSubmatch(a.body)[1]
				}
				written := shows(ask(t, sim, "PATCH /Users/23001", replace(userPath+":LambdatestGroup", `"Dev"`)))
				moving.advance(time.Minute)
				return written + " " + shows(ask(t, sim, "GET /Users/23001", ""))
			},
			map[string]string{"mapping-reasserts": "Dev QA", "stays-as-written": "Dev Dev"},
		},
		"unknown-concurrency-group": {
			[]simulator.Option{plain},
			func(t *testing.T, sim *simulator.Server) string {
				patched := ask(t, sim, "PATCH /Users/23001", patchOf(`{"op": "Replace", "path": "active", "value": false},
					{"op": "Replace", "path": "`+userPath+`:LambdatestGroup", "value": "Nowhere"}`))
				account, _ := sim.Account(ada)
				return fmt.Sprint(patched.status, account.Active)
			},
			map[string]string{"400": "400 true", "ignored": "200 false"},
		},
		"restored-group": {
			nil,
			func(t *testing.T, sim *simulator.Server) string {
				play(t, sim, step{"POST /Groups", `{"displayName": "QA"}`, 201, ""}, step{"DELETE /Groups/23001", "", 204, ""},
					step{"POST /Groups", `{"displayName": "QA"}`, 201, ""})
				group, _ := sim.Group("QA")
				return group.ID
			},
			map[string]string{"same-id": "23001", "new-id": "23002"},
		},
		"errors": {
			nil,
			func(t *testing.T, sim *simulator.Server) string {
				var kinds []string
				for range 3 {
					got := ask(t, sim, "GET /Users/1", "")
					var body struct {
						Schemas     []string
						Type, Title string
						Message     any
					}
					err := json.Unmarshal([]byte(got.body), &body)
					kinds = append(kinds, fmt.Sprintf("%d %v %d %s %s %T", got.status, err == nil, len(body.Schemas), body.Type, body.Title, body.Message))
				}
				return strings.Join(kinds, ", ")
			},
			map[string]string{
				"scim": "404 true 1   <nil>, 404 true 1   <nil>, 404 true 1   <nil>",
				"type-title-message": "404 true 0 error Not Found Error string, " +
					"404 true 0 error Not Found Error map[string]interface {}, 404 true 0 error Not Found Error []interface {}",
				"html": "404 false 0   <nil>, 404 false 0   <nil>, 404 false 0   <nil>",
			},
		},
		"extension-in-patch": {
			[]simulator.Option{plain},
			func(t *testing.T, sim *simulator.Server) string {
				object := ask(t, sim, "PATCH /Users/23001", patchOf(`{"op": "Replace", "value": {"active": false, "`+userPath+`": {"OrganizationRole": "Guest"}}}`))
				path := ask(t, sim, "PATCH /Users/23001", patchOf(`{"op": "Replace", "value": {"`+userPath+`:OrganizationRole": "Guest"}}`))
				unknown := ask(t, sim, "PATCH /Users/23001", patchOf(`{"op": "Replace", "value": {"userName": "b@example.com"}}`))
				account, _ := sim.Account(ada)
				return statuses(object, path, unknown) + fmt.Sprint(" ", account.Active, " ", account.Role)
			},
			map[string]string{"full-path-only": "400 400 400 true User", "path-less-too": "200 200 400 false Guest"},
		},
		"values-of-active": {
			[]simulator.Option{plain},
			func(t *testing.T, sim *simulator.Server) string {
				shows := regexp.MustCompile(`"active":[^,]+`).FindString(ask(t, sim, "GET /Users/23001", "").body)
				return shows + " " + statuses(ask(t, sim, "PATCH /Users/23001", replace("active", `"False"`)),
					ask(t, sim, "PATCH /Users/23001", replace("active", `"no"`)), ask(t, sim, "PATCH /Users/23001", replace("active", `false`)))
			},
			map[string]string{"booleans": `"active":true 400 400 200`, "strings": `"active":"true" 200 400 200`},
		},
		"letters-of-user-name": {
			[]simulator.Option{with(func(a *simulator.Account) { a.UserName = "Ada@Example.com" })},
			func(t *testing.T, sim *simulator.Server) string {
				shows := regexp.MustCompile(`"userName":[^,]+`).FindString(ask(t, sim, "GET /Users/23001", "").body)
				return shows + " " + regexp.MustCompile(`"totalResults":\d`).FindString(found(t, sim, ada).body)
			},
			map[string]string{
				"as-stored":          `"userName":"Ada@Example.com" "totalResults":1`,
				"lower-cased":        `"userName":"ada@example.com" "totalResults":1`,
				"compared-with-case": `"userName":"Ada@Example.com" "totalResults":0`,
			},
		},
		"reactivation": {
			[]simulator.Option{inactiveAdmin},
			func(t *testing.T, sim *simulator.Server) string {
				return role(t, ask(t, sim, "PATCH /Users/23001", replace("active", "true")))
			},
			map[string]string{"role-of-before": "Admin", "becomes-user": "User"},
		},
	}
}

func TestEachSettingChangesAnAnswerAndCountsIt(t *testing.T) {
	all := scenarios()
	for _, reading := range simulator.Readings() {
		scenario := all[reading.Name]
		outcomes := map[string]string{}
		for _, setting := range reading.Settings {
			t.Run(reading.Name+"="+setting.Name, func(t *testing.T) {
				want, described := scenario.want[setting.Name]
				if !described {
					t.Fatal("nothing shows what it changes")
				}
				sim := started(t, scenario.options...)
				sim.MustRead(simulator.Settings{reading.Name: setting.Name})

				got := scenario.play(t, sim)

				if got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				if other, taken := outcomes[got]; taken {
					t.Errorf("%s has the same outcome", other)
				}
				outcomes[got] = setting.Name
				for name, n := range sim.Answers()[reading.Name] {
					if (n > 0) != (name == setting.Name) {
						t.Errorf("%d answers are counted for %s", n, name)
					}
				}
			})
		}
		if len(scenario.want) != len(reading.Settings) {
			t.Errorf("%s: %d settings have an outcome, %d exist", reading.Name, len(scenario.want), len(reading.Settings))
		}
	}
}

func TestAReadingThatWasNotMetCountsNothing(t *testing.T) {
	sim := started(t, simulator.Population(1))
	play(t, sim, step{"GET /Users", "", 200, ""}, step{"GET /Users/23001", "", 200, ""})

	for reading, settings := range sim.Answers() {
		for setting, n := range settings {
			want := 0
			if reading == "values-of-active" && setting == "booleans" {
				want = 2 // every answer about a user shows active
			}
			if n != want {
				t.Errorf("%s=%s: %d answers, want %d", reading, setting, n, want)
			}
		}
	}
}

func TestThePairsOfSettingsAreAboutTwelveHundred(t *testing.T) {
	settings, pairs := 0, 0
	for _, reading := range simulator.Readings() {
		pairs += settings * len(reading.Settings)
		settings += len(reading.Settings)
		if reading.Decides == "" || reading.Counts == "" || reading.Source == "" {
			t.Errorf("%s is not described", reading.Name)
		}
	}
	if len(simulator.Readings()) != 20 || pairs != 1231 {
		t.Errorf("%d readings with %d pairs of settings, want 20 with 1231", len(simulator.Readings()), pairs)
	}
}

func TestReadingsAreShownAndSetOverHTTP(t *testing.T) {
	sim := started(t, simulator.Population(3))
	setting := func(name string) string { return sim.Settings()[name] }

	admin(t, sim, "PATCH /_readings", `{"total-results": "this-page", "errors": "html"}`)
	listed(t, sim, "count=2")
	got := admin(t, sim, "GET /_readings", "")
	if !strings.Contains(got.body, `"setting":"this-page","answers":{"all-matches":0,"this-page":1}`) {
		t.Errorf("the readings are %s", got.body)
	}
	admin(t, sim, "PATCH /_readings", `{"errors": "scim"}`)
	if setting("total-results") != "this-page" || setting("errors") != "scim" {
		t.Errorf("PATCH set %v", sim.Settings())
	}
	admin(t, sim, "PUT /_readings", `{"errors": "html"}`)
	if setting("total-results") != "all-matches" || setting("errors") != "html" {
		t.Errorf("PUT set %v", sim.Settings())
	}
}

func TestUnknownReadingsAndSettingsAreRefusedWithTheValidOnes(t *testing.T) {
	sim := started(t)
	for body, valid := range map[string]string{
		`{"errors": "html", "total-result": "this-page"}`: "concurrency-group-in-answers, list-of-users",
		`{"errors": "html", "total-results": "some"}`:     "all-matches, this-page",
	} {
		for _, method := range []string{"PATCH", "PUT"} {
			got := admin(t, sim, method+" /_readings", body)
			if got.status != http.StatusBadRequest || !strings.Contains(got.body, valid) {
				t.Errorf("%s %s: %d %s", method, body, got.status, got.body)
			}
		}
	}
	if sim.Settings()["errors"] != "scim" {
		t.Error("a refused change was made in part")
	}
}

func TestAnOptionWithAnUnknownReadingPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it was taken")
		}
	}()
	simulator.New(simulator.Reads(simulator.Settings{"errors": "none"}))
}
