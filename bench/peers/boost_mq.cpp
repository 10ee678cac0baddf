/* SPDX-License-Identifier: MIT */
/*
 * boost::interprocess::message_queue: a priority queue under one mutex, with two condition
 * variables, by copy. All messages have one priority. For two and for many; those never wait in it,
 * but for its mutex.
 */
#include "transports/copying.h"
#include "workloads/crowd_loop.h"

#include <boost/interprocess/ipc/message_queue.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace
{

using Queue = boost::interprocess::message_queue;

enum { COPYING_LOSES = false };

static_assert(BENCH_QUEUE_DEPTH == BENCH_CROWD_SLOTS, "as deep for two as for many");

struct side {
    struct copying copying;
    struct shape shape;
    Queue *queue;
};

BENCH_INLINE bool side_send(struct side *side, uint32_t size, bool waits)
{
    if (!waits)
        return side->queue->try_send(side->copying.buffer, size, 0);
    side->queue->send(side->copying.buffer, size, 0);
    return true;
}

BENCH_INLINE bool side_receive(struct side *side, uint32_t size, bool waits)
{
    Queue::size_type length = 0;
    unsigned priority;

    if (waits)
        side->queue->receive(side->copying.buffer, size, length, priority);
    else if (!side->queue->try_receive(side->copying.buffer, size, length, priority))
        return false;
    if (length != size)
        sample_wrong("a message of %zu bytes", static_cast<size_t>(length));
    return true;
}

#include "transports/copying_ops.h"

constexpr struct ops crowd_ops = {
    copying_reserve, copying_stage, copying_publish, copying_next, copying_done, nullptr, 0, false};

#include "workloads/crowd_loops.h"

struct side *make_side(Queue *queue, const struct shape *shape)
{
    struct side *side = static_cast<struct side *>(copying_alloc(sizeof *side, 0, shape));

    if (side == nullptr)
        return nullptr;
    side->queue = queue;
    side->shape = *shape;
    return side;
}

/* It needs a name to be made; its mapping goes through fork. */
void *queue_open(const struct shape *shape)
{
    static unsigned count;
    char name[48];

    std::snprintf(name, sizeof name, "shmring-bench.%d.%u", static_cast<int>(getpid()), count++);
    try {
        Queue *queue = new Queue(boost::interprocess::create_only, name, bench_depth(shape->size),
                                 shape->size);
        struct side *side = make_side(queue, shape);

        Queue::remove(name);
        if (side == nullptr)
            delete queue;
        return side;
    } catch (const std::exception &) {
        Queue::remove(name);
        errno = ENOMEM;
        return nullptr;
    }
}

void queue_close(void *opaque)
{
    struct side *side = static_cast<struct side *>(opaque);

    delete side->queue;
    std::free(side);
}

void *queue_join(void *opaque, enum role role)
{
    const struct side *opened = static_cast<struct side *>(opaque);

    (void)role;
    return make_side(opened->queue, &opened->shape);
}

void queue_leave(void *opaque, enum role role)
{
    (void)role;
    std::free(opaque);
}

void queue_settings(char *ret_text, size_t text_size)
{
    std::snprintf(
        ret_text, text_size,
        "%d messages of one priority, or fewer so that they are %d bytes; by copy; block: "
        "send and receive; spin: try_send and try_receive; adaptive: both",
        static_cast<int>(BENCH_QUEUE_DEPTH), static_cast<int>(BENCH_RING_BYTES));
}

constexpr struct crowd_kind queue_crowd = {&crowd_loops, nullptr,     true,
                                           queue_join,   queue_leave, nullptr};

constexpr const struct loops *by_policy[POLICY_COUNT] = {&block_loops, &adaptive_loops,
                                                         &block_loops};

struct transport make_transport()
{
    struct transport made = {};

    made.name = "boost_mq";
    made.note = "boost::interprocess::message_queue, under one mutex";
    made.is_brief = true;
    made.loops = by_policy;
    made.crowd = &queue_crowd;
    made.open = queue_open;
    made.close = queue_close;
    made.settings = queue_settings;
    return made;
}

} // namespace

extern const struct transport transport_boost_mq = make_transport();
