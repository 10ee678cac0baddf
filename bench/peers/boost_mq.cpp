/* SPDX-License-Identifier: MIT */
/* boost::interprocess::message_queue: a priority queue under one mutex, with two condition
 * variables. All messages have one priority; it is tried, never waited in, but for its mutex. */
#include "transport.h"
#include "workloads/crowd_loop.h"

#include <boost/interprocess/ipc/message_queue.hpp>

#include <cerrno>
#include <cstdio>
#include <new>
#include <unistd.h>

namespace
{

using Queue = boost::interprocess::message_queue;

struct alignas(128) Side {
    Queue *queue;
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

BENCH_INLINE bool queue_publish(void *opaque, uint32_t size)
{
    Side *side = static_cast<Side *>(opaque);

    return side->queue->try_send(side->buffer, size, 0);
}

BENCH_INLINE const void *queue_next(void *opaque, uint32_t size)
{
    Side *side = static_cast<Side *>(opaque);
    Queue::size_type length;
    unsigned priority;

    if (!side->queue->try_receive(side->buffer, size, length, priority))
        return nullptr;
    if (length != size)
        sample_wrong("a message of %zu bytes", static_cast<size_t>(length));
    return side->buffer;
}

BENCH_INLINE void queue_done(void *opaque, uint32_t size)
{
    (void)opaque;
    (void)size;
}

constexpr struct ops crowd_ops = {
    queue_reserve, queue_stage, queue_publish, queue_next, queue_done, nullptr, 0};

#include "workloads/crowd_loops.h"

/* It needs a name to be made; its mapping goes through fork. */
void *queue_open(const struct shape *shape)
{
    char name[48];

    std::snprintf(name, sizeof name, "shmring-bench-%d", static_cast<int>(getpid()));
    try {
        Queue *queue =
            new Queue(boost::interprocess::create_only, name, BENCH_CROWD_SLOTS, shape->size);

        Queue::remove(name);
        return queue;
    } catch (const std::exception &) {
        Queue::remove(name);
        errno = ENOMEM;
        return nullptr;
    }
}

void queue_close(void *opaque)
{
    delete static_cast<Queue *>(opaque);
}

void *queue_join(void *opaque, enum role role)
{
    Side *side = new (std::nothrow) Side();

    (void)role;
    if (side == nullptr)
        errno = ENOMEM;
    else
        side->queue = static_cast<Queue *>(opaque);
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
                  "%d messages of one priority; try_send and try_receive by copy",
                  static_cast<int>(BENCH_CROWD_SLOTS));
}

constexpr struct crowd_kind queue_crowd = {&crowd_loops, nullptr,     true,
                                           queue_join,   queue_leave, nullptr};

struct transport make_transport()
{
    struct transport made = {};

    made.name = "boost_mq";
    made.note = "boost::interprocess::message_queue, under one mutex";
    made.crowd = &queue_crowd;
    made.open = queue_open;
    made.close = queue_close;
    made.settings = queue_settings;
    return made;
}

} // namespace

extern const struct transport transport_boost_mq = make_transport();
