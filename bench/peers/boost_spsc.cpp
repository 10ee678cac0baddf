/* SPDX-License-Identifier: MIT */
/*
 * boost::lockfree::spsc_queue, one instance per message size, in shared memory. Batches are its
 * push and pop of arrays. Single messages are pushed and popped by value: it has no place to
 * reserve, and reading in place (front) was slower at some sizes and faster at none.
 */
#include "transport.h"
#include "workloads/loops.h"

#include <boost/lockfree/spsc_queue.hpp>

#include <cerrno>
#include <cstdio>
#include <new>
#include <sys/mman.h>

namespace
{

template <uint32_t Size> struct Message {
    uint64_t words[Size / 8];
};

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

    switch (size) {
    case 8:
        return push<8>(side);
    case 64:
        return push<64>(side);
    case 256:
        return push<256>(side);
    case 1024:
        return push<1024>(side);
    case 4096:
        return push<4096>(side);
    default:
        return push<65536>(side);
    }
}

BENCH_INLINE const void *queue_next(void *opaque, uint32_t size)
{
    Side *side = static_cast<Side *>(opaque);

    switch (size) {
    case 8:
        return next<8>(side);
    case 64:
        return next<64>(side);
    case 256:
        return next<256>(side);
    case 1024:
        return next<1024>(side);
    case 4096:
        return next<4096>(side);
    default:
        return next<65536>(side);
    }
}

BENCH_INLINE void queue_done(void *opaque, uint32_t size)
{
    (void)size;
    static_cast<Side *>(opaque)->used++; /* counts in batches only */
}

constexpr struct ops ops = {
    queue_reserve, queue_stage, queue_publish, queue_next, queue_done, nullptr, 0};

void produce(void *side, struct run *run)
{
    stream_produce(&ops, side, run);
}

void consume(void *side, struct run *run)
{
    stream_consume(&ops, side, run);
}

void ping(void *out, void *in, struct run *run)
{
    pingpong_ping(&ops, out, in, run);
}

void pong(void *in, void *out, struct run *run)
{
    pingpong_pong(&ops, in, out, run);
}

constexpr struct loops queue_loops = {produce, consume, ping, pong};

void *map_shared(size_t bytes, int flags)
{
    void *memory =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    return memory == MAP_FAILED ? nullptr : memory;
}

template <uint32_t Size> bool make_queue(Side *side)
{
    side->queue_bytes = sizeof(Queue<Size>);
    side->queue = map_shared(side->queue_bytes, MAP_SHARED);
    if (side->queue != nullptr)
        new (side->queue) Queue<Size>;
    return side->queue != nullptr;
}

bool make_queue(Side *side, uint32_t size)
{
    switch (size) {
    case 8:
        return make_queue<8>(side);
    case 64:
        return make_queue<64>(side);
    case 256:
        return make_queue<256>(side);
    case 1024:
        return make_queue<1024>(side);
    case 4096:
        return make_queue<4096>(side);
    default:
        return make_queue<65536>(side);
    }
}

void *queue_open(const struct shape *shape)
{
    const size_t buffer_bytes = static_cast<size_t>(max_batch) * BENCH_MAX_SIZE;
    Side *side = new (std::nothrow) Side();

    if (side == nullptr)
        return nullptr;
    side->batch = shape->batch;
    side->buffer = static_cast<uint8_t *>(map_shared(buffer_bytes, MAP_PRIVATE));
    if (side->buffer != nullptr && make_queue(side, shape->size))
        return side;
    if (side->buffer != nullptr)
        munmap(side->buffer, buffer_bytes);
    delete side;
    errno = ENOMEM;
    return nullptr;
}

void queue_close(void *opaque)
{
    Side *side = static_cast<Side *>(opaque);

    munmap(side->queue, side->queue_bytes); /* nothing in it needs a destructor */
    munmap(side->buffer, static_cast<size_t>(max_batch) * BENCH_MAX_SIZE);
    delete side;
}

void queue_settings(char *ret_text, size_t text_size)
{
    std::snprintf(ret_text, text_size,
                  "capacity %d bytes, spsc_queue with compile-time capacity; push and pop by "
                  "value; batch N: push and pop of arrays of up to N",
                  static_cast<int>(BENCH_RING_BYTES));
}

struct transport make_transport()
{
    struct transport made = {};

    made.name = "boost_spsc";
    made.note = "boost::lockfree::spsc_queue; /bN pushes and pops arrays; no blocking";
    made.loops[POLICY_SPIN] = &queue_loops;
    made.batches[0] = max_batch;
    made.open = queue_open;
    made.close = queue_close;
    made.settings = queue_settings;
    return made;
}

} // namespace

extern const struct transport transport_boost_spsc = make_transport();
