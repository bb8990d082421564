.DEFAULT_GOAL := help
.PHONY: help demo test crash bench fuzz audit tools lint fmt generated book clean-demo test-cluster

help: ## what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: ## the main job from end to end against an upstream on this machine
	@tests/demo.sh

test: tools lint ## everything; CI=true makes a skipped test a failure
	cargo test --locked --lib --test it
	@tests/installers.sh

test-cluster: ## the installer against a real API server; BUNDLER_CHARTS=DIR for the real charts, minutes to build once
	@tests/cluster/run.sh

crash: ## kills a pack at 100 random moments; CRASHES=N for more, BUNDLER_SEED=N to repeat a run
	BUNDLER_CRASHES=$(or $(CRASHES),100) cargo test --locked --test it -- pack::crash

bench: ## what the commands cost beside other programs; options in ARGS="--help"
	@cargo bench --locked --bench pack -- $(ARGS)

# 2 GiB of address space: an input has 64 KiB at most, and one that needs more memory has found something.
fuzz: ## hostile input for FUZZ_SECONDS=60, see fuzz/README.md
	cargo test --locked --profile fuzz --lib --no-run
	ulimit -v 2097152; cargo test --locked --profile fuzz --lib -- --ignored --exact fuzz::runner::fuzz --nocapture

audit: ## advisories, licences and sources of every crate, with cargo-deny (`cargo install --locked cargo-deny`)
	cargo deny --locked check

tools: ## what the tests need; the only step that reaches package registries
	@tests/tools.sh

lint: ## format, clippy and shellcheck
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --quiet
	@tests/lint.sh

fmt: ## format the code
	cargo fmt

generated: ## write the schemas, completions, manual pages and the references
	BUNDLER_UPDATE=1 cargo test --locked --test it -- --exact generated::generated_files_are_what_the_program_makes
	@git status --short schema completions man docs/reference

book: ## the documentation as a website in target/book, with mdBook (which `make tools` brings too)
	PATH="$$PATH:$(CURDIR)/target/tools/bin" mdbook build docs

clean-demo: ## remove what the demo left
	rm -rf target/demo
