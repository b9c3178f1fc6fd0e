# Each target works when run first: what is missing is installed by tools/setup.sh.
.PHONY: demo test bench check format sanitize setup clean

PYTHON := .venv/bin/python

demo: setup
	.venv/bin/sidelook demo -o demo --overwrite

test: setup
	$(PYTHON) -m pytest

bench: setup
	.venv/bin/sidelook bench
	$(PYTHON) -m pytest bench
	build/cp*/bench/sidelook_bench
	build/cp*/bench/sidelook_bench_cfar

# Formats, lint and types; `make format` puts formats right.
check: setup
	tools/check.sh

format: setup
	tools/check.sh --format

# Native tests under AddressSanitizer with UndefinedBehaviorSanitizer, and under ThreadSanitizer.
sanitize: setup
	tools/sanitize.sh

setup:
	@tools/setup.sh

clean:
	rm -rf .venv build dist demo
