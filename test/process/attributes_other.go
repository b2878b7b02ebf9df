// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package process

import "syscall"

// attributes gives a child a process group of its own, so that Ctrl-C in a terminal reaches the parent alone
// and the parent decides the order of stopping. Only Linux can also tie its life to the parent's.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
