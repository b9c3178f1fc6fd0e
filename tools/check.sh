#!/usr/bin/env bash
# Format, lint and types. Prints what is wrong and fails; changes nothing. `tools/check.sh --format` puts the formats right.
set -euo pipefail
cd "$(dirname "$0")/.."
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
bin=.venv/bin
wanted=$(sha256sum pyproject.toml | cut -c1-16)
if [ "$(cat .venv/checkers 2>/dev/null)" != "$wanted" ]; then
    # The tools named in the extra `dev`, without building the package again for them.
    mapfile -t tools < <($bin/python - <<'END'
try:
    import tomllib
except ImportError:  # Python 3.10
    from pip._vendor import tomli as tomllib
with open("pyproject.toml", "rb") as file:
    print(*tomllib.load(file)["project"]["optional-dependencies"]["dev"], sep="\n")
END
    )
    $bin/python -m pip install --quiet "${tools[@]}"
    echo "$wanted" >.venv/checkers
fi

mapfile -t native < <(git ls-files --cached --others --exclude-standard '*.cpp' '*.h' '*.c' '*.cu')
if [ "${1:-}" = --format ]; then
    $bin/clang-format -i "${native[@]}"
    $bin/ruff check --quiet --fix --select I python tests bench examples tools || true
    $bin/ruff format --quiet python tests bench examples tools
    exit 0
fi
$bin/clang-format --dry-run -Werror "${native[@]}"
$bin/ruff check --quiet python tests bench examples tools
$bin/ruff format --quiet --check python tests bench examples tools
$bin/mypy --strict python/sidelook

# clang-tidy reads how files are compiled from a build folder that is configured and never built: each file once, .cu files as the
# tests' emulator compiles them.
ducc0=${SIDELOOK_DUCC0_DIR:-$(find "$PWD/build" -maxdepth 3 -type d -path '*/ducc0/ducc0-*' -print -quit)}
$bin/cmake -S . -B build/tidy -G Ninja -DCMAKE_MAKE_PROGRAM="$PWD/$bin/ninja" -DSIDELOOK_PORTABLE_ONLY=ON -DSIDELOOK_THREADS=std \
    -DSIDELOOK_TESTS=ON ${ducc0:+"-DSIDELOOK_DUCC0_DIR=$ducc0"} >/dev/null
git ls-files --cached --others --exclude-standard 'cpp/src/*.cpp' 'cpp/src/*.cu' | grep -v fft_ducc0 |
    xargs -P "$(nproc)" -n 2 $bin/clang-tidy --quiet -p build/tidy 2> >(grep -v 'warnings\? generated\.$' >&2)
