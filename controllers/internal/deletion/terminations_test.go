// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package deletion

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestOneReadAnswersAllWhoAskedBeforeItBegan(t *testing.T) {
	reads := 0
	read := func() (bool, error) {
		reads++
		return false, nil
	}
	known := newTermination()
	asked := known.reads.Load()
	for range 10 {
		if terminating, err := known.since(t.Context(), asked, read); terminating || err != nil {
			t.Fatal(terminating, err)
		}
	}
	if reads != 1 {
		t.Errorf("the API server was asked %d times", reads)
	}
}

func TestNoAnswerIsOlderThanTheQuestion(t *testing.T) {
	known := newTermination()
	begun, end, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = known.since(t.Context(), known.reads.Load(), func() (bool, error) {
			close(begun)
			<-end
			return false, nil
		})
	}()
	<-begun
	asked := known.reads.Load()
	close(end)
	<-ended
	terminating, err := known.since(t.Context(), asked, func() (bool, error) { return true, nil })
	if !terminating || err != nil {
		t.Errorf("whoever asks during a read got its answer: %v, %v", terminating, err)
	}
}

// A worker that waits for the read of another one ends with its own context. In a bubble, one that waits for a mutex would stop the clock.
func TestAQuestionEndsWithItsContextWhileAnotherIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		known := newTermination()
		answer := make(chan struct{})
		go func() {
			_, _ = known.since(t.Context(), known.reads.Load(), func() (bool, error) {
				<-answer
				return false, nil
			})
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := known.since(ctx, known.reads.Load(), func() (bool, error) { return true, nil })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		close(answer)
	})
}
