# make demo, make test: on a machine that has Python 3.11 or newer and make, nothing else. README.md has the same lines without make.
# GNU make 3.81 (macOS) runs this.

PYTHON ?= python3
# Where torch's CPU build is taken from on Linux when the indexes that pip is set up with do not have it: PyPI's Linux build brings CUDA.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
# make demo DATA=../shared/data: the photos to run on instead of the free ones.
DATA ?=
# make test ARGS="-k table": passed on to pytest.
ARGS ?=

VENV := .venv
VENV_PYTHON := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
PIP := $(VENV_PYTHON) -m pip --disable-pip-version-check
# Nothing is compiled: wheels only, but for face_recognition_models, which is data and comes as an archive of them.
WHEELS := --no-deps --no-build-isolation --only-binary :all: --no-binary face_recognition_models
pinned = $(shell sed -n 's/^$(1)==/$(1)==/p' constraints.txt)

.PHONY: help install demo test lint clean
help:
	@echo "make install   put everything that constraints.txt lists into $(VENV)"
	@echo "make demo      photos -> features -> heads -> annotated photos; DATA=DIR: on the photos of shared/data"
	@echo "make test      run the tests; ARGS=... goes to pytest; FACEHEADS_DATA=DIR: where the photos of shared/data are"
	@echo "make lint      check style and format with ruff"
	@echo "make clean     remove $(VENV) and what the demo wrote"

install: $(INSTALLED)

demo: $(INSTALLED)
	@$(VENV_PYTHON) examples/demo.py $(if $(DATA),--data "$(DATA)")

test: $(INSTALLED)
	$(VENV_PYTHON) -m pytest $(ARGS)

lint: $(INSTALLED)
	$(VENV_PYTHON) -m ruff check --line-length 119 .
	$(VENV_PYTHON) -m ruff format --check --line-length 119 .

clean:
	rm -rf $(VENV) demo

$(INSTALLED): constraints.txt packaging/dlib-from-bin/setup.cfg
	@command -v "$(PYTHON)" > /dev/null || { echo 'faceheads needs Python 3.11 or newer; "$(PYTHON)" is not there. Install it, or name it: make PYTHON=python3.12' >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "faceheads needs Python 3.11 or newer; $(PYTHON) is $$("$(PYTHON)" -V 2>&1). Name a newer one: make PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || { echo "Python's venv module is missing or broken; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Installing the packages of constraints.txt into $(VENV): about 500 MB to download, minutes the first time."
	@$(PIP) install --quiet $(call pinned,setuptools)
	@test "$$(uname -s)" != Linux || $(MAKE) --no-print-directory torch-cpu
	@$(PIP) install --quiet $(WHEELS) -r constraints.txt ./packaging/dlib-from-bin
	@$(PIP) check
	@touch $@

# The version with "+cpu" from the indexes that pip is set up with; where they have none, from torch's own index of CPU builds.
.PHONY: torch-cpu
torch-cpu:
	@$(PIP) install --quiet --no-deps "$(call pinned,torch)+cpu" 2> /dev/null \
	|| $(PIP) install --quiet --no-deps --index-url $(TORCH_INDEX) $(call pinned,torch) $(call pinned,torchvision) \
	|| { echo "torch's CPU build is neither on pip's indexes nor at $(TORCH_INDEX). Name an index that has it: make TORCH_INDEX=URL" >&2; exit 1; }
