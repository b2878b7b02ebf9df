// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// ErrDifferences is the error of a command with --exit-code that found differences. The command has printed them already.
var ErrDifferences = errors.New("there are differences")

// ErrDeniedButActive is the error of a command that found a person who is denied and can still sign in. The command has printed it already.
var ErrDeniedButActive = fmt.Errorf("%w: a person is denied and can still sign in", ErrDifferences)

// ErrIncomplete is the error of a command whose answer does not cover all that was asked for. The command has printed what is missing.
var ErrIncomplete = fmt.Errorf("%w: the answer is not complete", ErrDifferences)

// errNothingDone is the error of a command whose question was not answered with yes.
var errNothingDone = errors.New("nothing was changed")

// ExitCode maps the error of a command to the process's exit code: 0 for none, 3 for ErrDeniedButActive, 4 for ErrIncomplete, 2 for other
// ErrDifferences, 1 for the rest.
func ExitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrDeniedButActive):
		return 3
	case errors.Is(err, ErrIncomplete):
		return 4
	case errors.Is(err, ErrDifferences):
		return 2
	default:
		return 1
	}
}

// Commands returns the subcommands of kubectl lambdatest.
func Commands() []*cobra.Command {
	return []*cobra.Command{
		statusCommand(), whoCommand(), whyCommand(), reviewCommand(), leaversCommand(),
		denyCommand(), undenyCommand(), approveCommand(), rejectCommand(),
		planCommand(), exportCommand(), doctorCommand(), tokenCommand(), uninstallCommand(),
	}
}

// cluster is the cluster and the namespace that a command works on.
type cluster struct {
	kubeconfig, context, namespace string
	// host is the address of the API server, once connected.
	host string
}

// bind adds the flags that every command has, and the check that no flag or argument is empty.
func (c *cluster) bind(command *cobra.Command) {
	command.PreRunE = refuseEmpty
	flags := command.Flags()
	flags.StringVar(&c.kubeconfig, "kubeconfig", "", "path of the kubeconfig `file`; default: the file that kubectl uses")
	flags.StringVar(&c.context, "context", "", "`context` in the kubeconfig; default: its current context")
	flags.StringVarP(&c.namespace, "namespace", "n", "", "`namespace` to work in; default: the namespace of the context")
}

// refuseEmpty refuses empty values, which a script passes when a variable is not set: for most flags, empty would mean the default.
func refuseEmpty(command *cobra.Command, args []string) error {
	for _, argument := range args {
		if strings.TrimSpace(argument) == "" {
			return errors.New("an argument is empty")
		}
	}
	var err error
	command.Flags().Visit(func(flag *pflag.Flag) {
		if isEmpty(flag.Value) {
			err = fmt.Errorf("--%s is empty: give it a value, or leave it out", flag.Name)
		}
	})
	return err
}

func isEmpty(value pflag.Value) bool {
	list, isList := value.(pflag.SliceValue)
	if !isList {
		return strings.TrimSpace(value.String()) == ""
	}
	blank := func(each string) bool { return strings.TrimSpace(each) == "" }
	return len(list.GetSlice()) == 0 || slices.ContainsFunc(list.GetSlice(), blank)
}

// connect returns a client, and sets the namespace if it was not given.
func (c *cluster) connect() (client.Client, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = c.kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: c.context}
	loading := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	config, err := loading.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the cluster: %w", err)
	}
	if c.namespace == "" {
		if c.namespace, _, err = loading.Namespace(); err != nil {
			return nil, fmt.Errorf("finding the namespace: %w", err)
		}
	}
	config.QPS, c.host = -1, config.Host
	return client.New(config, client.Options{Scheme: scheme()})
}

func scheme() *runtime.Scheme {
	known := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme, addExtensions} {
		if err := add(known); err != nil {
			panic(fmt.Errorf("adding types to a scheme: %w", err)) // a type is registered twice: a bug in this program
		}
	}
	return known
}
