// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

// drainTimeout bounds how long the program waits for calls in flight when it ends.
const drainTimeout = 2 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "simulator:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags, err := parse(args, out)
	if err != nil {
		return fmt.Errorf("reading flags: %w", err)
	}
	sim := flags.server()
	if err := sim.Listen(flags.listen); err != nil {
		return err
	}
	fmt.Fprintln(out, sim.URL())
	<-ctx.Done()
	// A context that has ended cannot bound the shutdown.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if sim.Shutdown(ctx) != nil {
		sim.Close()
	}
	return nil
}

// options are the flags.
type options struct {
	listen            string
	token             string
	orgs              []org
	accounts          int
	seed              uint64
	concurrencyGroups []string
	switches          simulator.Switches
	readings          simulator.Settings

	defaultConcurrencyGroup string
}

type org struct{ name, token string }

func parse(args []string, out io.Writer) (options, error) {
	o := options{readings: simulator.Settings{}}
	flags := flag.NewFlagSet("simulator", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&o.listen, "listen", "127.0.0.1:0", "`address` to listen on; port 0 means a free port")
	flags.StringVar(&o.token, "token", "", "`token` of the first organization, whose name is default")
	flags.Func("org", "a further organization, as `name=token`; may be repeated", o.addOrg)
	flags.IntVar(&o.accounts, "accounts", 0, "number of accounts in the first organization at the start")
	flags.Uint64Var(&o.seed, "seed", 1, "seed of everything random")
	flags.Func("concurrency-group", "`name` of a concurrency group that exists; may be repeated", func(name string) error {
		o.concurrencyGroups = append(o.concurrencyGroups, name)
		return nil
	})
	flags.StringVar(&o.defaultConcurrencyGroup, "default-concurrency-group", "", "`name` of the concurrency group to which members of a mapped one fall back")
	flags.TextVar(&o.switches.ReassertAfter, "reassert-after", simulator.Duration(0), "time after which a mapping sets its concurrency group back; 0 means 30s")
	flags.Func("reading", "how to understand what the documents leave open, as `name=setting`; may be repeated, see below", o.setReading)
	flags.TextVar(&o.switches.Latency, "latency", simulator.Duration(0), "duration of every call, such as 50ms")
	flags.IntVar(&o.switches.PageSize, "page-size", 0, "page size when a call does not name one; 0 means 20")
	flags.IntVar(&o.switches.MaxPageSize, "max-page-size", 0, "largest page size; 0 means 100")
	flags.IntVar(&o.switches.RateLimit, "rate-limit", 0, "calls per second; further calls get 429; 0 means no limit")
	flags.BoolVar(&o.switches.GroupsOff, "groups-off", false, "switch group provisioning off")
	flags.Usage = func() {
		fmt.Fprintln(out, "Usage of simulator:")
		flags.PrintDefaults()
		printReadings(out)
	}
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o, nil
}

// setReading is checked at once, so that the message names the flag.
func (o *options) setReading(value string) error {
	name, setting, found := strings.Cut(value, "=")
	if !found {
		return errors.New("a reading is name=setting")
	}
	o.readings[name] = setting
	return o.readings.Check()
}

// printReadings prints a line for each reading; the first setting is the default.
func printReadings(out io.Writer) {
	fmt.Fprintln(out, "\nReadings, the default setting first:")
	for _, reading := range simulator.Readings() {
		var settings []string
		for _, setting := range reading.Settings {
			settings = append(settings, setting.Name)
		}
		fmt.Fprintf(out, "  %s=%s: %s (%s)\n", reading.Name, strings.Join(settings, "|"), reading.Decides, reading.Source)
	}
}

func (o *options) addOrg(value string) error {
	name, token, found := strings.Cut(value, "=")
	if !found || name == "" || token == "" {
		return errors.New("an organization must be name=token")
	}
	o.orgs = append(o.orgs, org{name, token})
	return nil
}

// server creates the organizations. Without --token, the first --org is the first
// organization. Without both, there is one organization with
// simulator.DefaultToken.
func (o *options) server() *simulator.Server {
	orgs := o.orgs
	if o.token != "" {
		orgs = append([]org{{"default", o.token}}, orgs...)
	}
	if len(orgs) == 0 {
		orgs = []org{{"default", simulator.DefaultToken}}
	}
	shape := []simulator.Option{
		simulator.With(o.switches),
		simulator.Reads(o.readings),
		simulator.ConcurrencyGroups(o.concurrencyGroups...),
		simulator.Seed(o.seed),
	}
	if o.defaultConcurrencyGroup != "" {
		shape = append(shape, simulator.DefaultConcurrencyGroup(o.defaultConcurrencyGroup))
	}
	first := slices.Concat(shape, []simulator.Option{simulator.Name(orgs[0].name), simulator.Token(orgs[0].token), simulator.Population(o.accounts)})
	sim := simulator.New(first...)
	for _, further := range orgs[1:] {
		sim.AddOrg(further.name, further.token, shape...)
	}
	return sim
}
