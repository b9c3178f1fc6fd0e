# Each target works when run first: what is missing is installed by tools/setup.sh.
.PHONY: demo test bench check setup clean

PYTHON := .venv/bin/python

demo: setup
	.venv/bin/sidelook demo -o demo --overwrite

test: setup
	$(PYTHON) -m pytest

bench: setup
	.venv/bin/sidelook bench
	$(PYTHON) -m pytest bench

check: setup
	tools/check.sh

setup:
	@tools/setup.sh

clean:
	rm -rf .venv build demo
