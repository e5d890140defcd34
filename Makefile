# Every target calls something that can be read and run by itself.
.DEFAULT_GOAL := help
.PHONY: help demo test check fmt setup-python setup-label-studio setup-java kill-test chaos bench clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-19s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Build, draw sample images, publish them as a dataset, say where it is
	@scripts/demo.sh

test: ## Set up what tests need and run them all
	@scripts/test.sh

check: ## What CI runs: format, clippy, docs, tests, demo
	@scripts/check.sh

fmt: ## Format the Rust code
	@cargo fmt --all

setup-python: setup-label-studio ## Make .venv with the Python packages that tests use, and .venv-label-studio
	@tests/python/setup.sh

setup-label-studio: ## Make .venv-label-studio, in which the Label Studio SDK runs
	@python/label_studio_worker/setup.sh

setup-java: ## Make .elasticmq with the queue server that tests use
	@tests/java/setup.sh

kill-test: ## Kill runs at random moments and compare the results with an undisturbed one
	@scripts/kill-resume.sh

chaos: ## Faults, crashes and lost events against the real services (SEEDS=1,2,3, ARGUMENTS='S-02 --seeds 7')
	@SEEDS="$(SEEDS)" ARGUMENTS="$(ARGUMENTS)" scripts/chaos.sh

bench: ## Measure all that docs/benchmarks.md says, and write it there (PARTS="images run" for some, INPUT=DIR)
	@scripts/bench.sh $(PARTS)

clean: ## Remove everything that was built, the demo, the Python environments and .elasticmq
	@cargo clean
	@rm -rf .venv .venv-label-studio .venv-bench .elasticmq target
