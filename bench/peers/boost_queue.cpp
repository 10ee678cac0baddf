/* SPDX-License-Identifier: MIT */
/* boost::lockfree::queue of fixed size, one instance per message size, in shared memory: its nodes
 * lie in it and are linked by index. Messages are pushed and popped by value. */
#include "transport.h"
#include "workloads/crowd_loop.h"

#include <boost/lockfree/queue.hpp>

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
using Queue = boost::lockfree::queue<Message<Size>, boost::lockfree::capacity<BENCH_CROWD_SLOTS>>;

struct Channel {
    void *queue;
    size_t bytes;
};

struct alignas(128) Side {
    void *queue;
    uint64_t buffer[8];
};

BENCH_INLINE void *queue_reserve(void *opaque, uint32_t size)
{
    (void)size;
    return static_cast<Side *>(opaque)->buffer;
}

BENCH_INLINE void queue_stage(void *opaque, uint32_t size)
{
    (void)opaque;
    (void)size;
}

template <uint32_t Size> BENCH_INLINE bool push(Side *side)
{
    Message<Size> message;

    memcpy(&message, side->buffer, Size);
    return static_cast<Queue<Size> *>(side->queue)->bounded_push(message);
}

template <uint32_t Size> BENCH_INLINE bool pop(Side *side)
{
    Message<Size> message;

    if (!static_cast<Queue<Size> *>(side->queue)->pop(message))
        return false;
    memcpy(side->buffer, &message, Size);
    return true;
}

BENCH_INLINE bool queue_publish(void *opaque, uint32_t size)
{
    Side *side = static_cast<Side *>(opaque);

    return size == 8 ? push<8>(side) : push<64>(side);
}

BENCH_INLINE const void *queue_next(void *opaque, uint32_t size)
{
    Side *side = static_cast<Side *>(opaque);

    return (size == 8 ? pop<8>(side) : pop<64>(side)) ? side->buffer : nullptr;
}

BENCH_INLINE void queue_done(void *opaque, uint32_t size)
{
    (void)opaque;
    (void)size;
}

constexpr struct ops crowd_ops = {queue_reserve, queue_stage, queue_publish, queue_next, queue_done,
                                  nullptr,       0,           false};

#include "workloads/crowd_loops.h"

template <uint32_t Size> void make_queue(Channel *channel)
{
    channel->bytes = sizeof(Queue<Size>);
    channel->queue = bench_share(channel->bytes);
    if (channel->queue != nullptr)
        new (channel->queue) Queue<Size>;
}

void *queue_open(const struct shape *shape)
{
    Channel *channel = new (std::nothrow) Channel();

    if (channel == nullptr) {
        errno = ENOMEM;
        return nullptr;
    }
    if (shape->size == 8)
        make_queue<8>(channel);
    else
        make_queue<64>(channel);
    if (channel->queue != nullptr)
        return channel;
    delete channel;
    return nullptr;
}

void queue_close(void *opaque)
{
    Channel *channel = static_cast<Channel *>(opaque);

    munmap(channel->queue, channel->bytes); /* nothing in it needs a destructor */
    delete channel;
}

void *queue_join(void *opaque, enum role role)
{
    Side *side = new (std::nothrow) Side();

    (void)role;
    if (side == nullptr)
        errno = ENOMEM;
    else
        side->queue = static_cast<Channel *>(opaque)->queue;
    return side;
}

void queue_leave(void *opaque, enum role role)
{
    (void)role;
    delete static_cast<Side *>(opaque);
}

void queue_settings(char *ret_text, size_t text_size)
{
    std::snprintf(ret_text, text_size,
                  "capacity<%d> at compile time; bounded_push and pop by value",
                  static_cast<int>(BENCH_CROWD_SLOTS));
}

constexpr struct crowd_kind queue_crowd = {&crowd_loops, nullptr,     true,
                                           queue_join,   queue_leave, nullptr};

struct transport make_transport()
{
    struct transport made = {};

    made.name = "boost_queue";
    made.note = "boost::lockfree::queue, linked nodes of a fixed array";
    made.crowd = &queue_crowd;
    made.open = queue_open;
    made.close = queue_close;
    made.settings = queue_settings;
    return made;
}

} // namespace

extern const struct transport transport_boost_queue = make_transport();
