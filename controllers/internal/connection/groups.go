// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/groups"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// DoubtRoles follows a change of groups at LambdaTest, which has computed the roles of these accounts anew. A few accounts are looked up;
// for many, a sweep costs less.
func (c *Connection) DoubtRoles(ids []string, now time.Time) {
	if len(ids) == 0 {
		return
	}
	affected := c.Accounts.UsersOf(ids)
	c.Accounts.DoubtRoles(affected, false, now)
	claimed := slices.DeleteFunc(affected, func(user string) bool { return !c.Census.has(user) })
	if len(claimed) > c.LastSweep().pages+1 {
		c.SweepEarly()
		return
	}
	c.Accounts.DoubtRoles(claimed, true, now)
	c.Wake(lane.Change, claimed...)
}

// WakeMembers requeues people whose role from groups may have changed.
func (c *Connection) WakeMembers(users []string) {
	for _, user := range users {
		if c.Census.has(user) {
			c.Wake(lane.Change, user)
		}
	}
}

// AccountAppeared requeues the groups that wait for a member's account. Each waits a little for further accounts: while thousands are being
// created, a group follows in some dozens of steps.
func (c *Connection) AccountAppeared(user string) {
	c.Holdoffs.Clear(user) // an address that belonged to another organization is ours now
	for resource, awaited := range c.Groups.Awaits(user) {
		delay := min(max(time.Duration(awaited)*followEach, followMin), followMax)
		c.registry.Groups.addAfter(delay, reconcile.Request{NamespacedName: c.GroupKey(resource)})
	}
}

const (
	// followEach, followMin and followMax are how long a group waits for further accounts: by how many it waits for.
	followEach = 5 * time.Millisecond
	followMin  = time.Second
	followMax  = 30 * time.Second
)

// groupPageSize keeps a page of groups of 10 000 members each below what the client reads.
const groupPageSize = 5

// Which group at LambdaTest belongs to a resource, and which resource gives up a displayName for another one:
//
//	the name that a resource wants is                then
//	free                                             it is taken
//	had by a group of no resource                    a resource without a group adopts it; another one is refused
//	had by a duplicate's group                       a resource without a group takes it over; for another one the duplicate sets it aside
//	had by the group of another DisplayName          the resource waits until that one is renamed or deleted
//	had by a group that waits for the resource, too  the first of the circle makes room under another name, and the others follow
//
// Whatever happens in between, each group's id is in the status of a resource.

// GroupID is LambdaTest's id of a resource's group: what this process knows, else what the status says. Empty is none.
func (c *Connection) GroupID(group *v1alpha1.LambdaTestGroup) string {
	if entry := c.Groups.Get(group.Name); entry.UID == group.UID && entry.ID != "" {
		return entry.ID
	}
	return group.Status.GroupID
}

// NameGivenUp requeues the groups that wait for a displayName, or were refused it, once no group has it any more.
func (c *Connection) NameGivenUp(before, now string) {
	if before == "" || claims.SameDisplayName(before, now) {
		return
	}
	c.Accepted(CauseDisplayName(before))
	before = v1alpha1.FoldDisplayName(before)
	for _, resource := range c.Groups.Where(func(entry *groups.Entry) bool { return entry.Needs == before }) {
		c.Wake(lane.Change, groups.Place(resource))
	}
}

// sweepGroups reads all groups of an organization that has any, page by page. Of a list that is not complete it uses what the list shows.
func (c *Connection) sweepGroups(ctx context.Context) error {
	if !c.Groups.Wanted() {
		return nil
	}
	begun, found, complete := c.Options.Now(), groupListing{byID: map[string]groups.Group{}}, false
	for start, more := 1, true; more; {
		page, err := ask(ctx, c, "ListGroups", func(ctx context.Context, upstream Upstream) (lambdatest.Page[lambdatest.Group], error) {
			return upstream.ListGroups(ctx, start, groupPageSize)
		})
		if err != nil {
			return fmt.Errorf("sweeping groups: %w", err)
		}
		if err := found.add(page); err != nil {
			return err
		}
		start, more = page.Next()
		complete = len(found.byID) == page.Total
	}
	for _, resource := range c.Groups.Replace(found.byID, begun, complete) {
		c.Wake(lane.Drift, groups.Place(resource))
	}
	if !complete {
		return errors.New("sweeping groups: the list does not show as many as it says")
	}
	taken := sets.New[string]()
	for _, group := range found.byID {
		taken.Insert(CauseDisplayName(group.DisplayName))
	}
	c.Holdoffs.expedite(func(cause string) bool { return strings.HasPrefix(cause, displayNamePrefix) && !taken.Has(cause) })
	return nil
}

// groupListing is what a sweep has read of groups.
type groupListing struct {
	byID  map[string]groups.Group
	bytes int
}

// add takes a page in.
func (l *groupListing) add(page lambdatest.Page[lambdatest.Group]) error {
	for _, said := range page.Items {
		group := groups.FromUpstream(said)
		l.bytes += len(group.ID) + len(group.DisplayName)
		for _, text := range slices.Concat(group.Members, group.Roles) {
			l.bytes += memberBytes + len(text)
		}
		if l.bytes > maxListBytes {
			return fmt.Errorf("sweeping groups: they and their members take more than %d MiB, the most that a sweep keeps", maxListBytes>>20)
		}
		l.byID[group.ID] = group
	}
	return nil
}

// GroupKey is the key of a LambdaTestGroup of the organization.
func (c *Connection) GroupKey(resource string) types.NamespacedName {
	return types.NamespacedName{Namespace: c.Organization.Namespace, Name: resource}
}
