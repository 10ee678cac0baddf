/* SPDX-License-Identifier: MIT */
/* Elements of one size. */
#include "memory.h"

#include <errno.h>

struct tick {
    uint64_t number;
    double price;
    uint32_t volume;
};

Test(spsc_array, elements_arrive_in_order_in_runs_of_any_length)
{
    ring_memory memory = ring_memory_new(sizeof(struct tick), 64);
    shmring_array_producer producer;
    shmring_array_consumer consumer;
    uint64_t sent = 0, got = 0;
    unsigned seed = 1;

    cr_assert_eq(shmring_array_attach_producer(&producer, memory.base, &memory.geometry, -1), 0);
    cr_assert_eq(shmring_array_attach_consumer(&consumer, memory.base, &memory.geometry, -1), 0);
    while (got < 100000) {
        uint64_t count = 0;
        uint64_t wanted = (uint64_t)rand_r(&seed) % 40 + 1;
        struct tick *out = shmring_array_reserve(&producer, wanted, &count);

        cr_assert(out != NULL || sent - got == 64, "NULL only when full");
        for (uint64_t i = 0; out != NULL && i < count; i++)
            out[i] = (struct tick){.number = sent++};
        if (out != NULL)
            cr_assert(shmring_array_commit(&producer, count));
        const struct tick *in =
            shmring_array_peek(&consumer, (uint64_t)rand_r(&seed) % 40 + 1, &count);
        cr_assert(in != NULL || sent == got, "NULL only when empty");
        for (uint64_t i = 0; in != NULL && i < count; i++)
            cr_assert_eq(in[i].number, got++);
        if (in != NULL)
            cr_assert(shmring_array_release(&consumer, count));
        if (in != NULL)
            shmring_spsc_flush(&consumer.spsc);
    }
    shmring_array_detach_producer(&producer);
    shmring_array_detach_consumer(&consumer);
    ring_memory_free(&memory);
}

Test(spsc_array, commit_and_release_may_take_less_but_not_more)
{
    ring_memory memory = ring_memory_new(3, 8);
    shmring_array_producer producer;
    shmring_array_consumer consumer;
    uint64_t count;

    cr_assert_eq(shmring_array_attach_producer(&producer, memory.base, &memory.geometry, -1), 0);
    cr_assert_eq(shmring_array_attach_consumer(&consumer, memory.base, &memory.geometry, -1), 0);
    uint8_t *out = shmring_array_reserve(&producer, 100, &count);
    cr_assert_not_null(out);
    cr_assert_eq(count, 8);
    memcpy(out, "abcdefghi", 9);
    cr_expect_not(shmring_array_commit(&producer, 9));
    cr_expect(shmring_array_commit(&producer, 3));
    cr_expect_not(shmring_array_commit(&producer, 1), "used up");
    const uint8_t *in = shmring_array_peek(&consumer, 100, &count);
    cr_assert_not_null(in);
    cr_expect_eq(count, 3);
    cr_expect_not(shmring_array_release(&consumer, 4));
    cr_expect(shmring_array_release(&consumer, 1));
    in = shmring_array_peek(&consumer, 100, &count);
    cr_expect_eq(count, 2);
    cr_expect_eq(memcmp(in, "defghi", 6), 0);
    cr_expect_null(shmring_array_peek(&consumer, 0, &count), "nothing wanted, nothing given");
    ring_memory_free(&memory);
}

Test(spsc_array, a_message_ring_is_no_array)
{
    ring_memory memory = ring_memory_new(0, 4096);
    shmring_array_producer producer;
    shmring_array_consumer consumer;

    cr_expect_eq(shmring_array_attach_producer(&producer, memory.base, &memory.geometry, -1),
                 -EPROTOTYPE);
    cr_expect_eq(shmring_array_attach_consumer(&consumer, memory.base, &memory.geometry, -1),
                 -EPROTOTYPE);
    ring_memory_free(&memory);
}

Test(spsc_array, impossible_positions_poison)
{
    ring_memory memory = ring_memory_new(8, 8);
    shmring_array_producer producer;
    shmring_array_consumer consumer;
    uint64_t count = 77;

    cr_assert_eq(shmring_array_attach_producer(&producer, memory.base, &memory.geometry, -1), 0);
    cr_assert_eq(shmring_array_attach_consumer(&consumer, memory.base, &memory.geometry, -1), 0);
    shmring_store64_relaxed(&ring_memory_role(&memory, true)->pos, 9);
    cr_expect_null(shmring_array_peek(&consumer, 8, &count));
    cr_expect_eq(shmring_spsc_error(&consumer.spsc.side), -EBADMSG);
    cr_assert_not_null(shmring_array_reserve(&producer, 8, &count));
    cr_assert(shmring_array_commit(&producer, 8));
    shmring_store64_relaxed(&ring_memory_role(&memory, false)->pos, 9);
    count = 77;
    cr_expect_null(shmring_array_reserve(&producer, 1, &count));
    cr_expect_eq(count, 77);
    cr_expect_eq(shmring_spsc_error(&producer.spsc.side), -EBADMSG);
    ring_memory_free(&memory);
}
