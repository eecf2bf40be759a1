# The whole project by name. Every target installs what it needs by itself; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(CURDIR)/.local/bin:$(PATH)

.PHONY: help
help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup:
	@scripts/setup

.PHONY: demo demo-down
demo: setup ## Start a cluster and a production database; query, rewind and refresh its virtual copy
	@node cluster/demo/up.ts
demo-down: setup ## Remove everything that make demo created
	@node cluster/demo/down.ts

.PHONY: check test test-all soak engine-kills
check: setup ## Run lint, types, generated files and unit tests: no cluster, under a minute
	@scripts/check
test: setup ## Run what CI runs: check, integration, and the whole path on a cluster
	@scripts/test sampled
test-all: setup ## Run test with every long loop in full; GROUP=… runs one group in at most an hour
	@scripts/test all $(GROUP)
engine-kills: setup ## Kill the embedded engine 200 times at random during a mixed load of all its jobs
	@TEST_TIER=all node scripts/run-tests.ts integration engine/integration/random-kills
soak: setup ## Kill everything at random under five writers; SOAK_MINUTES=30
	@scripts/test all soak

.PHONY: storage-suite
storage-suite: export CLUSTER_NAME := $(or $(CLUSTER_NAME),storage-suite)
storage-suite: setup ## Run Kubernetes' own storage tests for the CSI driver on a cluster of their own; GROUP=slow runs the slow ones
	@e2e/storage-suite/build && cluster/up && cluster/load-images && cluster/load-images agnhost busybox nginx glibc-dns-testing
	@node e2e/install.ts && { node e2e/storage-suite/run.ts $(GROUP); code=$$?; cluster/down; exit $$code; }

.PHONY: cluster-up cluster-down tools images manifests
cluster-up: setup ## Start a real Kubernetes cluster; CLUSTER_NAME names it
	@cluster/up
cluster-down: ## End that cluster and remove its traces
	@cluster/down
tools: setup ## Build kubectl, helm and the cluster's binaries into the cache
	@cluster/tools
images: setup ## Build the container images into the cache
	@cluster/images/build
manifests: tools ## Write both charts as plain manifests into .local/delphix.yaml
	@scripts/manifests

.PHONY: kubectl-vdb
kubectl-vdb: setup ## Build a release of kubectl vdb into .local/kubectl-vdb; URL=… of its archives for krew
	@node packages/cli/release.ts .local/kubectl-vdb $(URL)

.PHONY: generate format api-reference
generate: setup ## Write every generated file again
	@scripts/generate
format: setup ## Format the sources
	@biome check --write .
api-reference: setup ## Write the API reference of kube-runtime into .local/api-reference
	@cd packages/runtime && trap 'rm -rf dist temp' EXIT && tsc -p tsconfig.build.json && api-extractor run --local && \
	rm -rf ../../.local/api-reference && \
	api-documenter markdown --input-folder dist/api --output-folder ../../.local/api-reference
