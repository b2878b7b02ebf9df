# `make` prints what there is. Needs Go, make and git (and bash); everything else is built from Go modules into bin/.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# The folder with etcd, kube-apiserver, kube-controller-manager and kubectl: those built here, unless KUBEBUILDER_ASSETS
# names others.
assets = $(or $(abspath $(KUBEBUILDER_ASSETS)),$(shell hack/controlplane/build.sh --dir))

# Where `make run` keeps its data; several may run side by side with a folder each.
DEV_DIR ?= .dev
# How many replicas of the operator `make run` and `make demo` start.
REPLICAS ?= 2
# How long `make fuzz` stays with each target.
FUZZTIME ?= 30s
# What `make test` passes on to go test, as in: make test TESTFLAGS='-run TestMerge -v' TESTS=./controllers/...
TESTFLAGS ?=
TESTS ?= ./...

# Which scenarios `make e2e` plays, by ginkgo's labels; all of them when empty.
E2E_LABELS ?=

# How long `make chaos` breaks things, and by which schedule; without a seed it picks and prints one.
DURATION ?= 2m
SEED ?=

# Go's race detector needs a C compiler: without one the tests run without it.
RACE ?= $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

dev_env = KUBEBUILDER_ASSETS="$(assets)" DEV_DIR="$(DEV_DIR)" REPLICAS="$(REPLICAS)" PATH="$(CURDIR)/bin:$(assets):$$PATH"

##@ Try it

.PHONY: run
run: controlplane bin/dev ## Run everything in the foreground: API server, a simulated LambdaTest, the operator. Ctrl-C stops it all.
	@$(dev_env) exec bin/dev run

.PHONY: demo
demo: controlplane bin/dev ## Play a story from Okta's first request to the last kubectl get, and compare the ends.
	@$(dev_env) exec bin/dev demo

.PHONY: conformance
conformance: bin/dev ## Run Okta's SCIM test suite against what `make run` runs.
	@$(dev_env) exec bin/dev conformance

# A program of its own instead of "go run", which would not pass SIGTERM on; and the operator as a kubectl plugin.
.PHONY: bin/dev
bin/dev:
	@go build -o bin/dev ./hack/dev
	@CGO_ENABLED=0 go build -o bin/kubectl-lambdatest .

##@ Develop

.PHONY: generate
generate: bin/controller-gen ## Write what is derived from the API types: deep copies, apply configurations, CRDs, the role, parts of the chart.
	hack/generate.sh

.PHONY: build
build: ## Build the operator into bin/manager, one static binary.
	hack/build.sh bin/manager

.PHONY: plugin
plugin: ## Build kubectl's plugin, the command line for people, into bin/kubectl-lambdatest.
	hack/build.sh bin/kubectl-lambdatest

.PHONY: controlplane
controlplane: ## Build the Kubernetes control plane that tests and `make run` use, once (minutes; then instant).
	@$(if $(KUBEBUILDER_ASSETS),echo "using KUBEBUILDER_ASSETS=$(assets)",hack/controlplane/build.sh)

.PHONY: clean
clean: ## Remove everything that was built or written while running.
	rm -rf bin out .dev*

##@ Check

.PHONY: test
test: controlplane ## Run every test, against a real API server. TESTS and TESTFLAGS narrow it down.
	KUBEBUILDER_ASSETS="$(assets)" go test $(RACE) -timeout 20m $(TESTFLAGS) $(TESTS)

.PHONY: gitops
gitops: controlplane ## Play Flux and Argo CD against the operator, and write out/gitops.json.
	@hack/flux/build.sh
	@mkdir -p out
	KUBEBUILDER_ASSETS="$(assets)" FLUX_ASSETS="$(shell hack/flux/build.sh --dir)" \
		go test ./test/gitops -count=1 -timeout 30m -v $(TESTFLAGS) -args -ginkgo.json-report="$(CURDIR)/out/gitops.json"

.PHONY: e2e
e2e: controlplane ## Play the end-to-end scenarios, the slow ones too, and write out/e2e.json. E2E_LABELS='order && !slow' filters.
	@mkdir -p out
	KUBEBUILDER_ASSETS="$(assets)" E2E=1 go test ./test/e2e -v -count=1 -timeout 40m \
		-args -ginkgo.label-filter="$(E2E_LABELS)" -ginkgo.json-report="$(CURDIR)/out/e2e.json"

.PHONY: bench
bench: controlplane ## Measure the operator against its goals, and write out/bench.json. BENCH=name for one, QUICK=1 for a short pass, PROFILE=1 to see why.
	@go build -o bin/bench ./test/bench
	@KUBEBUILDER_ASSETS="$(assets)" BENCH="$(BENCH)" QUICK="$(QUICK)" PROFILE="$(PROFILE)" exec bin/bench

.PHONY: chaos
chaos: controlplane ## Break everything at random for DURATION, then check every promise; writes out/chaos.json. SEED replays a schedule.
	@go build -o bin/chaos ./test/chaos
	KUBEBUILDER_ASSETS="$(assets)" bin/chaos -duration="$(DURATION)" $(if $(SEED),-seed="$(SEED)")

.PHONY: fuzz
fuzz: ## Fuzz each Fuzz function for FUZZTIME, one after the other.
	hack/fuzz.sh "$(FUZZTIME)"

.PHONY: lint
lint: bin/golangci-lint ## Run the linters of .golangci.yml.
	bin/golangci-lint run --allow-parallel-runners

.PHONY: verify
verify: bin/controller-gen bin/golangci-lint ## Fail when generated files are stale, or on formatting, vet, go.mod or lint.
	hack/verify.sh

.PHONY: package
package: controlplane bin/helm bin/actionlint ## Lint and render chart, overlays and workflows, build the image, and install the product in each way.
	KUBEBUILDER_ASSETS="$(assets)" hack/package.sh

.PHONY: security
security: controlplane bin/golangci-lint bin/helm ## Run what docs/security.md names: linters, licences, attacks on the running product; print what was proved.
	@KUBEBUILDER_ASSETS="$(assets)" hack/security.sh

.PHONY: vuln
vuln: bin/govulncheck bin/indexdb ## Fail on a known vulnerability that the code reaches and hack/vuln/accepted.yaml does not explain. Works offline.
	@hack/vuln.sh

##@ Help

.PHONY: help
help: ## Print this.
	@awk 'BEGIN {FS = ":.*## "; print "make <target>"} \
		/^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Tools, each pinned by a module in hack/tools.
bin/controller-gen bin/golangci-lint bin/helm bin/actionlint bin/govulncheck bin/indexdb: bin/%: hack/tools/%/go.mod hack/tools/%/go.sum
	@echo "building $@, once"
	@cd hack/tools/$* && GOWORK=off CGO_ENABLED=0 go build -trimpath -o $(CURDIR)/$@ tool
	@touch $@
