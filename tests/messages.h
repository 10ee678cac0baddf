/* SPDX-License-Identifier: MIT */
/* Numbered messages whose length and every byte follow from the number: a torn, lost, doubled or
 * reordered one shows. */
#ifndef SHMRING_TESTS_MESSAGES_H
#define SHMRING_TESTS_MESSAGES_H

#include "check.h"

#include <shmring/shmring.h>
#include <string.h>
#include <sys/random.h>

enum {
    MESSAGE_MAX = 600,
};

static inline uint64_t message_hash(uint64_t number)
{
    number = (number ^ (number >> 31)) * UINT64_C(0x9e3779b97f4a7c15);
    return number ^ (number >> 29);
}

static inline uint64_t message_length(uint64_t number)
{
    return 8 + message_hash(number) % (MESSAGE_MAX - 8);
}

static inline void message_write(void *place, uint64_t number)
{
    memset(place, (int)(message_hash(number) >> 32 & 0xff), message_length(number));
    memcpy(place, &number, sizeof number);
}

static inline uint32_t message_type(uint64_t number)
{
    return (uint32_t)(message_hash(number) >> 7);
}

/* Is this message number, whole? */
static inline bool message_is(const void *message, uint64_t length, uint32_t type, uint64_t number)
{
    uint8_t want[MESSAGE_MAX];

    if (length != message_length(number) || type != message_type(number))
        return false;
    message_write(want, number);
    return memcmp(message, want, length) == 0;
}

/* The seed of a test: its first argument, or a new one. Printed, to be given back. */
static inline uint64_t test_seed(int argc, char **argv)
{
    uint64_t seed;

    if (argc > 1)
        seed = strtoull(argv[1], NULL, 0);
    else
        CHECK(getrandom(&seed, sizeof seed, 0) == (ssize_t)sizeof seed);
    printf("seed %#llx\n", (unsigned long long)seed);
    fflush(stdout);
    return seed;
}

/* Runs the test in a child, so that what it leaves in /dev/shm is removed however it ends. */
static inline int test_and_remove(void (*test)(uint64_t seed, int rounds), uint64_t seed,
                                  int rounds, const char *name)
{
    pid_t child = check_fork();

    if (child == 0) {
        test(seed, rounds);
        fflush(NULL);
        _exit(0);
    }
    int status = check_wait(child);

    shmring_segment_unlink(name);
    return status < 0 ? 1 : status;
}

/* splitmix64 */
static inline uint64_t test_random(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

#endif
