# What there is to do here, in one screen. `make help` names it.
BUILD := swift build -c release
VIT := .build/release/vit
SOURCES := Sources Tests Package.swift

.PHONY: help run build packages test lint format docs clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## set up, build, and classify the sample pictures with the built-in checkpoint
	@tools/classify-sample $(VIT) datasets/charts/sample

build: packages
	$(BUILD) --product vit

packages: # NO_INSTALL=1 only names what is missing
	@tools/install-packages

test: packages ## set up and run every test, in release mode
	swift test -c release

lint: ## check the format of the code and the length of its files
	swift format lint --strict --parallel --recursive $(SOURCES)
	@tools/check-file-lengths Sources

format: ## format the code
	swift format --in-place --parallel --recursive $(SOURCES)

docs: packages ## build the library's documentation into .build/docs
	@tools/build-docs .build/docs

clean: ## remove what was built
	swift package clean
