# The one list of verbs. Hooks and CI call these; nothing else is the truth.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO_DIR ?= demo

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types floors unit format campaign-kills campaign-mlflow campaign-finetune campaign-hospital campaign-verifier campaign-levels campaign-methods campaign-deeper campaign-fashion campaign-speed campaign-demo campaign-nights campaign-ham10000 campaign-ham-adopted stale clean

help:  ## What can be said here
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "maintain needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check $$(grep '^torch==' requirements.lock)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(READY)  ## A virtual environment with the locked packages

demo: $(READY)  ## Five stories on a synthetic hospital, each ending in a report (DEMO_DIR names the folder)
	$(BIN)/maintain demo $(DEMO_DIR)

test: lint types floors unit  ## Lint, types, floors and tests: what CI runs

lint: $(READY)  ## Style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## mypy, strict
	$(BIN)/mypy

floors: $(READY)  ## Imports only go down
	$(BIN)/lint-imports

# One thread: the tests' networks are tiny, and two threads that wait for each other are slower than one.
unit: $(READY)  ## The tests
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BIN)/python -m pytest

format: $(READY)  ## Put the code into the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

campaign-kills: $(READY)  ## Kill runs at every point and at drawn moments; writes benchmarks/results/kill_campaign.*
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/kill_campaign.py --moments 40 --seed 1

campaign-mlflow: $(READY)  ## Kill registrations and moves between any two calls of MLflow, in SQLite and on a server
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/mlflow_kills.py

campaign-finetune: $(READY)  ## Fine-tuning beside a retrain, three seeds; about two minutes
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/finetune_control.py

campaign-hospital: $(READY)  ## What the synthetic hospital shows, five seeds; about four minutes
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/hospital_memorises.py

campaign-verifier: $(READY)  ## Sixty runs of each impostor, honest retrains, the power curve; about an hour
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/verifier_trial.py --cache build/verifier-trainings

campaign-levels: $(READY)  ## Whether intervals keep their level, in simulated cohorts; about a quarter of an hour
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/interval_levels.py

campaign-methods: $(READY)  ## Every method on three stories of three hospitals, and what `auto` tries; about half an hour
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/method_table.py --cache build/method-trainings

campaign-deeper: $(READY)  ## Whether methods rank alike on DenseNet-121, ResNet-18 and larger images; about 100 minutes
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/deeper_networks.py --cache build/method-trainings

campaign-fashion: $(READY)  ## Every method forgets a class of Fashion-MNIST, three seeds; about half an hour
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/fashion_mnist.py --cache build/fashion-trainings

campaign-speed: $(READY)  ## psg beside the published recipe, and the memory of a forget run; about ten minutes
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/psg_speed.py --cache build/fashion-trainings

campaign-demo: $(READY)  ## The whole demo with ten seeds: how often it ends as told; about half an hour
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/demo_chain.py

campaign-nights: $(READY)  ## A month of nights with three seeds: letters, a withdrawn camera, jobs; about five minutes
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/nights.py

campaign-ham10000: $(READY)  ## The tutorial's path on real images (HAM10000 names ham10000_64.npz); about a quarter of an hour
	@test -n "$(HAM10000)" || { echo "Say where the images are: make campaign-ham10000 HAM10000=PATH/ham10000_64.npz"; exit 2; }
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/ham10000.py "$(HAM10000)"

campaign-ham-adopted: $(READY)  ## A model trained outside on the same images is adopted and revised; about three minutes
	@test -n "$(HAM10000)" || { echo "Say where the images are: make campaign-ham-adopted HAM10000=PATH/ham10000_64.npz"; exit 2; }
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/ham_adopted.py "$(HAM10000)"

stale: $(READY)  ## Mark committed results that belong to earlier code
	$(BIN)/python benchmarks/evidence.py

clean:  ## Remove the environment and every cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist
