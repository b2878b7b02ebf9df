// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package process

import "syscall"

// attributes gives a child its own process group, so that Ctrl-C in a terminal reaches only the parent, and the
// parent decides in which order children stop. It also makes the kernel kill the child when the parent ends.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
