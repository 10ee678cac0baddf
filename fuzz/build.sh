#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the fuzzers into $OUT, each with its dictionary and its seeds, as OSS-Fuzz wants it:
#   CC CFLAGS LIB_FUZZING_ENGINE OUT [WORK] fuzz/build.sh [TARGET...]
# Without these: libFuzzer with AddressSanitizer and UndefinedBehaviorSanitizer, into build/fuzz.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."

: "${CC:=clang}"
: "${CFLAGS=-g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all}"
: "${LIB_FUZZING_ENGINE=}" # empty: CMake knows what libFuzzer needs
: "${OUT:=$PWD/build/fuzz/libfuzzer}"
: "${WORK:=$OUT.work}"

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for file in fuzz/*.c; do targets+=("$(basename "$file" .c)"); done
fi

if command -v ninja >/dev/null; then export CMAKE_GENERATOR=${CMAKE_GENERATOR:-Ninja}; fi
# -Og and NDEBUG are not ours to add: the type None adds nothing to CFLAGS.
CC=$CC CFLAGS=$CFLAGS cmake -S . -B "$WORK" -DCMAKE_BUILD_TYPE=None -DSHMRING_FUZZ=ON \
    -DSHMRING_FUZZ_ENGINE="$LIB_FUZZING_ENGINE" -DSHMRING_TESTS=OFF -DSHMRING_CLI=OFF \
    -DSHMRING_BENCH=OFF -DSHMRING_INSTALL=OFF
cmake --build "$WORK" --parallel "$(nproc)" --target "${targets[@]/#/fuzz_}"

mkdir -p "$OUT"
for target in "${targets[@]}"; do
    cp "$WORK/fuzz/fuzz_$target" "$OUT/$target"
    if [ -f "fuzz/dict/$target.dict" ]; then cp "fuzz/dict/$target.dict" "$OUT/"; fi
    lists=(fuzz/{corpus,regress}/"$target.hex")
    for list in "${lists[@]}"; do
        if [ -f "$list" ]; then fuzz/seeds.py expand "$list" "$OUT/${target}_seeds"; fi
    done
    if [ -d "$OUT/${target}_seeds" ] && command -v zip >/dev/null; then
        rm -f "$OUT/${target}_seed_corpus.zip"
        zip -q -j -r "$OUT/${target}_seed_corpus.zip" "$OUT/${target}_seeds"
    fi
done
