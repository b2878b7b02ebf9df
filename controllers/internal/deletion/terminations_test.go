// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package deletion

import (
	"testing"
)

func TestOneReadAnswersAllWhoAskedBeforeItBegan(t *testing.T) {
	reads := 0
	read := func() (bool, error) {
		reads++
		return false, nil
	}
	known := &termination{}
	asked := known.reads.Load()
	for range 10 {
		if terminating, err := known.since(asked, read); terminating || err != nil {
			t.Fatal(terminating, err)
		}
	}
	if reads != 1 {
		t.Errorf("the API server was asked %d times", reads)
	}
}

func TestNoAnswerIsOlderThanTheQuestion(t *testing.T) {
	known := &termination{}
	begun, end, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = known.since(known.reads.Load(), func() (bool, error) {
			close(begun)
			<-end
			return false, nil
		})
	}()
	<-begun
	asked := known.reads.Load()
	close(end)
	<-ended
	terminating, err := known.since(asked, func() (bool, error) { return true, nil })
	if !terminating || err != nil {
		t.Errorf("whoever asks during a read got its answer: %v, %v", terminating, err)
	}
}
