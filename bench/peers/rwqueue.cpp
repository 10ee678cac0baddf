/* SPDX-License-Identifier: MIT */
/*
 * moodycamel::ReaderWriterQueue, for one producer and one consumer, threads: blocks on the heap,
 * linked by address. One instance per message size. Messages are pushed by value and read in place.
 */
#include "transport.h"
#include "with_size.hpp"
#include "workloads/loops.h"

#include <readerwriterqueue/readerwriterqueue.h>

#include <cstdio>
#include <new>

namespace
{

template <uint32_t Size> using Queue = moodycamel::ReaderWriterQueue<Message<Size>>;

struct Side {
    void *queue;
    bool staged;
    uint8_t *buffer;
    uint32_t size;
};

template <typename Size> BENCH_INLINE Queue<Size::value> *queue_of(const Side *side, Size)
{
    return static_cast<Queue<Size::value> *>(side->queue);
}

BENCH_INLINE void *queue_reserve(void *opaque, uint32_t size)
{
    (void)size;
    return static_cast<Side *>(opaque)->buffer;
}

BENCH_INLINE void queue_stage(void *opaque, uint32_t size)
{
    (void)size;
    static_cast<Side *>(opaque)->staged = true;
}

BENCH_INLINE bool queue_publish(void *opaque, uint32_t size)
{
    Side *side = static_cast<Side *>(opaque);

    if (side->staged)
        side->staged = !with_size(
            size, [side](auto constant) __attribute__((always_inline)) {
                using One = Message<decltype(constant)::value>;

                return queue_of(side, constant)
                    ->try_enqueue(*reinterpret_cast<One *>(side->buffer));
            });
    return !side->staged;
}

BENCH_INLINE const void *queue_next(void *opaque, uint32_t size)
{
    const Side *side = static_cast<const Side *>(opaque);

    return with_size(
        size, [side](auto constant) __attribute__((always_inline))->const void * {
            return queue_of(side, constant)->peek();
        });
}

BENCH_INLINE void queue_done(void *opaque, uint32_t size)
{
    const Side *side = static_cast<const Side *>(opaque);

    with_size(
        size, [side](auto constant)
                  __attribute__((always_inline)) { return queue_of(side, constant)->pop(); });
}

constexpr struct ops spin_ops = {queue_reserve, queue_stage, queue_publish, queue_next, queue_done,
                                 nullptr,       0,           false};

#include "workloads/spin_loops.h"

Side *make_side(void *queue, uint32_t size)
{
    Side *side = new (std::nothrow) Side();

    if (side == nullptr)
        return nullptr;
    side->queue = queue;
    side->size = size;
    side->buffer = static_cast<uint8_t *>(bench_alloc(size));
    if (side->buffer != nullptr)
        return side;
    delete side;
    return nullptr;
}

void *queue_open(const struct shape *shape)
{
    void *queue = with_size(shape->size, [](auto constant) -> void * {
        constexpr uint32_t size = decltype(constant)::value;

        return new (std::nothrow) Queue<size>(bench_slots(size));
    });

    return queue != nullptr ? make_side(queue, shape->size) : nullptr;
}

void *queue_clone(const void *opaque)
{
    const Side *side = static_cast<const Side *>(opaque);

    return make_side(side->queue, side->size);
}

void queue_settings(char *ret_text, size_t text_size)
{
    std::snprintf(
        ret_text, text_size,
        "made for %d bytes, in blocks of 512 messages at most; try_enqueue by value, peek "
        "and pop in place",
        static_cast<int>(BENCH_RING_BYTES));
}

constexpr const struct loops *by_policy[POLICY_COUNT] = {&spin_loops, nullptr, nullptr};

struct transport make_transport()
{
    struct transport made = {};

    made.name = "rwqueue";
    made.note = "moodycamel::ReaderWriterQueue between threads; no batches, no blocking";
    made.is_brief = true;
    made.loops = by_policy;
    made.members = MEMBERS_THREADS;
    made.open = queue_open;
    made.clone = queue_clone;
    made.settings = queue_settings;
    return made;
}

} // namespace

extern const struct transport transport_rwqueue = make_transport();
