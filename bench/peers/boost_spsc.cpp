/* SPDX-License-Identifier: MIT */
/*
 * boost::lockfree::spsc_queue, one instance per message size, in shared memory. Batches are its
 * push and pop of arrays. Single messages are pushed and popped by value: it has no place to
 * reserve, and reading in place (front) was slower at some sizes and faster at none.
 */
#include "transport.h"
#include "with_size.hpp"
#include "workloads/loops.h"

#include <boost/lockfree/spsc_queue.hpp>

#include <cstdio>
#include <cstdlib>
#include <new>
#include <sys/mman.h>

namespace
{

template <uint32_t Size>
using Queue =
    boost::lockfree::spsc_queue<Message<Size>, boost::lockfree::capacity<BENCH_RING_BYTES / Size>>;

constexpr uint32_t max_batch = 32;

struct Side {
    void *queue;
    size_t queue_bytes;
    uint32_t batch;
    uint32_t staged; /* messages in the buffer: to push, or popped */
    uint32_t used;   /* of those, already pushed, or read */
    uint8_t *buffer;
};

template <uint32_t Size> BENCH_INLINE bool push(Side *side)
{
    auto *queue = static_cast<Queue<Size> *>(side->queue);
    auto *messages = reinterpret_cast<const Message<Size> *>(side->buffer);

    if (side->staged == 0)
        return true;
    if (side->batch == 1) {
        if (!queue->push(*messages))
            return false;
    } else {
        side->used +=
            static_cast<uint32_t>(queue->push(messages + side->used, side->staged - side->used));
        if (side->used < side->staged)
            return false;
        side->used = 0;
    }
    side->staged = 0;
    return true;
}

template <uint32_t Size> BENCH_INLINE const void *next(Side *side)
{
    auto *queue = static_cast<Queue<Size> *>(side->queue);
    auto *messages = reinterpret_cast<Message<Size> *>(side->buffer);

    if (side->batch != 1) {
        if (side->used == side->staged) {
            side->used = 0;
            side->staged = static_cast<uint32_t>(queue->pop(messages, side->batch));
            if (side->staged == 0)
                return nullptr;
        }
        return messages + side->used;
    }
    return queue->pop(*messages) ? messages : nullptr;
}

BENCH_INLINE void *queue_reserve(void *opaque, uint32_t size)
{
    Side *side = static_cast<Side *>(opaque);

    return side->buffer + static_cast<size_t>(side->staged) * size;
}

BENCH_INLINE void queue_stage(void *opaque, uint32_t size)
{
    (void)size;
    static_cast<Side *>(opaque)->staged++;
}

BENCH_INLINE bool queue_publish(void *opaque, uint32_t size)
{
    Side *side = static_cast<Side *>(opaque);

    return with_size(
        size, [side](auto constant)
                  __attribute__((always_inline)) { return push<decltype(constant)::value>(side); });
}

BENCH_INLINE const void *queue_next(void *opaque, uint32_t size)
{
    Side *side = static_cast<Side *>(opaque);

    return with_size(
        size, [side](auto constant)
                  __attribute__((always_inline)) { return next<decltype(constant)::value>(side); });
}

BENCH_INLINE void queue_done(void *opaque, uint32_t size)
{
    (void)size;
    static_cast<Side *>(opaque)->used++; /* counts in batches only */
}

constexpr struct ops spin_ops = {queue_reserve, queue_stage, queue_publish, queue_next, queue_done,
                                 nullptr,       0,           false};

#include "workloads/spin_loops.h"

template <uint32_t Size> bool make_queue(Side *side)
{
    side->queue_bytes = sizeof(Queue<Size>);
    side->queue = bench_share(side->queue_bytes);
    if (side->queue != nullptr)
        new (side->queue) Queue<Size>;
    return side->queue != nullptr;
}

void *queue_open(const struct shape *shape)
{
    Side *side = new (std::nothrow) Side();

    if (side == nullptr)
        return nullptr;
    side->batch = shape->batch;
    side->buffer =
        static_cast<uint8_t *>(bench_alloc(static_cast<size_t>(shape->batch) * shape->size));
    if (side->buffer != nullptr &&
        with_size(
            shape->size, [side](auto constant) __attribute__((always_inline)) {
                return make_queue<decltype(constant)::value>(side);
            }))
        return side;
    std::free(side->buffer);
    delete side;
    return nullptr;
}

void queue_close(void *opaque)
{
    Side *side = static_cast<Side *>(opaque);

    munmap(side->queue, side->queue_bytes); /* nothing in it needs a destructor */
    std::free(side->buffer);
    delete side;
}

void queue_settings(char *ret_text, size_t text_size)
{
    std::snprintf(ret_text, text_size,
                  "capacity %d bytes, spsc_queue with compile-time capacity; push and pop by "
                  "value; batch N: push and pop of arrays of up to N",
                  static_cast<int>(BENCH_RING_BYTES));
}

constexpr const struct loops *by_policy[POLICY_COUNT] = {&spin_loops, nullptr, nullptr};

struct transport make_transport()
{
    struct transport made = {};

    made.name = "boost_spsc";
    made.note = "boost::lockfree::spsc_queue; /bN pushes and pops arrays; no blocking";
    made.loops = by_policy;
    made.batches[0] = max_batch;
    made.open = queue_open;
    made.close = queue_close;
    made.settings = queue_settings;
    return made;
}

} // namespace

extern const struct transport transport_boost_spsc = make_transport();
