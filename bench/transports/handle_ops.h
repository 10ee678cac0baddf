/* SPDX-License-Identifier: MIT */
/*
 * The operations and loops of a sender and a receiver of channel.h that wait by themselves, for
 * each file that includes this: not a header but a part of that file, which has defined
 * side_sender() and side_receiver() before.
 */
#include "workloads/loops.h"

#include <errno.h>
#include <string.h>

/* An interrupted call is made again. */
static void check(int error, const char *what)
{
    if (error != 0 && error != -EINTR)
        sample_fail("%s: %s", what, strerror(-error));
}

BENCH_INLINE void *handle_reserve(void *side, uint32_t size)
{
    void *place;
    int error = shmring_sender_reserve(side_sender(side), size, SHMRING_NEVER, &place);

    if (error == 0)
        return place;
    check(error, "reserve");
    return NULL;
}

/* There is no commit of several. */
BENCH_INLINE void handle_stage(void *side, uint32_t size)
{
    shmring_sender_commit(side_sender(side), size, 0);
}

BENCH_INLINE bool handle_publish(void *side, uint32_t size)
{
    (void)side;
    (void)size;
    return true;
}

BENCH_INLINE const void *handle_next(void *side, uint32_t size)
{
    const void *message;
    uint64_t length;
    int error = shmring_receiver_peek(side_receiver(side), SHMRING_NEVER, &message, &length, NULL);

    if (error != 0) {
        check(error, "peek");
        return NULL;
    }
    if (length != size)
        sample_fail("a message of %llu bytes", (unsigned long long)length);
    return message;
}

BENCH_INLINE void handle_done(void *side, uint32_t size)
{
    (void)size;
    shmring_receiver_release(side_receiver(side));
}

/* Waits by itself, as its options say. */
static const struct ops block_ops = {
    .reserve = handle_reserve,
    .stage = handle_stage,
    .publish = handle_publish,
    .next = handle_next,
    .done = handle_done,
};

#include "workloads/block_loops.h"
