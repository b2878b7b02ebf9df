// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"hash/fnv"
	"io"
	"regexp"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// ETag is the version of a resource: it changes with every change of spec, by any party, and not with status, labels or finalizers. It is what a
// write compares. It is weak, because two answers of one version may differ in bytes.
func ETag(o metav1.Object) string {
	return `W/"` + string(o.GetUID()) + "." + strconv.FormatInt(o.GetGeneration(), 10) + `"`
}

// versionWith is the version of a resource and of elements that are shown with it and depend on other resources.
func versionWith(o metav1.Object, lists ...any) string {
	digest, etag := fnv.New64a(), ETag(o)
	for _, list := range lists {
		elements, _ := list.(scim.Elements)
		for _, element := range elements {
			value, _ := element.Value("value").(string)
			display, _ := element.Value("display").(string)
			_, _ = io.WriteString(digest, value+"\x00"+display+"\x00") // never fails
		}
	}
	return etag[:len(etag)-1] + "." + strconv.FormatUint(digest.Sum64(), 36) + `"`
}

var digestInVersion = regexp.MustCompile(`(\.\d+)\.[0-9a-z]+"`)

// ResourceETags reduces versions of what was shown to those of the resources: a write does not depend on other resources.
func ResourceETags(headers []string) []string {
	var etags []string
	for _, header := range headers {
		etags = append(etags, digestInVersion.ReplaceAllString(header, `$1"`))
	}
	return etags
}
