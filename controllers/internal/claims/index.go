// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"context"
	"fmt"
	"hash/crc32"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// Field indexes of the cache; the names are ours, the API server knows none of them.
const (
	personIndex            = "iam.lambdatest.io/person"
	OrganizationIndex      = "iam.lambdatest.io/organization"
	roleGiverIndex         = "iam.lambdatest.io/role-giver"
	displayNameIndex       = "iam.lambdatest.io/display-name"
	GroupOrganizationIndex = "iam.lambdatest.io/group-organization"
	GroupIDIndex           = "iam.lambdatest.io/group-id"
)

// PersonKey is one person of one organization: what all claims about that person have in common, and what work is keyed by.
type PersonKey struct {
	Namespace    string
	Organization string
	// UserName is folded, so that it is the same in all claims about the person.
	UserName string
}

// KeyOf returns whom a claim is about.
func KeyOf(user *v1alpha1.LambdaTestUser) PersonKey {
	return PersonKey{
		Namespace:    user.Namespace,
		Organization: user.Spec.OrganizationRef.Name,
		UserName:     v1alpha1.FoldUserName(user.Spec.UserName),
	}
}

// OrganizationKey names the organization of the person.
func (k PersonKey) OrganizationKey() types.NamespacedName {
	return types.NamespacedName{Namespace: k.Namespace, Name: k.Organization}
}

// Digest stands for the person where an address must not be read, as in logs.
func (k PersonKey) Digest() string {
	return v1alpha1.PersonDigest(k.Organization, k.UserName)
}

// String shows no address.
func (k PersonKey) String() string {
	return k.Namespace + "/" + k.Organization + "/" + k.Digest()
}

// separator stands between parts of an index value. No part can contain it, so that an organization "a/b" and a person "c" are not taken for an
// organization "a" and a person "b/c".
const separator = "\x00"

// indexValue is the key within its namespace.
func (k PersonKey) indexValue() string {
	return k.Organization + separator + k.UserName
}

// resourceNames are the names that the operator's own claims about the person have: found by them, they need no place in an index,
// which takes as much memory as a small resource.
func (k PersonKey) resourceNames() []string {
	return []string{v1alpha1.SCIMUserName(k.Organization, k.UserName), v1alpha1.ImportedUserName(k.Organization, k.UserName)}
}

// Indexers are the field indexes of LambdaTestUsers by name.
func Indexers() map[string]client.IndexerFunc {
	return map[string]client.IndexerFunc{
		personIndex: by(func(user *v1alpha1.LambdaTestUser) []string {
			key := KeyOf(user)
			if slices.Contains(key.resourceNames(), user.Name) {
				return nil
			}
			return []string{key.indexValue()}
		}),
		OrganizationIndex: by(func(user *v1alpha1.LambdaTestUser) []string {
			return []string{portionOf(user.Spec.OrganizationRef.Name, crc32.ChecksumIEEE([]byte(user.Name)))}
		}),
	}
}

// GroupIndexers are the field indexes of LambdaTestGroups by name. None has a value for each member: an index of the cache takes hundreds
// of bytes for a value. A group that gives roles has a value for each share of the people that a member is in, shareCount at most; in the
// few groups that remain, the member is found with HasMember.
func GroupIndexers() map[string]client.IndexerFunc {
	return map[string]client.IndexerFunc{
		roleGiverIndex: by(func(group *v1alpha1.LambdaTestGroup) []string {
			if len(group.Spec.Roles) == 0 {
				return nil
			}
			return sharesOf(group)
		}),
		displayNameIndex:       by(func(group *v1alpha1.LambdaTestGroup) []string { return []string{FamilyOf(group)} }),
		GroupOrganizationIndex: by(func(group *v1alpha1.LambdaTestGroup) []string { return []string{group.Spec.OrganizationRef.Name} }),
		GroupIDIndex: by(func(group *v1alpha1.LambdaTestGroup) []string {
			return []string{GroupIDKey(group, group.Status.GroupID)}
		}),
	}
}

// by indexes resources of one kind.
func by[T client.Object](extract func(T) []string) client.IndexerFunc {
	return func(object client.Object) []string { return extract(object.(T)) }
}

// AddIndexes tells the cache which fields people and groups are looked up by.
func AddIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	for kind, indexers := range map[client.Object]map[string]client.IndexerFunc{
		&v1alpha1.LambdaTestUser{}: Indexers(), &v1alpha1.LambdaTestGroup{}: GroupIndexers(),
	} {
		for name, extract := range indexers {
			if err := indexer.IndexField(ctx, kind, name, extract); err != nil {
				return fmt.Errorf("indexing %s: %w", name, err)
			}
		}
	}
	return nil
}

// portionOf names the portion of an organization that a claim is in, by the checksum of its name.
func portionOf(organization string, checksum uint32) string {
	return fmt.Sprintf("%s/%d", organization, checksum%portions)
}

// About lists the claims about a person, in order of precedence. They are the cache's own: copy one before changing it.
func About(ctx context.Context, reader client.Reader, key PersonKey) ([]*v1alpha1.LambdaTestUser, error) {
	claims, err := listClaims(ctx, reader, key.Namespace, client.MatchingFields{personIndex: key.indexValue()})
	if err != nil {
		return nil, err
	}
	for _, name := range key.resourceNames() {
		claim := &v1alpha1.LambdaTestUser{}
		err := reader.Get(ctx, types.NamespacedName{Namespace: key.Namespace, Name: name}, claim, client.UnsafeDisableDeepCopy)
		switch {
		case err == nil && KeyOf(claim) == key:
			claims = append(claims, claim)
		case client.IgnoreNotFound(err) != nil:
			return nil, fmt.Errorf("reading claim: %w", err)
		}
	}
	slices.SortFunc(claims, ByPrecedence)
	return claims, nil
}

// Of lists the claims of an organization, under the rule of About. The list takes half as much memory as the claims: where a part of them
// will do, say which, or visit them.
func Of(ctx context.Context, reader client.Reader, organization types.NamespacedName, which ...client.ListOption) ([]*v1alpha1.LambdaTestUser, error) {
	var all []*v1alpha1.LambdaTestUser
	err := Visit(ctx, reader, organization, func(claim *v1alpha1.LambdaTestUser) { all = append(all, claim) }, which...)
	slices.SortFunc(all, ByPrecedence)
	return all, err
}

// Visit shows the claims of an organization one by one, in no order. They are the cache's own. Only a portion of them is in a list at a
// time.
func Visit(ctx context.Context, reader client.Reader, organization types.NamespacedName, visit func(*v1alpha1.LambdaTestUser), which ...client.ListOption) error {
	for portion := range uint32(portions) {
		fields := client.MatchingFields{OrganizationIndex: portionOf(organization.Name, portion)}
		claims, err := listClaims(ctx, reader, organization.Namespace, append(slices.Clip(which), fields)...)
		if err != nil {
			return err
		}
		for _, claim := range claims {
			visit(claim)
		}
	}
	return nil
}

func listClaims(ctx context.Context, reader client.Reader, namespace string, which ...client.ListOption) ([]*v1alpha1.LambdaTestUser, error) {
	var list v1alpha1.LambdaTestUserList
	if err := reader.List(ctx, &list, append(which, client.InNamespace(namespace), client.UnsafeDisableDeepCopy)...); err != nil {
		return nil, fmt.Errorf("listing claims: %w", err)
	}
	claims := make([]*v1alpha1.LambdaTestUser, len(list.Items))
	for i := range list.Items {
		claims[i] = &list.Items[i]
	}
	return claims, nil
}

// DeleteImported deletes a resource that an import created, if it is still the one that was read.
func DeleteImported(ctx context.Context, writer client.Writer, claim *v1alpha1.LambdaTestUser) error {
	if !claim.DeletionTimestamp.IsZero() {
		return nil
	}
	if err := client.IgnoreNotFound(writer.Delete(ctx, claim, client.Preconditions{UID: &claim.UID})); err != nil {
		return fmt.Errorf("deleting an imported resource: %w", err)
	}
	return nil
}
