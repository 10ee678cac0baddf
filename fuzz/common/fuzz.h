/* SPDX-License-Identifier: MIT */
/* What all targets share: how bytes become decisions, and how a broken claim becomes a finding. */
#ifndef SHMRING_FUZZ_H
#define SHMRING_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What each target defines. Never keeps anything of one input for the next. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes of an input that were not used yet. Beyond its end all is 0. */
typedef struct fuzz_input {
    const uint8_t *at, *end;
} fuzz_input;

static inline uint8_t fuzz_byte(fuzz_input *input)
{
    return input->at == input->end ? 0 : *input->at++;
}

/* size bytes, the lowest first. */
static inline uint64_t fuzz_number(fuzz_input *input, unsigned size)
{
    uint64_t number = 0;

    for (unsigned i = 0; i < size; i++)
        number |= (uint64_t)fuzz_byte(input) << 8 * i;
    return number;
}

static inline size_t fuzz_left(const fuzz_input *input)
{
    return (size_t)(input->end - input->at);
}

/* The next size bytes, or what is left of them, as an input of their own. */
static inline fuzz_input fuzz_part(fuzz_input *input, size_t size)
{
    fuzz_input part = {input->at, input->at + (size < fuzz_left(input) ? size : fuzz_left(input))};

    input->at = part.end;
    return part;
}

static inline _Noreturn void fuzz_fail(const char *claim, long long is)
{
    fprintf(stderr, "broken: %s (%lld)\n", claim, is);
    abort();
}

static inline void fuzz_expect(bool holds, const char *claim)
{
    if (__builtin_expect(!holds, false))
        fuzz_fail(claim, 0);
}

/* error is 0, or minus one of the documented numbers, a list that ends with 0. */
static inline void fuzz_expect_documented(int error, const int *documented, const char *call)
{
    if (error == 0)
        return;
    for (; *documented != 0; documented++)
        if (error == -*documented)
            return;
    fuzz_fail(call, error);
}

#endif
