#!/usr/bin/env bash
# Native tests and C programs under the sanitizers: AddressSanitizer with UndefinedBehaviorSanitizer, and ThreadSanitizer.
#   tools/sanitize.sh [address,undefined] [thread]
# Both builds use std::thread: libgomp, which is not instrumented, looks like a race to ThreadSanitizer.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
[ $# -gt 0 ] || set -- address,undefined thread

# What a build of the package has fetched need not be fetched again.
ducc0=${SIDELOOK_DUCC0_DIR:-$(find "$PWD/build" -maxdepth 3 -type d -path '*/ducc0/ducc0-*' -print -quit 2>/dev/null)}

for sanitizer; do
    folder=build/sanitize-${sanitizer//,/-}
    mkdir -p "$folder"
    {
        cmake -S . -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release -DSIDELOOK_TESTS=ON -DSIDELOOK_THREADS=std \
            -DSIDELOOK_SANITIZE="$sanitizer" ${ducc0:+"-DSIDELOOK_DUCC0_DIR=$ducc0"} &&
            cmake --build "$folder"
    } >"$folder/build.log" 2>&1 || { tail -50 "$folder/build.log" >&2; exit 1; }
    # ThreadSanitizer finds no room for its shadow where the system scatters addresses widely; setarch -R stops that.
    plain_addresses=()
    if [ "$sanitizer" = thread ] && setarch "$(uname -m)" -R true 2>/dev/null; then plain_addresses=(setarch "$(uname -m)" -R); fi
    "${plain_addresses[@]}" ctest --test-dir "$folder" --output-on-failure
done
