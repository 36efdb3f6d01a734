# Everything to do here, in one screen. `make help` lists it.
BUILD := swift build -c release
VIT := .build/release/vit
SOURCES := Sources Tests Fuzz Package.swift
SAMPLE := datasets/charts/sample
# Python with timm and transformers, for comparisons alone; any other one may be named: make verify PYTHON=python3
PYTHON := .venv/bin/python
PEERS := Benchmarks/.venv/bin/python
# The folder of photos that make bench prepares and classifies: make bench PHOTOS=~/Pictures
PHOTOS := $(SAMPLE)

.PHONY: help run build packages test test-arm sanitize bench lint format docs fuzz faults processes network verify clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## set up, build, and classify the sample figures with the built-in checkpoint
	@tools/classify-sample $(VIT) $(SAMPLE)

build: packages
	$(BUILD) --product vit

packages: # NO_INSTALL=1 only names what is missing
	@tools/install-packages

test: packages ## set up and run every test, in release mode
	swift test -c release

test-arm: ## test the C kernels built for this machine, and for Arm64 under emulation (gcc-aarch64-linux-gnu, qemu-user)
	@tools/test-kernels

sanitize: packages ## run what concerns threads, kernels and files, and every command, under the thread, address and undefined-behaviour sanitizers
	@tools/sanitize

bench: build $(PEERS) ## time it beside PyTorch, ONNX Runtime and OpenVINO, in turns, into Benchmarks/RESULTS.md
	$(PEERS) Benchmarks/compare.py --vit $(VIT) > .build/results.md
	$(PEERS) Benchmarks/scaling.py --vit $(VIT) >> .build/results.md
	$(PEERS) Benchmarks/startup.py --vit $(VIT) "$$(find $(PHOTOS) -iname '*.[jp]*g' | sort | head -n 1)" >> .build/results.md
	$(PEERS) Benchmarks/pictures.py --vit $(VIT) $(PHOTOS) >> .build/results.md
	mv .build/results.md Benchmarks/RESULTS.md

lint: ## check the format of the code, the size of its files and folders, and what modules know of each other
	swift format lint --strict --parallel --recursive $(SOURCES)
	@tools/check-file-lengths Sources
	@tools/check-architecture

format: ## format the code
	swift format --in-place --parallel --recursive $(SOURCES)

docs: packages ## build the library's documentation into .build/docs
	@tools/build-docs .build/docs

fuzz: build ## run the fuzz targets for FUZZ_SECONDS each (10), then feed vit damaged files for some minutes, and numbers that make no sense
	tools/fuzz-targets
	python3 tools/fuzz.py --vit $(VIT)
	python3 tools/try_numbers.py --vit $(VIT)

faults: build ## kill vit 300 times and let its disk fill up (mounting needs root), half an hour in all
	python3 tools/verify_kills.py --vit $(VIT)
	python3 tools/verify_full_disk.py --vit $(VIT)

processes: build ## hold runs of several processes to those of one, by every MPI that is installed, and provoke faults, half an hour
	python3 tools/verify_processes.py --vit $(VIT)

network: build ## time steps of several hosts with slow links, by the page's formula (needs root, iproute2 and an MPI), ten minutes
	python3 tools/verify_network.py --vit $(VIT)

verify: build $(PYTHON) ## hold logits, embeddings and attention of full-size models to timm and transformers, and the cache of models to huggingface_hub
	$(PYTHON) tools/verify_logits.py --vit $(VIT) --photos $(SAMPLE)
	$(PYTHON) tools/verify_embeddings.py --vit $(VIT) --photos $(SAMPLE)
	$(PYTHON) tools/verify_attention.py --vit $(VIT) --photos $(SAMPLE)
	$(PYTHON) tools/verify_hub.py --vit $(VIT)
	$(PYTHON) tools/check_two_towers.py --vit $(VIT)

.venv/bin/python: tools/requirements.txt
	python3 -m venv .venv
	.venv/bin/pip install --quiet --requirement $<
	@touch $@

$(PEERS): Benchmarks/requirements.txt
	python3 -m venv Benchmarks/.venv
	Benchmarks/.venv/bin/pip install --quiet --requirement $<
	@touch $@

clean: ## remove what was built
	swift package clean
