# The commands a developer types. `make check` is the whole truth; its stages stand in .ci/run.
export GOTOOLCHAIN ?= go1.27.4

.PHONY: check test lint format bench

check:
	.ci/run

test:
	go test ./...

lint:
	.ci/run lint

format:
	.ci/run format

bench:
	go test -run '^$$' -bench . -benchmem ./...
