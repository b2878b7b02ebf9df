// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package usercache

import (
	"bufio"
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// listBuffer is how much of a list is read at a time.
const listBuffer = 64 << 10

// noUsers is the list that client-go gets in place of one that is decoded here.
var noUsers = fmt.Sprintf(`{"apiVersion":%q,"kind":"LambdaTestUserList","metadata":{},"items":[]}`, v1alpha1.SchemeGroupVersion)

// listUsers lists with client-go and decodes here, where withUsersDecoded is in the transport. It returns whether there is more to come:
// another page, or the whole list, since it was cut.
func listUsers(
	ctx context.Context, transform toolscache.TransformFunc, start func(context.Context) (runtime.Object, error),
) (list runtime.Object, more bool, err error) {
	handed := &handedOver{instead: noUsers}
	list, err = start(context.WithValue(ctx, handedOverKey{}, handed))
	switch {
	case handed.body == nil:
		return list, false, err
	case err != nil:
		return nil, false, errors.Join(err, handed.body.Close())
	}
	defer func() { _ = handed.body.Close() }()
	decoded := userList{Items: userItems{transform: transform}}
	if err := json.UnmarshalRead(bufio.NewReaderSize(handed.body, listBuffer), &decoded, lenient); err != nil {
		return nil, true, fmt.Errorf("decoding the list of users: %w", err)
	}
	return &internalversion.List{ListMeta: decoded.Metadata, Items: decoded.Items.users}, decoded.Metadata.Continue != "", nil
}

// userList is a LambdaTestUserList, each user of which is made small, or found in the store, before the next is read.
type userList struct {
	Metadata metav1.ListMeta `json:"metadata"`
	Items    userItems       `json:"items"`
}

type userItems struct {
	users     []runtime.Object
	transform toolscache.TransformFunc
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (i *userItems) UnmarshalJSONFrom(from *jsontext.Decoder) error {
	start, err := from.ReadToken()
	switch {
	case err != nil:
		return err
	case start.Kind() == jsontext.KindNull:
		return nil
	case start.Kind() != jsontext.KindBeginArray:
		return fmt.Errorf("items are no array but %s", start.Kind())
	}
	for from.PeekKind() != jsontext.KindEndArray {
		user := &v1alpha1.LambdaTestUser{}
		fields := fieldsOf(user)
		if err := json.UnmarshalDecode(from, &fields); err != nil {
			return err
		}
		kept, err := i.transform(user)
		if err != nil {
			return err
		}
		if object, ok := kept.(runtime.Object); ok {
			i.users = append(i.users, object)
		}
	}
	_, err = from.ReadToken()
	return err
}
