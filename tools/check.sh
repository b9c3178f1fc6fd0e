#!/usr/bin/env bash
# Format, lint and types. Prints what is wrong and fails; changes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
.venv/bin/python -m pip install --quiet "clang-format==18.1.8" "clang-tidy==18.1.8" "ruff>=0.8" "mypy>=1.13"
mapfile -t native < <(git ls-files '*.cpp' '*.h' '*.c')
.venv/bin/clang-format --dry-run -Werror "${native[@]}"
.venv/bin/ruff check python tests bench examples tools
.venv/bin/mypy --strict python/sidelook
database=$(ls -d build/*/compile_commands.json | head -1)
mapfile -t sources < <(git ls-files 'cpp/src/*.cpp' | grep -v fft_ducc0)
printf '%s\n' "${sources[@]}" | xargs -P 2 -n 4 .venv/bin/clang-tidy --quiet -p "$(dirname "$database")" 2>/dev/null
