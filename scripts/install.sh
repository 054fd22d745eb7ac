#!/bin/sh
# Make the virtual environment: scripts/install.sh VENV. Each step is skipped when it is done already.
#
# torch comes first and by the pin in constraints.txt, so that nothing else chooses another build of it;
# llama-cpp-python is compiled (2 to 6 minutes, once; pip keeps the wheel).
set -eu

venv=$1
here=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3}

"$python" - <<'PY'
import sys
if sys.version_info < (3, 11):
    sys.exit(f"xlit needs Python 3.11 or newer; this is {sys.version.split()[0]}. Set PYTHON to a newer one.")
PY

step() { echo "set-up: $*" >&2; }
pip() { "$venv/bin/python" -m pip --quiet --disable-pip-version-check "$@" >&2; }

if [ ! -x "$venv/bin/python" ]; then
    step "a virtual environment in $venv"
    "$python" -m venv "$venv"
fi
step "pip"
pip install --upgrade "pip>=25.1"
step "torch (as pinned in constraints.txt)"
pip install "$(grep '^torch==' "$here/constraints.txt")"
step "llama-cpp-python (compiled here the first time, some minutes)"
CMAKE_BUILD_PARALLEL_LEVEL=$("$python" -c 'import os; print(os.cpu_count())') \
CMAKE_ARGS="-DLLAVA_BUILD=OFF -DGGML_NATIVE=OFF -DCMAKE_PROJECT_llama_cpp_INCLUDE=$here/scripts/llama_cpp_fast.cmake" \
    pip install --constraint "$here/constraints.txt" "llama-cpp-python>=0.3.30"
step "xlit and what it needs"
(cd "$here" && pip install --constraint constraints.txt --editable '.[local,gguf,judge,report]' --group dev)
step "dictionaries for spelling (en, fr, pt of Brazil and Portugal, ru, de)"
PYTHON="$venv/bin/python" "$here/scripts/get_dictionaries.sh" "$venv/share/xlit/dictionaries" pt_PT >&2
