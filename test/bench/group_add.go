// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	// groupMembers are in the group before anybody is added, and groupClients add one at a time.
	groupMembers, groupClients = 10_000, 16
	// groupAdds are added in a round.
	groupAdds = 240
)

func groupAdd(ctx context.Context, r *run) error {
	rounds := r.rounds(5)
	d, err := r.suspendedDesk(ctx, groupMembers+rounds*groupAdds)
	if err != nil {
		return err
	}
	id, err := d.createGroup(ctx, "Everybody")
	if err != nil {
		return err
	}
	perSecond, lost := make([]float64, rounds), make([]float64, rounds)
	for i := range rounds {
		first := groupMembers + i*groupAdds + 1
		started := time.Now()
		if err := sideBySide(groupClients, groupAdds, func(n int) error { return d.addMember(ctx, id, d.person(first+n)) }); err != nil {
			return err
		}
		perSecond[i] = groupAdds / time.Since(started).Seconds()
		members, err := d.members(ctx, id)
		if err != nil {
			return err
		}
		for n := range groupAdds {
			if !members[d.person(first+n).id()] {
				lost[i]++
			}
		}
	}
	return errors.Join(r.record("group-add", perSecond), r.record("group-add-lost", lost, fmt.Sprintf("%d members were added in each round", groupAdds)))
}

// createGroup creates a group of the first people.
func (d *desk) createGroup(ctx context.Context, displayName string) (id string, err error) {
	members := make([]object, groupMembers)
	for i := range members {
		members[i] = object{"value": d.person(i + 1).id()}
	}
	answer, err := d.provider.send(ctx, http.MethodPost, "/Groups?excludedAttributes=members", object{
		"schemas": []string{groupSchema}, "displayName": displayName, "members": members,
	}, http.StatusCreated)
	if err != nil {
		return "", err
	}
	var group struct {
		ID string `json:"id"`
	}
	return group.ID, json.Unmarshal(answer, &group)
}

// addMember adds somebody as Entra ID does.
func (d *desk) addMember(ctx context.Context, group string, who person) error {
	change := patch(object{"op": "Add", "path": "members", "value": []object{{"value": who.id()}}})
	_, err := d.provider.send(ctx, http.MethodPatch, "/Groups/"+group, change, http.StatusNoContent)
	return err
}

func (d *desk) members(ctx context.Context, group string) (map[string]bool, error) {
	answer, err := d.provider.send(ctx, http.MethodGet, "/Groups/"+group, nil, http.StatusOK)
	if err != nil {
		return nil, err
	}
	var shown struct {
		Members []struct {
			Value string `json:"value"`
		} `json:"members"`
	}
	if err := json.Unmarshal(answer, &shown); err != nil {
		return nil, err
	}
	members := map[string]bool{}
	for _, member := range shown.Members {
		members[member.Value] = true
	}
	return members, nil
}
