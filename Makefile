# cstest: `make` prints the targets.
SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
GOLANGCI    := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
LINT        := bin/golangci-lint
FUZZTIME    ?= 10s
DEBIAN      := redis-server nginx wrk chromium tmux prometheus nghttp2-client nodejs npm python3 slurmctld slurmd slurm-client munge iproute2

.DEFAULT_GOAL := help

help: ## print the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

deps: ## install the Debian packages, the npm client and the collector that some tests use (they skip without)
	@scripts/otelcol.sh & collector=$$!; scripts/deps.sh $(DEBIAN); wait $$collector

build: ## build bin/cstest
	go build -o bin/cstest ./cmd/cstest

test: ## run every test with the race detector
	go test -race -timeout 20m -parallel 4 ./...

lint: $(LINT) ## gofmt, vet, other platforms, dead code, golangci-lint
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo 'gofmt: the files above need formatting'; exit 1; }
	go vet ./...
	scripts/platforms.sh
	scripts/deadcode.sh
	$(LINT) run

$(LINT):
	GOBIN=$(CURDIR)/bin go install $(GOLANGCI)

mutate: ## change PKG/FILES one thing at a time and print what no test notices
	go run ./scripts/mutate $(PKG) $(FILES)

judging-tables: ## simulate the tables of docs/judging.md and docs/tune.md anew, and hold the judge to its bounds over 2,000 runs
	CSTEST_JUDGING_TABLES=1 go test -count=1 -run TestJudgingTables ./sla
	CSTEST_JUDGING_TABLES=1 go test -count=1 -run TestNoiseIsNotADifference ./tune
	CSTEST_SIMULATED_RUNS=2000 go test -count=1 -timeout 60m -run 'FalseVerdicts|IntervalsCover' ./sla

library: build ## run every built-in scenario and hold it to the verdict it announces
	scripts/library.sh

library-short: build ## the same for those that gate a change, in their short form
	scripts/library.sh short

tune-check: build ## 20 experiments of a variant against itself and one that costs 20 % (three quarters of an hour)
	scripts/tune-check.sh

smoke: build ## run the built-in smoke scenario; the last 10 results are kept
	code=0; bin/cstest run smoke --no-tui --results-dir results/smoke-$$(date -u +%Y%m%dT%H%M%SZ) || code=$$?; scripts/keep.sh smoke 10; exit $$code

soak: build ## run the built-in soak scenario FOR=1h; the last KEEP=3 results are kept
	scripts/soak.sh

fuzz: ## run every fuzz target for FUZZTIME (10s)
	FUZZTIME=$(FUZZTIME) scripts/fuzz.sh

readme: build ## execute the examples of the README
	go test -count=1 -run TestReadme ./cmd/cstest

bench: build ## measure against the peers, side by side, and print the tables of bench/README.md
	bench/tools.sh && bench/peers.py && bench/peers.py --h2c
	for kind in h2c http1 held; do bench/burst.py $$kind; done
	bench/streams.py 200 && bench/streams.py 2000 && bench/freeze.py && bench/view.sh 5 20
	bin/cstest selftest

size: ## hold the stripped binary to its limit
	@scripts/size.sh

image: ## write dist/cstest-image.tar, an OCI archive with one static program
	@mkdir -p bin dist
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o bin/cstest-static ./cmd/cstest
	go run ./scripts/image -program bin/cstest-static -out dist/cstest-image.tar

k8s: ## decode what is rendered for Kubernetes with its own types, strictly (a module of its own)
	cd engine/kubernetes/testdata/lab && go test -run Strict .

k8s-lab: image ## run for real on a Kubernetes of one node, built once into LAB (root, cgroup v1; ten minutes the first time)
	CSTEST=$(CURDIR)/bin/cstest-static engine/kubernetes/testdata/lab/lab.sh

release-snapshot: ## build and pack all platforms into dist/, and run the Linux one in a clean Debian
	go run ./scripts/release -out dist
	@scripts/deps.sh debootstrap
	scripts/release/smoke.sh dist

ci: FUZZTIME := 3s
ci: lint size test fuzz library-short ## everything that gates a change

clean: ## remove what was built
	rm -rf bin results dist

.PHONY: help deps build test lint mutate judging-tables library library-short tune-check smoke soak fuzz readme bench size image k8s k8s-lab release-snapshot ci clean
