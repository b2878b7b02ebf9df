// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// maxGroupFactor is how much of the heap a group may take, with all that finds it and its members, for each byte that its list of members
// takes.
const maxGroupFactor = 2

// Everybody who may create a group in one namespace fills the memory of every replica with it.
func TestAGroupTakesLittleMoreMemoryThanItsMembers(t *testing.T) {
	const groups, members = 10, 5000
	plain := heapOf(func() any { return manyGroups(groups, members) })
	withIndexes := heapOf(func() any {
		cache := cached(manyGroups(groups, members))
		role, err := GroupRoles{Reader: cache}.Of(t.Context(), PersonKey{Namespace: "ns", Organization: "default", UserName: "person-03-00007@example.com"}, nil)
		if err != nil || role.Group == nil {
			t.Errorf("a member has no role from the groups: %v", err)
		}
		return cache
	})
	t.Logf("%d bytes for each member, %d of them for the list itself", withIndexes/(groups*members), plain/(groups*members))
	if withIndexes > maxGroupFactor*plain {
		t.Errorf("%.1f times as much as the members themselves, at most %d", float64(withIndexes)/float64(plain), maxGroupFactor)
	}
}

func manyGroups(groups, members int) []*v1alpha1.LambdaTestGroup {
	all := make([]*v1alpha1.LambdaTestGroup, groups)
	for i := range all {
		all[i] = MakeGroup(fmt.Sprintf("group-%d", i)).In("ns").Giving(v1alpha1.RoleUser).Obj()
		for member := range members {
			all[i].Spec.Members = append(all[i].Spec.Members, fmt.Sprintf("person-%02d-%05d@example.com", i, member))
		}
	}
	return all
}

// heapOf is how many bytes what is made keeps.
func heapOf(build func() any) int64 {
	before := heap()
	made := build()
	after := heap()
	runtime.KeepAlive(made)
	return after - before
}

func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// groupCache is what a cache of controller-runtime has of groups: each index has a value for the namespace, and one for all.
type groupCache struct {
	client.Reader
	indexer toolscache.Indexer
}

func cached(groups []*v1alpha1.LambdaTestGroup) groupCache {
	indexers := toolscache.Indexers{}
	for name, extract := range GroupIndexers() {
		indexers[name] = func(object any) ([]string, error) {
			var values []string
			for _, value := range extract(object.(client.Object)) {
				values = append(values, object.(client.Object).GetNamespace()+"/"+value, "__all_namespaces/"+value)
			}
			return values, nil
		}
	}
	cache := groupCache{indexer: toolscache.NewIndexer(toolscache.MetaNamespaceKeyFunc, indexers)}
	for _, group := range groups {
		_ = cache.indexer.Add(group)
	}
	return cache
}

func (c groupCache) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	which := (&client.ListOptions{}).ApplyOptions(options)
	requirement := which.FieldSelector.Requirements()[0]
	found, err := c.indexer.ByIndex(requirement.Field, which.Namespace+"/"+requirement.Value)
	groups := list.(*v1alpha1.LambdaTestGroupList)
	for _, object := range found {
		groups.Items = append(groups.Items, *object.(*v1alpha1.LambdaTestGroup))
	}
	return err
}
