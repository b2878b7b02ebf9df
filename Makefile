# `make` prints all targets. It needs Go, make, git and bash; it builds all other tools from Go modules into bin/.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# The folder with etcd, kube-apiserver, kube-controller-manager and kubectl: KUBEBUILDER_ASSETS, or those built here.
assets = $(or $(abspath $(KUBEBUILDER_ASSETS)),$(shell hack/controlplane/build.sh --dir))

# The folder for the data of `make run`. Several may run at the same time, each with its own folder.
DEV_DIR ?= .dev
# The number of operator replicas that `make run` and `make demo` start.
REPLICAS ?= 2
# How long `make fuzz` runs each target.
FUZZTIME ?= 30s
# Flags and packages for go test in `make test`, as in: make test TESTFLAGS='-run TestMerge -v' TESTS=./controllers/...
TESTFLAGS ?=
TESTS ?= ./...

# Which scenarios `make e2e` plays, as a filter of Ginkgo labels; empty means all.
E2E_LABELS ?=

# How long `make chaos` injects faults, and the seed of its schedule; without a seed it chooses and prints one. For `make contract` SEED is
# that of the combinations, and RUN the number of the only one to play.
DURATION ?= 2m
SEED ?=
RUN ?=

# How many storms `make sim` plays, how many simulated hours each has, and the schedule of a failure to play again. SEED is that of the first.
SEEDS ?= $(if $(SEED),1,20)
HOURS ?= 2
SCHEDULE ?=

# Go's race detector needs a C compiler: without one the tests run without it.
RACE ?= $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

dev_env = KUBEBUILDER_ASSETS="$(assets)" DEV_DIR="$(DEV_DIR)" REPLICAS="$(REPLICAS)" PATH="$(CURDIR)/bin:$(assets):$$PATH"

##@ Try it

.PHONY: run
run: controlplane bin/dev ## Run the API server, a simulated LambdaTest and the operator in the foreground; Ctrl-C stops all.
	@$(dev_env) exec bin/dev run

.PHONY: demo
demo: controlplane bin/dev ## Play a story from Okta's first request to the last kubectl get, then compare the resources with LambdaTest.
	@$(dev_env) exec bin/dev demo

.PHONY: conformance
conformance: bin/dev ## Run Okta's SCIM test suite against a running `make run`.
	@$(dev_env) exec bin/dev conformance

# Builds a program, because "go run" would not forward SIGTERM; and the operator as a kubectl plugin.
.PHONY: bin/dev
bin/dev:
	@go build -o bin/dev ./hack/dev
	@CGO_ENABLED=0 go build -o bin/kubectl-lambdatest .

##@ Develop

.PHONY: generate
generate: bin/controller-gen ## Regenerate deep copies, apply configurations, CRDs, the role and parts of the chart from the Go code.
	hack/generate.sh

.PHONY: build
build: ## Build the operator into bin/manager, one static binary.
	hack/build.sh bin/manager

.PHONY: plugin
plugin: ## Build the kubectl plugin into bin/kubectl-lambdatest.
	hack/build.sh bin/kubectl-lambdatest

.PHONY: controlplane
controlplane: ## Build the Kubernetes control plane for tests and `make run`; the first time takes minutes.
	@$(if $(KUBEBUILDER_ASSETS),echo "using KUBEBUILDER_ASSETS=$(assets)",hack/controlplane/build.sh)

.PHONY: clean
clean: ## Remove all build results and data of runs.
	rm -rf bin out .dev*

##@ Check

.PHONY: test
test: controlplane ## Run all tests, against a real API server; TESTS and TESTFLAGS select some.
	KUBEBUILDER_ASSETS="$(assets)" go test $(RACE) -timeout 30m $(TESTFLAGS) $(TESTS)

.PHONY: gitops
gitops: controlplane ## Test the operator with Flux and Argo CD, and write out/gitops.json.
	@hack/flux/build.sh
	@mkdir -p out
	KUBEBUILDER_ASSETS="$(assets)" FLUX_ASSETS="$(shell hack/flux/build.sh --dir)" \
		go test ./test/gitops -count=1 -timeout 30m -v $(TESTFLAGS) -args -ginkgo.json-report="$(CURDIR)/out/gitops.json"

.PHONY: e2e
e2e: controlplane ## Play all end-to-end scenarios, also the slow ones, and write out/e2e.json; E2E_LABELS='order && !slow' selects some.
	@mkdir -p out
	KUBEBUILDER_ASSETS="$(assets)" E2E=1 go test ./test/e2e -v -count=1 -timeout 40m \
		-args -ginkgo.label-filter="$(E2E_LABELS)" -ginkgo.json-report="$(CURDIR)/out/e2e.json"

.PHONY: bench
bench: controlplane ## Measure the operator against its goals, and write out/bench.json; BENCH=name runs one, QUICK=1 a short pass, PROFILE=1 writes profiles.
	@go build -o bin/bench ./test/bench
	@KUBEBUILDER_ASSETS="$(assets)" BENCH="$(BENCH)" QUICK="$(QUICK)" PROFILE="$(PROFILE)" exec bin/bench

.PHONY: chaos
chaos: controlplane ## Inject random faults for DURATION, then check every promise, and write out/chaos.json; SEED repeats a schedule.
	@go build -o bin/chaos ./test/chaos
	KUBEBUILDER_ASSETS="$(assets)" bin/chaos -duration="$(DURATION)" $(if $(SEED),-seed="$(SEED)")

.PHONY: sim
sim: ## Play SEEDS storms of HOURS each in simulated time, and write out/sim.json; SEED repeats one, SCHEDULE=file a failure.
	@mkdir -p out
	go test ./test/simulation -run '^TestStorms$$' -count=1 -timeout 0 -v -args -seeds="$(SEEDS)" -hours="$(HOURS)" \
		-out="$(CURDIR)/out/sim.json" $(if $(SEED),-seed="$(SEED)") $(if $(SCHEDULE),-schedule="$(abspath $(SCHEDULE))")

.PHONY: contract
contract: controlplane ## Play one story under every reading of LambdaTest's documents, and write out/contract.json; RUN=number plays one combination, SEED others.
	@go build -o bin/contract ./test/contract
	KUBEBUILDER_ASSETS="$(assets)" bin/contract $(if $(SEED),-seed="$(SEED)") $(if $(RUN),-run="$(RUN)")

.PHONY: fuzz
fuzz: ## Run each Fuzz function for FUZZTIME, one after the other.
	hack/fuzz.sh "$(FUZZTIME)"

.PHONY: lint
lint: bin/golangci-lint ## Run the linters of .golangci.yml.
	bin/golangci-lint run --allow-parallel-runners

.PHONY: verify
verify: bin/controller-gen bin/golangci-lint ## Check generated files, formatting, vet, go.mod, imports and lint.
	hack/verify.sh

.PHONY: package
package: controlplane bin/helm bin/actionlint ## Lint and render chart, overlays and workflows, build the image, and test every way to install.
	KUBEBUILDER_ASSETS="$(assets)" hack/package.sh

.PHONY: security
security: controlplane bin/golangci-lint bin/helm ## Run the checks of docs/security.md: linters, licences, attacks on the running product; print the results.
	@KUBEBUILDER_ASSETS="$(assets)" hack/security.sh

.PHONY: vuln
vuln: bin/govulncheck bin/indexdb ## Fail on a known vulnerability that the code reaches and that hack/vuln/accepted.yaml does not list; needs no network.
	@hack/vuln.sh

##@ Help

.PHONY: help
help: ## Print this help.
	@awk 'BEGIN {FS = ":.*## "; print "make <target>"} \
		/^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Tools. A module in hack/tools pins the version of each.
bin/controller-gen bin/golangci-lint bin/helm bin/actionlint bin/govulncheck bin/indexdb: bin/%: hack/tools/%/go.mod hack/tools/%/go.sum
	@echo "building $@, once"
	@cd hack/tools/$* && GOWORK=off CGO_ENABLED=0 go build -trimpath -o $(CURDIR)/$@ tool
	@touch $@
