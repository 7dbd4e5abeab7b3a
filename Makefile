# Regi's targets. `make help` lists them.
GO       ?= go
BIN      := .bin
# The capture process erases used keys from registers and stacks with
# runtime/secret, which is behind an experiment in Go 1.26.
export GOEXPERIMENT := runtimesecret
export CGO_ENABLED  := 0
VERSION  := $(shell git describe --tags --always --dirty --abbrev=12 2>/dev/null || echo dev)
LDFLAGS  := -s -w -buildid= -X main.version=$(VERSION)
TOOL     := $(GO) tool -modfile=.tools/go.mod
FUZZTIME ?= 10s
# Packages with goroutines worth the race detector (which needs cgo).
RACE     := ./board ./board/port ./board/uevent ./drivers/... ./firmware/... ./sim/wire/... ./sim/device/... ./sim/cloud/... ./sim/hsm/... ./sim/counter/...

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

.PHONY: sim
sim: ## Start the whole counter and its cloud on this machine, and print the address
	@$(GO) run ./sim $(SIM)

.PHONY: build
build: ## Build the register for linux/arm64, arm (v7) and amd64 into .bin, reproducibly
	@mkdir -p $(BIN)
	GOOS=linux GOARCH=arm64 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/regi-linux-arm64 ./firmware
	GOOS=linux GOARCH=arm GOARM=7 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/regi-linux-arm ./firmware
	GOOS=linux GOARCH=amd64 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/regi-linux-amd64 ./firmware
	@cd $(BIN) && sha256sum regi-linux-*

BOARD ?= rpi4
KEYS  ?= out/keys
.PHONY: image
image: ## Build what BOARD (rpi3, rpi4, rpi5, qemu-virt) is flashed with into out; KERNEL=out/kernel/Image for our own
	@.ci/imagetools
	@test -e $(KEYS)/update.pub || $(GO) run ./board/image keygen $(KEYS)
	$(GO) run ./board/image build -board $(BOARD) -keys $(KEYS) $(if $(KERNEL),-kernel $(KERNEL)) $(IMAGE)

.PHONY: kernel
kernel: ## Build the hardened kernel from Debian's linux-source into out/kernel (10 minutes of one core)
	@board/image/kernel/build.sh out/kernel

.PHONY: test
test: ## Run all tests, with the short form of the campaigns
	@.ci/chromium
	@.ci/imagetools
	@.ci/judges
	@test "$$(id -u)" = 0 || echo "not root: the attacker's tests (firmware/capture, firmware/landlock, sim/drill) will NOT run" >&2
	@echo 'of QEMU only the first start and sales: "make guest GUEST=short" plays robbers, power cuts, a bad update and a Pi 3'
	@GO='$(GO)' .ci/tests -timeout 600s ./...

.PHONY: race
race: ## Run the packages with goroutines under the race detector
	@GO='$(GO)' CGO_ENABLED=1 .ci/tests -race -timeout 900s $(RACE)

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME (10s)
	@FUZZTIME=$(FUZZTIME) .ci/fuzz

.PHONY: powercut
powercut: ## The long form of the journal's power-cut campaign (100,000 images)
	REGI_JOURNAL_IMAGES=100000 $(GO) test -timeout 60m -run PowerCut -v ./firmware/journal

GUEST ?= long
CUTS  ?= 20
.PHONY: guest
guest: ## Boot the image in QEMU and break it: robbers, CUTS (20) power cuts, bad updates, a Pi 3 (GUEST=short: what "make test" leaves to CI)
	@.ci/imagetools
	REGI_GUEST=$(GUEST) REGI_GUEST_CUTS=$(CUTS) $(GO) test -count 1 -timeout 60m -v -parallel 5 $(if $(filter short,$(GUEST)),-skip 'FirstStart|Sale') ./sim/guest

.PHONY: drills
drills: ## Attack the real register as card robbers do (2,000 swipes; needs root)
	@mkdir -p $(BIN)/drills
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/drills/regi ./firmware
	$(GO) build -o $(BIN)/drills/naive ./sim/drill/naive
	$(GO) build -o $(BIN)/drills/drill ./sim/drill
	$(BIN)/drills/drill --regi $(BIN)/drills/regi --naive $(BIN)/drills/naive $(DRILLS)

.PHONY: lint
lint: ## golangci-lint, vet for all three targets, and functions nobody calls
	$(TOOL) golangci-lint run ./...
	GOOS=linux GOARCH=arm64 $(GO) vet ./firmware/... ./drivers/... ./board/...
	GOOS=linux GOARCH=arm $(GO) vet ./firmware/... ./drivers/... ./board/...
	$(TOOL) deadcode -test ./... | tee $(or $(TMPDIR),/tmp)/regi-deadcode && ! test -s $(or $(TMPDIR),/tmp)/regi-deadcode

.PHONY: bench
bench: ## Measure against the figures to reach, each beside its baseline
	@.ci/bench

.PHONY: clean
clean: ## Remove what build made
	rm -rf $(BIN) out/regi-*
