// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// guardHour is how long a window of the guard lasts.
const guardHour = time.Hour

// heldBlock is what the guard of one organization holds of one kind.
type heldBlock struct {
	Namespace    string `json:"namespace"`
	Organization string `json:"organization"`
	// Token names the set that an approval or a rejection decides about. All blocks of an organization are in the same set.
	Token string       `json:"token"`
	Since *metav1.Time `json:"since,omitempty"`
	// Reason is that of the resources, and Would what would happen to the people.
	Reason string `json:"reason"`
	Would  string `json:"would"`
	Count  int    `json:"count"`
	// People are userNames where the resource can be read, and otherwise names of resources.
	People []string `json:"people"`
	// Limit says how many have gone in this hour, how many may, and until when that counts.
	Limit string `json:"limit"`
	// last says that no other block of the set follows.
	last bool
}

// heldKind is one kind of change that the guard holds, in the order in which they are shown.
type heldKind struct{ reason, would string }

var (
	losesAccess = heldKind{v1alpha1.DeprovisionHeldReason, "lose access, because the last resource about them was deleted"}
	losesRole   = heldKind{v1alpha1.DemotionHeldReason, "get a lower role, because a resource or group that gave the role was deleted"}
	getsAccess  = heldKind{v1alpha1.ActivationHeldReason, "get access back, because a resource that denied them was deleted"}
	isDenied    = heldKind{v1alpha1.DeniedButActiveReason, "lose access, because a resource denies them; spec.deprovisionGuard.explicitPercent limits such denials"}
)

// heldEntry is one entry of a held set: the name of a resource, then ": " and the change. Without a change it is the loss of access.
type heldEntry struct {
	kind heldKind
	// resource is the name of a LambdaTestUser, or "LambdaTestGroup/" and a name.
	resource string
	// change is what the entry says, in words.
	change string
	people int
}

func parseHeld(entry string) heldEntry {
	name, change, said := strings.Cut(entry, ": ")
	parsed := heldEntry{kind: losesRole, resource: name, change: change, people: 1}
	switch {
	case !said:
		parsed.kind, parsed.change = losesAccess, "lose access"
	case change == "active again":
		parsed.kind, parsed.change = getsAccess, "get access back"
	case change == "denied":
		parsed.kind, parsed.change = isDenied, "lose access (denied)"
	case strings.HasPrefix(name, v1alpha1.GroupKind+"/"):
		number, _, _ := strings.Cut(change, " ")
		if many, err := strconv.Atoi(number); err == nil {
			parsed.people = many
		}
		parsed.change, _, _ = strings.Cut(change, " (")
	}
	return parsed
}

// heldBlocks are what the guard of an organization holds, by kind.
func heldBlocks(organization *v1alpha1.LambdaTestOrganization, read *roster) []heldBlock {
	guard := organization.Status.Guard
	if guard == nil || guard.Held == nil {
		return nil
	}
	names := read.heldNames(organization.Namespace)
	var blocks []heldBlock
	for _, kind := range []heldKind{losesAccess, losesRole, getsAccess, isDenied} {
		block := heldBlock{
			Namespace: organization.Namespace, Organization: organization.Name, Token: guard.Held.Token, Since: guard.Held.Since,
			Reason: kind.reason, Would: kind.would, Limit: usedUp(guard),
		}
		for _, entry := range guard.Held.People {
			if held := parseHeld(entry); held.kind == kind {
				block.Count += held.people
				block.People = append(block.People, names.of(held)...)
			}
		}
		if block.Count > 0 {
			blocks = append(blocks, block)
		}
	}
	if len(blocks) > 0 {
		blocks[len(blocks)-1].last = true
	}
	return blocks
}

// heldNames are the resources of a namespace by the names that entries of a held set have.
type heldNames map[string][]string

func (r *roster) heldNames(namespace string) heldNames {
	names := heldNames{}
	for _, user := range r.users {
		if user.Namespace == namespace {
			names[user.Name] = []string{user.Spec.UserName}
		}
	}
	for _, group := range r.groups {
		if group.Namespace == namespace {
			names[v1alpha1.GroupKind+"/"+group.Name] = group.Status.HeldMembers
		}
	}
	return names
}

// of are the people whom an entry means: one, or the members of a group who would lose a role. They are userNames where the resource is there.
func (n heldNames) of(entry heldEntry) []string {
	names := slices.Clone(n[entry.resource])
	switch missing := entry.people - len(names); {
	case missing <= 0:
	case strings.HasPrefix(entry.resource, v1alpha1.GroupKind+"/"):
		names = append(names, plural(missing, "member", "members")+" of "+entry.resource)
	default:
		names = append(names, entry.resource)
	}
	return names
}

// usedUp says how much of the hour's limit is used.
func usedUp(guard *v1alpha1.GuardStatus) string {
	if guard.WindowStart == nil {
		return ""
	}
	gone := guard.Deprovisioned + guard.Demoted + guard.Activated
	return fmt.Sprintf("Of the %d who may go between %s and %s UTC, %d have gone.", guard.Limit,
		guard.WindowStart.UTC().Format("15:04"), guard.WindowStart.Add(guardHour).UTC().Format("15:04"), gone)
}

// mostNamed is how many people a block names; -o json names all.
const mostNamed = 8

func (b *heldBlock) print(out io.Writer) {
	printf(out, "\n%s/%s: %s (%s): the guard holds %s who would %s:\n  %s\n", b.Namespace, b.Organization, b.Reason, "set "+b.Token,
		plural(b.Count, "person", "people"), b.Would, firstOf(b.People, mostNamed))
	if !b.last {
		return
	}
	if b.Limit != "" {
		printf(out, "  %s\n", b.Limit)
	}
	printf(out, `  Nothing happens to them until you decide, however much time passes:
    kubectl lambdatest approve --organization %[1]s -n %[2]s
    kubectl lambdatest reject --organization %[1]s -n %[2]s
`, b.Organization, b.Namespace)
}
