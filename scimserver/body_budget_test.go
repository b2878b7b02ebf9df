// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/token"
)

// line is a connection over which a body arrives, with so many bytes a second. It is the body and the ResponseWriter of a request.
type line struct {
	httptest.ResponseRecorder
	body     io.Reader
	rate     float64
	deadline time.Time
}

// SetReadDeadline is for http.ResponseController.
func (l *line) SetReadDeadline(deadline time.Time) error {
	l.deadline = deadline
	return nil
}

func (l *line) Read(into []byte) (int, error) {
	n, err := l.body.Read(into)
	takes := time.Duration(float64(n) / l.rate * float64(time.Second))
	if until := time.Until(l.deadline); until < takes {
		time.Sleep(until)
		return 0, os.ErrDeadlineExceeded
	}
	time.Sleep(takes)
	return n, err
}

func (l *line) Close() error { return nil }

// bodyOf is a request of an organization with a body of that size. length is what the client says of it, -1 when it says nothing.
func bodyOf(t *testing.T, budget *shares, organization string, size, length int64, l *line) *request {
	l.body = io.LimitReader(endless{}, size)
	asked := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/scim/v2/Groups", l)
	asked.ContentLength = length
	return &request{
		Request: asked, control: http.NewResponseController(l), bodies: budget, reading: newShares(math.MaxInt64, 1),
		grant: &token.Grant{Organization: &v1alpha1.LambdaTestOrganization{ObjectMeta: metav1.ObjectMeta{Name: organization}}},
	}
}

type endless struct{}

func (endless) Read(into []byte) (int, error) {
	for i := range into {
		into[i] = 'x'
	}
	return len(into), nil
}

func newBodies() *shares { return newShares(maxBodiesBytes, maxBodiesBytes/2) }

func fast() *line { return &line{rate: 1e15} }

const megabyte = 1 << 20

func TestMemoryIsReservedForWhatHasArrived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget := newBodies()
		for range 2 {
			slow := bodyOf(t, budget, "a", 16*megabyte, 16*megabyte, &line{rate: 0.5})
			go func() {
				defer slow.releaseBody()
				_, err := slow.readBody(16 * megabyte)
				if p := problemOf(err); p.Status != http.StatusRequestTimeout {
					t.Errorf("a byte every two seconds: %v", err)
				}
			}()
		}
		time.Sleep(5 * time.Second)
		started := time.Now()
		for size, length := range map[int64]int64{70 << 10: 70 << 10, 90: -1, 8 * megabyte: -1} {
			other := bodyOf(t, budget, "b", size, length, fast())
			if body, err := other.readBody(16 * megabyte); err != nil || int64(len(body)) != size {
				t.Errorf("%d bytes of another organization: %d, %v", size, len(body), err)
			}
			other.releaseBody()
		}
		if waited := time.Since(started); waited > 0 {
			t.Errorf("another organization waited for %s", waited)
		}
		time.Sleep(bodyStepTime)
		synctest.Wait()
		if budget.taken != 0 || len(budget.by) != 0 {
			t.Errorf("%d bytes are reserved for nobody", budget.taken)
		}
	})
}

func TestABodyMustArriveAtARate(t *testing.T) {
	for name, test := range map[string]struct {
		line   *line
		status int
	}{
		"64 KiB in 9 s":                     {&line{rate: bodyStep / 9}, 0},
		"64 KiB in 9 s, for more than 60 s": {&line{rate: bodyStep / 9}, http.StatusRequestTimeout},
		"64 KiB in 11 s":                    {&line{rate: bodyStep / 11}, http.StatusRequestTimeout},
		"a byte a second":                   {&line{rate: 1}, http.StatusRequestTimeout},
		"hardly anything":                   {&line{rate: 0.001}, http.StatusRequestTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				size := int64(5 * bodyStep)
				if name == "64 KiB in 9 s, for more than 60 s" {
					size = 7 * bodyStep
				}
				asked := bodyOf(t, newBodies(), "a", size, -1, test.line)
				body, err := asked.readBody(megabyte)
				switch {
				case test.status == 0 && (err != nil || int64(len(body)) != size || !test.line.deadline.IsZero()):
					t.Errorf("%d bytes, %v, and the deadline is %s", len(body), err, test.line.deadline)
				case test.status != 0 && problemOf(err).Status != test.status:
					t.Errorf("got %v, want %d", err, test.status)
				}
			})
		})
	}
}

func TestABodyHasALimit(t *testing.T) {
	for _, length := range []int64{-1, 2*megabyte + 1} {
		if _, err := bodyOf(t, newBodies(), "a", 2*megabyte+1, length, fast()).readBody(2 * megabyte); problemOf(err).Status != http.StatusRequestEntityTooLarge {
			t.Errorf("length %d: %v", length, err)
		}
	}
	body, err := bodyOf(t, newBodies(), "a", 2*megabyte, 2*megabyte, fast()).readBody(2 * megabyte)
	if err != nil || !bytes.Equal(body, bytes.Repeat([]byte("x"), 2*megabyte)) {
		t.Errorf("%d bytes, %v", len(body), err)
	}
}

// When some organizations hold as much as they can, another one gets its share.
func TestMemoryOfBodiesIsShared(t *testing.T) {
	budget := newBodies()
	fill := func(organization string) (held int64) {
		for {
			taken, _ := budget.take(types.NamespacedName{Name: organization}, bodyStep)
			if !taken {
				return held
			}
			held += bodyStep
		}
	}
	if alone := fill("first"); alone != maxBodiesBytes/2 {
		t.Errorf("an organization alone holds %d bytes, want half", alone)
	}
	for i := range 7 {
		if held := fill(fmt.Sprint(i)); held < bodyStep {
			t.Errorf("organization %d gets nothing", i)
		}
	}
	if budget.taken > maxBodiesBytes {
		t.Errorf("%d bytes are taken of %d", budget.taken, maxBodiesBytes)
	}
}

func TestLargeBodiesOfOneOrganizationDoNotWaitForEachOthersRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget, reading := newBodies(), newShares(math.MaxInt64, 1)
		var all sync.WaitGroup
		for range 6 {
			asked := bodyOf(t, budget, "a", 15*megabyte, -1, &line{rate: 10 * megabyte})
			asked.reading = reading
			all.Go(func() {
				defer asked.releaseBody()
				if _, err := asked.readBody(16 * megabyte); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}

func TestABodyWaitsForItsShareAndNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget, organization := newBodies(), types.NamespacedName{Name: "a"}
		budget.take(organization, maxBodiesBytes/2)
		small := bodyOf(t, budget, "a", bodyStep-1, -1, fast())
		if _, err := small.readBody(megabyte); err != nil || small.held != 0 {
			t.Errorf("a small body of the same organization: %v, %d bytes", err, small.held)
		}
		started := time.Now()
		if _, err := bodyOf(t, budget, "a", megabyte, -1, fast()).readBody(megabyte); problemOf(err).Status != http.StatusServiceUnavailable || time.Since(started) != bodyWait {
			t.Errorf("%v after %s", err, time.Since(started))
		}
		time.AfterFunc(bodyWait/2, func() { budget.give(organization, megabyte) })
		waiting := bodyOf(t, budget, "a", megabyte, -1, fast())
		if _, err := waiting.readBody(megabyte); err != nil {
			t.Error(err)
		}
		waiting.releaseBody()
	})
}
