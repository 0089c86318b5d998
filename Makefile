# Two commands do everything: `make demo` and `make test`. Nothing needs to be installed by hand first;
# Debian packages are installed when root, else the exact command is printed.
.PHONY: demo test check lock env env-test screens mutants trail-proofs access contract judges
SHELL := bash
PY := .venv/bin/python
# What lays out the text of PDF files; without it only these cannot be made.
PDF := libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-liberation

demo: env
	-@scripts/debian-packages $(PDF)
	@$(PY) -m hub demo $(if $(ONCE),--once)

env:
	@scripts/environment requirements.txt

env-test:
	@scripts/environment requirements-dev.txt

# Everything: format, lint, types, structure, all tests on SQLite and PostgreSQL, browser journeys.
test: env-test
	@scripts/debian-packages chromium strace softhsm2 $(PDF)
	@$(MAKE) --no-print-directory check
	$(PY) -m pytest tests -n 2 --dist loadfile

# The fast part.
check: env-test
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m pytest tests/structure tests/policies -n 2

lock:
	.venv/bin/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 requirements.in -o requirements.txt
	.venv/bin/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 requirements-train.in -o requirements-train.txt
	.venv/bin/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 requirements-device.in -o requirements-device.txt
	.venv/bin/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 requirements-dev.in -o requirements-dev.txt

# Pictures of every page into docs/screens.
screens: env-test
	@scripts/debian-packages chromium fonts-liberation
	scripts/screens

# Faults put into the decision rules, one at a time, and those that no test notices: make mutants SAMPLE=100
mutants: env-test
	@scripts/mutants $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED)) $(if $(MODULE),--module $(MODULE))

# Every role at every door with every thing, judged by an independent oracle: make access CASES=100000
access: env-test
	$(PY) -m tests.access $(if $(CASES),--cases $(CASES)) $(if $(SEED),--seed $(SEED))

# The interface against its own description, judged by schemathesis: make contract EXAMPLES=200
contract: env-test
	$(PY) -m tests.contract $(if $(EXAMPLES),--examples $(EXAMPLES)) $(if $(SEED),--seed $(SEED))

# The trail under kill -9, power loss, full disks, flipped bits and load, each with its figure; make trail-proofs NAME=kill COUNT=20
trail-proofs: env-test
	@scripts/debian-packages strace wrk
	@$(PY) -m tests.simulation $(NAME) $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED))

# Partners' answers changed at random, ten thousand and more, each with what came of it: make hostile COUNT=20000
hostile: env-test
	@KITH_HOSTILE=$(or $(COUNT),5100) $(PY) -m pytest tests/connectors/test_mutated.py -q -n 0 -s

# Verifiers that others wrote, over our receipts, proofs, tiles and witnesses; says loudly what it could not have here.
judges: env-test
	@$(PY) -m tests.judges $(if $(RECEIPTS),--receipts $(RECEIPTS)) $(if $(LARGEST),--largest $(LARGEST)) $(if $(STRICT),--strict)
