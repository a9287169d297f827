.PHONY: setup fmt lint types arch test cov demo lock image check
setup: ; ./scripts/setup-env dev
fmt: setup ; .venv/bin/ruff format . && .venv/bin/ruff check --fix .
lint: ; ./scripts/check lint spelling
types: ; ./scripts/check types
arch: ; ./scripts/check contracts
test: ; ./scripts/test
cov: ; COVERAGE=all ./scripts/test && ./scripts/check coverage && .venv/bin/coverage report
demo: ; ./scripts/demo
lock: ; ./scripts/lock
image: ; docker compose build
check: ; COVERAGE=1 ./scripts/test && ./scripts/check
