// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of CPU time in /proc, which is the same on every Linux that Go runs on.
const clockTick = time.Second / 100

// cpuTime is what a process has used of all processors so far. It reads /proc.
func cpuTime(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("reading the CPU time of process %d: %w", pid, err)
	}
	// The name of the program, in brackets, may hold spaces. utime and stime are the 12th and 13th field after it.
	_, fields, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')'):]), " ")
	var ticks int64
	for _, field := range strings.Fields(fields)[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading the CPU time of process %d: %w", pid, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

// Names of processes.
const apiServer, etcd = "kube-apiserver", "etcd"

// used is what processes have used of all processors, and what was written in the API server, so far.
type used struct {
	cpu    map[string]time.Duration
	writes map[string]int
}

func (r *run) used(ctx context.Context) (used, error) {
	if _, err := r.environment(ctx); err != nil {
		return used{}, err
	}
	u := used{}
	var err error
	if u.cpu, err = r.cpuTimes(); err != nil {
		return used{}, err
	}
	u.writes, err = r.apiWrites(ctx)
	return u, err
}

// cpuTimes are those of all processes.
func (r *run) cpuTimes() (map[string]time.Duration, error) {
	processes := map[string]int{
		apiServer: r.env.Plane.APIServer.PID(), etcd: r.env.Plane.Etcd.PID(),
		"kube-controller-manager": r.env.Plane.ControllerManager.PID(), "bench and LambdaTest": os.Getpid(),
	}
	for _, replica := range r.env.Replicas {
		processes[replica.Name()] = replica.PID()
	}
	times := map[string]time.Duration{}
	for name, pid := range processes {
		var err error
		if times[name], err = cpuTime(pid); err != nil {
			return nil, err
		}
	}
	return times, nil
}

const (
	// atRest is how much of a second all processes together use when none of them has anything to do, and restTime for how long.
	atRest, restTime = 200 * time.Millisecond, 5
	// restTimeout is when to go on all the same.
	restTimeout = 5 * time.Minute
)

// rest waits until the machine is idle. After many people were created, the API server and the controllers of Kubernetes work for minutes
// after the operator has finished.
func (r *run) rest(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, restTimeout)
	defer cancel()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	var before time.Duration
	for quiet := 0; quiet < restTime; {
		times, err := r.cpuTimes()
		if err != nil {
			return err
		}
		var now time.Duration
		for _, used := range times {
			now += used
		}
		if quiet++; now-before > atRest {
			quiet = 0
		}
		before = now
		select {
		case <-ctx.Done():
			r.progress("the machine did not come to rest within %s: what follows is measured while it is at work", restTimeout)
			return nil
		case <-ticker.C:
		}
	}
	return nil
}

// sinceFor is what was added for each of so many people.
func (u used) sinceFor(before used, count int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(u.cpu)) {
		parts = append(parts, fmt.Sprintf("%s %s ms of CPU time", name, number(u.cpuFor(before, count, name))))
	}
	added := since(before.writes, u.writes)
	for _, name := range slices.Sorted(maps.Keys(added)) {
		if each := float64(added[name]) / float64(count); each >= 0.01 {
			parts = append(parts, fmt.Sprintf("%s %s", number(each), strings.TrimSuffix(name, "/")))
		}
	}
	return strings.Join(parts, ", ")
}

// cpuFor is the CPU time, in milliseconds, that some processes have used since for each of so many people.
func (u used) cpuFor(before used, count int, processes ...string) float64 {
	var sum time.Duration
	for _, name := range processes {
		sum += u.cpu[name] - before.cpu[name]
	}
	return milliseconds(sum) / float64(count)
}

// resident is what a process has in memory, and the most it had, in megabytes of 1 000 000 bytes.
type resident struct{ now, peak float64 }

// memory reads /proc.
func memory(pid int) (resident, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return resident{}, fmt.Errorf("reading the memory of process %d: %w", pid, err)
	}
	values := map[string]float64{}
	for _, line := range strings.Split(string(status), "\n") {
		name, value, _ := strings.Cut(line, ":")
		kibibytes, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
		if err == nil {
			values[name] = kibibytes * 1024 / 1e6
		}
	}
	return resident{now: values["VmRSS"], peak: values["VmHWM"]}, nil
}
