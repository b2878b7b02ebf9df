// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/test/controlplane"
	"github.com/lambdatest-operator/lambdatest-operator/test/process"
)

const (
	// pageSize is what Okta steps by.
	pageSize = 100
	// manyPeople are those of the largest organization.
	manyPeople = 100_000
)

// total is how many users a list says that there are.
func (p *provider) total(ctx context.Context) (int, error) {
	list, err := p.list(ctx, 1, 0)
	return list.TotalResults, err
}

// list is an answer as far as it is looked at here.
type list struct {
	TotalResults int      `json:"totalResults"`
	Resources    []object `json:"Resources"`
}

func (p *provider) list(ctx context.Context, start, count int) (list, error) {
	var answered list
	page, err := p.page(ctx, start, count)
	if err != nil {
		return answered, err
	}
	return answered, json.Unmarshal(page, &answered)
}

// scimList compares with a server that has nothing to do but to show what is in memory.
func scimList(ctx context.Context, r *run) error {
	d, err := r.suspendedDesk(ctx, scimPeople)
	if err != nil {
		return err
	}
	r.progress("building and starting a server with github.com/elimity-com/scim")
	other, stop, err := d.elimity(ctx)
	if err != nil {
		return err
	}
	defer stop()
	pages := func(p *provider) call {
		return func(ctx context.Context) error {
			_, err := p.page(ctx, 1+pageSize*rand.IntN(scimPeople/pageSize), pageSize)
			return err
		}
	}
	pairs, err := d.alternate(ctx, clients, reading, pages(other), pages(d.provider))
	if err != nil {
		return err
	}
	return r.record("scim-list", each(pairs, rateRatio), rates(pairs))
}

// elimity serves what the replica lists now.
func (d *desk) elimity(ctx context.Context) (*provider, func(), error) {
	binary, users := filepath.Join(d.env.Dir(), "elimity"), filepath.Join(d.env.Dir(), "users.json")
	if err := buildElimity(ctx, binary); err != nil {
		return nil, nil, err
	}
	if err := d.export(ctx, users); err != nil {
		return nil, nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, nil, err
	}
	other := newProvider("http://"+address, "")
	server := process.New(process.Command{
		Name: "elimity", Path: binary, Args: []string{"-listen", address, "-users", users},
		LogPath: filepath.Join(d.env.Dir(), "elimity.log"),
		Ready: func(ctx context.Context) error {
			total, err := other.total(ctx)
			if err == nil && total != scimPeople {
				return fmt.Errorf("it has %d users", total)
			}
			return err
		},
	})
	return other, server.Stop, server.Start(ctx)
}

func buildElimity(ctx context.Context, binary string) error {
	root, err := controlplane.ModuleRoot()
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, "go", "build", "-o", binary, ".")
	command.Dir = filepath.Join(root, "test/bench/elimity")
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("building the server to compare with: %w\n%s", err, output)
	}
	return nil
}

// export writes the first users of the list into a file, as the endpoint shows them.
func (d *desk) export(ctx context.Context, file string) error {
	const most = 1000
	var users []object
	for len(users) < scimPeople {
		page, err := d.provider.list(ctx, len(users)+1, min(most, scimPeople-len(users)))
		if err != nil {
			return err
		}
		users = append(users, page.Resources...)
	}
	content, err := json.Marshal(users)
	if err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o600)
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("finding a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// standingDesk is the organization of which everybody is in sync, 100 000 in a full pass.
func (r *run) standingDesk(ctx context.Context) (*desk, error) {
	who, err := r.standing(ctx, r.people(manyPeople))
	return r.desk(ctx, who, err)
}

func scimListDepth(ctx context.Context, r *run) error {
	d, err := r.standingDesk(ctx)
	if err != nil {
		return err
	}
	at := func(start int) call {
		return func(ctx context.Context) error {
			_, err := d.provider.page(ctx, start, pageSize)
			return err
		}
	}
	pairs, err := d.alternate(ctx, 1, reading, at(1), at(d.count-pageSize+1))
	if err != nil {
		return err
	}
	last, first := func(p pair) float64 { return milliseconds(p.subject.at(0.5)) }, func(p pair) float64 { return milliseconds(p.baseline.at(0.5)) }
	return r.record("scim-list-depth", each(pairs, func(p pair) float64 { return last(p) / first(p) }),
		fmt.Sprintf("%d people: last page %s ms, first page %s ms", d.count, middle(pairs, last), middle(pairs, first)))
}

func scimFilterScan(ctx context.Context, r *run) error {
	d, err := r.standingDesk(ctx)
	if err != nil {
		return err
	}
	path := "/Users?startIndex=1&count=100&filter=" + url.QueryEscape(`name.familyName co "x"`)
	scan := func(ctx context.Context) error {
		_, err := d.provider.send(ctx, http.MethodGet, path, nil, http.StatusOK)
		return err
	}
	values := make([]float64, r.rounds(fullRounds))
	for i := range values {
		round, err := load(ctx, 1, time.Second, scan)
		if err != nil {
			return err
		}
		values[i] = milliseconds(round.at(0.5))
	}
	return r.record("scim-filter-scan", values, fmt.Sprintf("%d people", d.count))
}
