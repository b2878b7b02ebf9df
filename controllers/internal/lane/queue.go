// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lane

import (
	"container/heap"
	"container/list"
)

// History is how the last calls for a person or group went.
type History uint8

const (
	// NoFailure means: the last call did not fail, or its failure is forgiven.
	NoFailure History = iota
	// LastFailed means: the last call failed, perhaps because LambdaTest answered no call at all.
	LastFailed
	// KeepsFailing means: calls fail again and again while LambdaTest answers others.
	KeepsFailing
)

// ticket waits for one call.
type ticket struct {
	// user is a person, a group's place, or the name of a caller of Lane.Wait.
	user string
	// priority is how urgent the call is now; asked is what was asked for.
	priority, asked int
	past            History
	// ready is closed at the grant, for a caller of Lane.Wait; nil for people, who are reconciled instead.
	ready chan struct{}

	seq   uint64
	place int           // in the heap
	aged  *list.Element // in the order of arrival
}

// isBudgeted tells whether the call takes part of what is left to failing people. Denials do not, until they keep failing and so come
// with a lower priority.
func (t *ticket) isBudgeted() bool { return t.past != NoFailure && t.priority < Denial }

// denials is 1 for a ticket with the priority of a denial.
func (t *ticket) denials() int {
	if t.priority < Denial {
		return 0
	}
	return 1
}

// queue orders tickets: by priority, then by arrival; every fourth one that is no denial goes to the longest waiting.
type queue struct {
	byUser  map[string]*ticket
	heap    ticketHeap
	arrived *list.List
	seq     uint64
	turn    int
	// denials counts those who wait with the priority of a denial.
	denials int
}

func newQueue() *queue {
	return &queue{byUser: map[string]*ticket{}, arrived: list.New()}
}

// put adds a ticket, or changes the one that its user has, which keeps its place in time.
func (q *queue) put(t ticket) {
	q.denials += t.denials()
	if waiting, ok := q.byUser[t.user]; ok {
		q.denials -= waiting.denials()
		waiting.priority, waiting.asked, waiting.past = t.priority, t.asked, t.past
		heap.Fix(&q.heap, waiting.place)
		return
	}
	q.seq++
	t.seq, t.aged = q.seq, q.arrived.PushBack(&t)
	q.byUser[t.user] = &t
	heap.Push(&q.heap, &t)
}

// remove takes a ticket out, if it is there.
func (q *queue) remove(user string) {
	t, ok := q.byUser[user]
	if !ok {
		return
	}
	heap.Remove(&q.heap, t.place)
	q.denials -= t.denials()
	q.arrived.Remove(t.aged)
	delete(q.byUser, user)
}

// next returns whose turn it is, without taking the ticket; nil when the queue is empty.
func (q *queue) next() *ticket {
	if len(q.heap) == 0 {
		return nil
	}
	best := q.heap[0]
	if best.priority < Denial && q.turn%agingShare == agingShare-1 {
		return q.arrived.Front().Value.(*ticket)
	}
	return best
}

// take removes the ticket that next returned.
func (q *queue) take(t *ticket) {
	if t.priority < Denial {
		q.turn++
	}
	q.remove(t.user)
}

// people lists everybody who waits to be reconciled, in no order.
func (q *queue) people() []string {
	users := make([]string, 0, len(q.byUser))
	for user, t := range q.byUser {
		if t.ready == nil {
			users = append(users, user)
		}
	}
	return users
}

// inOrder lists the tickets by age.
func (q *queue) inOrder() []ticket {
	tickets := make([]ticket, 0, len(q.byUser))
	for at := q.arrived.Front(); at != nil; at = at.Next() {
		tickets = append(tickets, *at.Value.(*ticket))
	}
	return tickets
}

// ticketHeap has the most urgent ticket first, of equals the oldest. It implements heap.Interface.
type ticketHeap []*ticket

func (h ticketHeap) Len() int { return len(h) }

func (h ticketHeap) Less(i, j int) bool {
	if h[i].priority != h[j].priority {
		return h[i].priority > h[j].priority
	}
	return h[i].seq < h[j].seq
}

func (h ticketHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

func (h *ticketHeap) Push(x any) {
	t := x.(*ticket)
	t.place = len(*h)
	*h = append(*h, t)
}

func (h *ticketHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
