// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
)

// state is the answer of GET /_state.
type state struct {
	Accounts []Account      `json:"accounts"`
	Groups   []Group        `json:"groups"`
	Calls    map[string]int `json:"calls"`
}

// faultRequest is the body of POST /_faults. It is applied in this order: Clear
// removes all faults and switches; Switches sets the switches that it names;
// Faults adds faults.
type faultRequest struct {
	Clear             bool            `json:"clear"`
	Switches          json.RawMessage `json:"switches"`
	Faults            []Fault         `json:"faults"`
	ConcurrencyGroups map[string]bool `json:"concurrencyGroups"`
}

// adminOperation is the work of an admin endpoint; it takes the lock itself.
type adminOperation func(*Org, *http.Request) (reply, error)

func (s *Server) adminRoutes(mux *http.ServeMux) {
	for pattern, do := range map[string]adminOperation{
		"GET /_state":                  adminState,
		"GET /_calls":                  adminCalls,
		"DELETE /_calls":               adminResetCalls,
		"POST /_accounts":              adminAddAccount,
		"PUT /_accounts/{userName}":    adminEditAccount,
		"POST /_accounts/{userName}":   adminEditAccount,
		"DELETE /_accounts/{userName}": adminRemoveAccount,
		"POST /_faults":                adminFaults,
		"POST /_token":                 adminToken,

		"GET /_readings":            adminReadings,
		"PUT /_readings":            adminPutReadings,
		"PATCH /_readings":          adminPatchReadings,
		"GET /_mappings":            adminMappings,
		"PUT /_mappings/{group}":    adminMapGroup,
		"DELETE /_mappings/{group}": adminDeleteTarget,
		"GET /_rules":               adminRules,
		"PUT /_rules":               adminSetRules,
		"GET /_conflicts":           adminConflicts,
		"POST /_conflicts":          adminResolve,
		"PUT /_teams/{name}":        adminSetTeam,
		"POST /_sub-organizations":  adminAddSubOrganization,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.admin(do, w, r) })
	}
}

// admin answers for the organization that "?org=" names. It answers only requests
// from this machine.
func (s *Server) admin(do adminOperation, w http.ResponseWriter, r *http.Request) {
	org, known := s.OrgNamed(r.URL.Query().Get("org"))
	out, err := reply{}, error(nil)
	switch {
	case !isLoopback(r.RemoteAddr):
		err = &problem{status: http.StatusForbidden, detail: "only from this machine"}
	case !known:
		err = notFound("the organization does not exist")
	default:
		r.Body = http.MaxBytesReader(w, r.Body, maxBodyBytes)
		out, err = do(org, r)
	}
	if err != nil {
		out = refusal(err)
	}
	out.write(w)
}

func isLoopback(remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	return err == nil && net.ParseIP(host).IsLoopback()
}

func adminState(o *Org, _ *http.Request) (reply, error) {
	return reply{status: http.StatusOK, body: state{o.Accounts(), o.Groups(), o.Counts()}}, nil
}

func adminCalls(o *Org, _ *http.Request) (reply, error) {
	return reply{status: http.StatusOK, body: append([]Call{}, o.Calls()...)}, nil
}

func adminResetCalls(o *Org, _ *http.Request) (reply, error) {
	o.ResetCalls()
	return reply{status: http.StatusNoContent}, nil
}

// adminAddAccount adds an account, active unless it says otherwise;
// "foreign": true gives it to an organization that is not simulated.
func adminAddAccount(o *Org, r *http.Request) (reply, error) {
	body := struct {
		Account
		Foreign bool `json:"foreign"`
	}{Account: Account{Active: true}}
	if err := decode(r.Body, &body); err != nil {
		return reply{}, err
	}
	if !isAddress(body.UserName) || rank(cmp.Or(body.Role, "User")) == 0 {
		return reply{}, invalidValue("an account needs an address, and a role that exists")
	}
	o.world.Lock()
	defer o.world.Unlock()
	if o.world.names[fold(body.UserName)] != nil {
		return reply{}, taken("the account already exists")
	}
	if body.Foreign {
		foreign := &account{userName: body.UserName, active: body.Active, role: "User"}
		o.world.enter(foreign)
		return reply{status: http.StatusCreated, body: foreign.export()}, nil
	}
	return reply{status: http.StatusCreated, body: o.add(body.Account).export()}, nil
}

// adminEditAccount changes only the fields that the body names.
func adminEditAccount(o *Org, r *http.Request) (reply, error) {
	var body json.RawMessage
	if err := decode(r.Body, &body); err != nil {
		return reply{}, err
	}
	var bad error
	edited, err := o.EditAccount(r.PathValue("userName"), func(a *Account) {
		before := *a
		if bad = decode(bytes.NewReader(body), a); bad == nil && rank(a.Role) == 0 {
			bad = invalidValue("role is Admin, User or Guest")
		}
		if bad != nil {
			*a = before
		}
	})
	if err := errors.Join(err, bad); err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, body: edited}, nil
}

func adminRemoveAccount(o *Org, r *http.Request) (reply, error) {
	if !o.RemoveAccount(r.PathValue("userName")) {
		return reply{}, notFound("the account does not exist")
	}
	return reply{status: http.StatusNoContent}, nil
}

// adminFaults changes what goes wrong and answers with the switches in force.
func adminFaults(o *Org, r *http.Request) (reply, error) {
	var body faultRequest
	if err := decode(r.Body, &body); err != nil {
		return reply{}, err
	}
	for _, fault := range body.Faults {
		if err := fault.check(); err != nil || fault.Kind == hold {
			return reply{}, cmp.Or(err, invalidValue("only a test can hold a call"))
		}
	}
	if body.Clear {
		o.ClearFaults()
		o.Switch(func(s *Switches) { *s = Switches{} })
	}
	switches, err := o.mergeSwitches(body.Switches)
	if err != nil {
		return reply{}, err
	}
	for name, exists := range body.ConcurrencyGroups {
		o.SetConcurrencyGroup(name, exists)
	}
	for _, fault := range body.Faults {
		o.Inject(fault)
	}
	return reply{status: http.StatusOK, body: switches}, nil
}

func (o *Org) mergeSwitches(change json.RawMessage) (Switches, error) {
	o.world.Lock()
	defer o.world.Unlock()
	merged := o.switches
	if len(change) > 0 {
		if err := decode(bytes.NewReader(change), &merged); err != nil {
			return merged, err
		}
	}
	o.switches = merged
	return merged, nil
}

func adminToken(o *Org, r *http.Request) (reply, error) {
	var body struct {
		Token string `json:"token"`
	}
	if err := decode(r.Body, &body); err != nil {
		return reply{}, err
	}
	if body.Token == "" {
		return reply{}, invalidValue("token is required")
	}
	o.RotateToken(body.Token)
	return reply{status: http.StatusNoContent}, nil
}

// decode refuses unknown names: with a misspelt switch, a test would pass without
// testing anything.
func decode(from io.Reader, into any) error {
	decoder := json.NewDecoder(from)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return invalidSyntax("reading body: " + err.Error())
	}
	return nil
}
