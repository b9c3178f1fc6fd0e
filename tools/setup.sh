#!/usr/bin/env bash
# Makes .venv with everything that building, running and testing needs. Quick when nothing is to be done.
set -euo pipefail
cd "$(dirname "$0")/.."
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

# ---- system packages: compiler, Python's headers, GDAL's library ---------------------------------------------------
missing=()
command -v g++ >/dev/null || missing+=(g++)
command -v gdal-config >/dev/null || missing+=(libgdal-dev)
python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
python3 -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_paths()["include"] + "/Python.h"))' ||
    missing+=(python3-dev)
if [ ${#missing[@]} -gt 0 ]; then
    install="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
    if ! command -v apt-get >/dev/null; then
        echo "setup: these Debian packages are missing, and there is no apt-get: ${missing[*]}" >&2
        exit 4
    elif [ "$(id -u)" = 0 ]; then
        echo "setup: $install" >&2
        DEBIAN_FRONTEND=noninteractive bash -c "$install" >&2
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        echo "setup: with sudo: $install" >&2
        sudo DEBIAN_FRONTEND=noninteractive bash -c "$install" >&2
    else
        echo "setup: packages are missing; as root, run: $install" >&2
        exit 4
    fi
fi

# ---- Python packages -----------------------------------------------------------------------------------------------
python=.venv/bin/python
[ -x $python ] || python3 -m venv .venv

wanted="$(gdal-config --version) $(sha256sum pyproject.toml tools/setup.sh | sha256sum | cut -c1-16)"
if [ "$(cat .venv/packages 2>/dev/null)" != "$wanted" ]; then
    # pip's own numpy must be there before GDAL is built, or its array module is left out.
    $python -m pip install --quiet numpy "setuptools>=77" wheel
    if ! $python -c 'from osgeo import gdal_array' 2>/dev/null; then
        $python -m pip install --quiet --no-build-isolation --no-binary gdal "gdal==$(gdal-config --version)"
    fi
    $python -c 'from osgeo import gdal_array' # refuses here rather than at the first image
    $python -m pip install --quiet "scikit-build-core>=0.10,<1" "pybind11>=2.13,<4" "cmake>=3.26,<5" "ninja>=1.11"
fi

# ---- sidelook itself: again when a source is newer than what is installed ------------------------------------------
if [ "$(cat .venv/packages 2>/dev/null)" != "$wanted" ] || [ ! -e .venv/installed ] ||
    [ -n "$(find CMakeLists.txt pyproject.toml bench cmake cpp python -newer .venv/installed -type f -not -name '*.pyc' -print -quit)" ]; then
    touch .venv/building
    PATH="$PWD/.venv/bin:$PATH" $python -m pip install --quiet --no-build-isolation -C cmake.define.SIDELOOK_TESTS=ON ".[test]"
    mv .venv/building .venv/installed # its time is when the build began
    echo "$wanted" >.venv/packages
fi
