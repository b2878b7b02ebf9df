// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import "net/http"

// readingState is one reading in the answer of GET /_readings.
type readingState struct {
	Reading
	Setting string `json:"setting"`
	// Answers is how many answers each setting shaped.
	Answers map[string]int `json:"answers"`
}

func adminReadings(o *Org, _ *http.Request) (reply, error) {
	settings, answers := o.Settings(), o.Answers()
	all := make([]readingState, 0, len(readings))
	for _, reading := range readings {
		all = append(all, readingState{reading, settings[reading.Name], answers[reading.Name]})
	}
	return reply{status: http.StatusOK, body: map[string]any{"readings": all}}, nil
}

// adminPutReadings sets every reading: to its default unless the body names it.
func adminPutReadings(o *Org, r *http.Request) (reply, error) {
	return changeReadings(o, r, o.ResetReadings)
}

// adminPatchReadings sets the readings that the body names.
func adminPatchReadings(o *Org, r *http.Request) (reply, error) {
	return changeReadings(o, r, o.SetReadings)
}

func changeReadings(o *Org, r *http.Request, change func(Settings) error) (reply, error) {
	var body Settings
	if err := decode(r.Body, &body); err != nil {
		return reply{}, err
	}
	if err := change(body); err != nil {
		return reply{}, err
	}
	return adminReadings(o, r)
}

func adminMappings(o *Org, _ *http.Request) (reply, error) {
	return reply{status: http.StatusOK, body: o.Mappings()}, nil
}

func adminMapGroup(o *Org, r *http.Request) (reply, error) {
	var mapping Mapping
	if err := decode(r.Body, &mapping); err != nil {
		return reply{}, err
	}
	if err := o.MapGroup(r.PathValue("group"), mapping); err != nil {
		return reply{}, err
	}
	return adminMappings(o, r)
}

// adminDeleteTarget deletes the entity that the group is mapped to, not the group.
func adminDeleteTarget(o *Org, r *http.Request) (reply, error) {
	if err := o.DeleteTarget(r.PathValue("group")); err != nil {
		return reply{}, err
	}
	return adminMappings(o, r)
}

func adminRules(o *Org, _ *http.Request) (reply, error) {
	return reply{status: http.StatusOK, body: append([]Rule{}, o.Rules()...)}, nil
}

func adminSetRules(o *Org, r *http.Request) (reply, error) {
	var rules []Rule
	if err := decode(r.Body, &rules); err != nil {
		return reply{}, err
	}
	if err := o.SetRules(rules...); err != nil {
		return reply{}, err
	}
	return adminRules(o, r)
}

func adminConflicts(o *Org, _ *http.Request) (reply, error) {
	return reply{status: http.StatusOK, body: o.Conflicts()}, nil
}

func adminResolve(o *Org, r *http.Request) (reply, error) {
	var body struct {
		Conflict
		Use string `json:"use"`
	}
	if err := decode(r.Body, &body); err != nil {
		return reply{}, err
	}
	if body.Use != "current" && body.Use != "incoming" {
		return reply{}, invalidValue("use is current or incoming")
	}
	if err := o.Resolve(body.Conflict, body.Use == "incoming"); err != nil {
		return reply{}, err
	}
	return adminConflicts(o, r)
}

func adminSetTeam(o *Org, r *http.Request) (reply, error) {
	var body struct {
		CustomRole string `json:"customRole"`
	}
	if err := decode(r.Body, &body); err != nil {
		return reply{}, err
	}
	o.SetTeam(r.PathValue("name"), body.CustomRole)
	return reply{status: http.StatusNoContent}, nil
}

func adminAddSubOrganization(o *Org, r *http.Request) (reply, error) {
	var body struct {
		Name  string `json:"name"`
		Token string `json:"token"`
	}
	if err := decode(r.Body, &body); err != nil {
		return reply{}, err
	}
	if body.Name == "" || body.Token == "" {
		return reply{}, invalidValue("a sub-organization needs a name and a token")
	}
	if !o.world.isFree(body.Name, body.Token) {
		return reply{}, taken("an organization of that name or token exists")
	}
	o.AddSubOrganization(body.Name, body.Token)
	return reply{status: http.StatusCreated}, nil
}

// isFree says whether no organization has that name or token.
func (w *world) isFree(name, token string) bool {
	w.Lock()
	defer w.Unlock()
	for _, o := range w.orgs {
		if o.name == name || o.token == token {
			return false
		}
	}
	return true
}
