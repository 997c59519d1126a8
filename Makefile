# Each command builds .venv first where that is needed; see scripts/ for what they do.
.PHONY: help venv run demo test test-slow test-312 check format bench bench-peers scale words lock clean
.DEFAULT_GOAL := help

bin := .venv/bin

help: ## what can be made
	@sed -n 's/^\([a-z0-9-]*\):.*## /make \1\t/p' Makefile | expand -t 18

venv: ## .venv, from pyproject.toml and requirements.lock
	@scripts/venv

run: venv ## the proxy, with its embedded ledger and the starter policy (ARGS="..." for options of `capper run`)
	@$(bin)/capper run $(ARGS)

demo: venv ## a tour with nothing from the internet (ARGS="--serve" to look with your own browser)
	@$(bin)/capper demo $(ARGS)

test: venv ## style, types, layers and every test but the slow ones, with a real redis-server and a real Chromium
	@scripts/system-packages
	@scripts/check
	@$(bin)/python -m pytest -n auto --dist worksteal $(ARGS)

test-slow: venv ## the slow tests: soak, large corpora, and publishers' pages with their real clients
	@scripts/system-packages
	@scripts/browser-clients
	@$(bin)/python -m pytest -n auto --dist loadgroup -m slow --timeout 1800 $(ARGS)

test-312: ## every test but the slow ones on the oldest supported Python, in .venv-3.12
	@CAPPER_PYTHON="$$(scripts/find-python 3.12)" scripts/venv .venv-3.12
	@.venv-3.12/bin/python -m pytest -n auto --dist worksteal $(ARGS)

check: venv ## style, types and layers
	@scripts/check

format: venv ## put the style right where a tool can
	@$(bin)/ruff check --fix-only
	@$(bin)/ruff format

bench: venv ## speed and memory against plain mitmdump, and the aims (ARGS="--only page --rounds 3 --scale 0.3" for a part)
	@$(bin)/python -m benchmarks $(ARGS)

bench-peers: venv ## the same against Privoxy, and how many requests a second wrk gets through each; installs Privoxy, nginx and wrk
	@scripts/system-packages benchmarks
	@$(bin)/python -m benchmarks --only peers $(ARGS)

scale: venv ## ten thousand homes on a real cluster of three masters; writes docs/scale.md
	@$(bin)/python -m benchmarks.scale --write docs/scale.md $(ARGS)

tables: venv ## what studies measure beside what is known to be true, from seeds; writes docs/measurement.md
	@$(bin)/python -m tables --write $(ARGS)

words: venv ## capper/locale, from what code and templates say; tells what is left to translate
	@$(bin)/python scripts/catalogues

lock: ## requirements.lock, anew (ARGS="--upgrade" for newer versions)
	@scripts/lock $(ARGS)

clean: ## away with everything that was made
	rm -rf .venv .venv-3.12 build dist artifacts tests/browser/clients/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
