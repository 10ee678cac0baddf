/* SPDX-License-Identifier: MIT */
/*
 * moodycamel::ConcurrentQueue, for threads: a queue for each producer, and consumers who go from
 * one to the next. Without tokens, and with (as its author advises): a token saves looking up which
 * queue is whose. It is no bounded queue; each producer's is limited here, and none allocates.
 */
#include "transport.h"
#include "workloads/crowd_loop.h"

#include <concurrentqueue/concurrentqueue.h>

#include <cerrno>
#include <cstdio>
#include <new>

namespace
{

template <uint32_t Size> struct Message {
    uint64_t words[Size / 8];
};

struct Traits : moodycamel::ConcurrentQueueDefaultTraits {
    static const size_t MAX_SUBQUEUE_SIZE = BENCH_CROWD_SLOTS;
};

template <uint32_t Size> using Queue = moodycamel::ConcurrentQueue<Message<Size>, Traits>;

struct Channel {
    Queue<8> *of_8;
    Queue<64> *of_64;
    uint32_t batch;
};

struct alignas(128) Side {
    Channel *channel;
    moodycamel::ProducerToken *producer;
    moodycamel::ConsumerToken *consumer;
    uint32_t batch;
    uint32_t staged; /* messages in the buffer: to send, or received */
    uint32_t used;   /* received: of those, already read */
    alignas(64) uint8_t buffer[BENCH_CROWD_BATCH_MAX * 64];
};

template <uint32_t Size> BENCH_INLINE Queue<Size> *queue_of(const Side *side)
{
    if constexpr (Size == 8)
        return side->channel->of_8;
    else
        return side->channel->of_64;
}

template <uint32_t Size, bool Tokens> BENCH_INLINE bool push(Side *side)
{
    Queue<Size> *queue = queue_of<Size>(side);
    auto *messages = reinterpret_cast<const Message<Size> *>(side->buffer);

    if (side->batch == 1)
        return Tokens ? queue->try_enqueue(*side->producer, *messages)
                      : queue->try_enqueue(*messages);
    return Tokens ? queue->try_enqueue_bulk(*side->producer, messages, side->staged)
                  : queue->try_enqueue_bulk(messages, side->staged);
}

template <uint32_t Size, bool Tokens> BENCH_INLINE const void *next(Side *side)
{
    Queue<Size> *queue = queue_of<Size>(side);
    auto *messages = reinterpret_cast<Message<Size> *>(side->buffer);

    if (side->batch == 1) {
        bool taken =
            Tokens ? queue->try_dequeue(*side->consumer, *messages) : queue->try_dequeue(*messages);

        return taken ? messages : nullptr;
    }
    if (side->used == side->staged) {
        size_t count = Tokens ? queue->try_dequeue_bulk(*side->consumer, messages, side->batch)
                              : queue->try_dequeue_bulk(messages, side->batch);

        side->used = 0;
        side->staged = static_cast<uint32_t>(count);
        if (count == 0)
            return nullptr;
    }
    return messages + side->used;
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

template <bool Tokens> BENCH_INLINE bool queue_publish(void *opaque, uint32_t size)
{
    Side *side = static_cast<Side *>(opaque);

    if (!(size == 8 ? push<8, Tokens>(side) : push<64, Tokens>(side)))
        return false;
    side->staged = 0;
    return true;
}

template <bool Tokens> BENCH_INLINE const void *queue_next(void *opaque, uint32_t size)
{
    Side *side = static_cast<Side *>(opaque);

    return size == 8 ? next<8, Tokens>(side) : next<64, Tokens>(side);
}

BENCH_INLINE void queue_done(void *opaque, uint32_t size)
{
    (void)size;
    static_cast<Side *>(opaque)->used++; /* counts in batches only */
}

template <bool Tokens>
constexpr struct ops queue_ops = {
    queue_reserve, queue_stage, queue_publish<Tokens>, queue_next<Tokens>, queue_done, nullptr, 0,
    false};

template <bool Tokens> void produce(void *side, struct crowd_member *self)
{
    crowd_produce(&queue_ops<Tokens>, side, self);
}

template <bool Tokens> void consume(void *side, struct crowd_member *self)
{
    crowd_consume(&queue_ops<Tokens>, side, self);
}

template <bool Tokens> void solo(void *out, void *in, struct crowd_member *self)
{
    crowd_solo(&queue_ops<Tokens>, out, in, self);
}

template <bool Tokens>
constexpr struct crowd_loops queue_loops = {produce<Tokens>, consume<Tokens>, solo<Tokens>};

void *queue_open(const struct shape *shape)
{
    Channel *channel = new (std::nothrow) Channel();

    if (channel == nullptr) {
        errno = ENOMEM;
        return nullptr;
    }
    channel->batch = shape->batch;
    /* So much for each producer, with or without tokens. */
    if (shape->size == 8)
        channel->of_8 =
            new (std::nothrow) Queue<8>(BENCH_CROWD_SLOTS, shape->producers, shape->producers);
    else
        channel->of_64 =
            new (std::nothrow) Queue<64>(BENCH_CROWD_SLOTS, shape->producers, shape->producers);
    if (channel->of_8 != nullptr || channel->of_64 != nullptr)
        return channel;
    delete channel;
    errno = ENOMEM;
    return nullptr;
}

void queue_close(void *opaque)
{
    Channel *channel = static_cast<Channel *>(opaque);

    delete channel->of_8;
    delete channel->of_64;
    delete channel;
}

void *join_plain(void *opaque, enum role role)
{
    Side *side = new (std::nothrow) Side();

    (void)role;
    if (side == nullptr) {
        errno = ENOMEM;
        return nullptr;
    }
    side->channel = static_cast<Channel *>(opaque);
    side->batch = side->channel->batch;
    return side;
}

template <typename AnyQueue> void take_token(Side *side, AnyQueue *queue, enum role role)
{
    if (role == ROLE_PRODUCER)
        side->producer = new moodycamel::ProducerToken(*queue);
    else
        side->consumer = new moodycamel::ConsumerToken(*queue);
}

void *join_with_token(void *opaque, enum role role)
{
    Side *side = static_cast<Side *>(join_plain(opaque, role));

    if (side != nullptr && side->channel->of_8 != nullptr)
        take_token(side, side->channel->of_8, role);
    else if (side != nullptr)
        take_token(side, side->channel->of_64, role);
    return side;
}

void queue_leave(void *opaque, enum role role)
{
    Side *side = static_cast<Side *>(opaque);

    (void)role;
    delete side->producer;
    delete side->consumer;
    delete side;
}

bool queue_holds(const void *opaque)
{
    const Side *side = static_cast<const Side *>(opaque);

    return side->batch != 1 && side->used != side->staged;
}

void queue_settings(char *ret_text, size_t text_size)
{
    std::snprintf(ret_text, text_size,
                  "at most %d messages of each producer, allocated before; try_enqueue and "
                  "try_dequeue by value, with batch N the bulk forms",
                  static_cast<int>(BENCH_CROWD_SLOTS));
}

const char threads_only[] = "its members are threads only: it lies on the heap of one process";

constexpr struct crowd_kind plain_crowd = {&queue_loops<false>, threads_only, true,
                                           join_plain,          queue_leave,  queue_holds};
constexpr struct crowd_kind token_crowd = {&queue_loops<true>, threads_only, true,
                                           join_with_token,    queue_leave,  queue_holds};

struct transport make_transport(const char *name, const char *note, const struct crowd_kind *crowd)
{
    struct transport made = {};

    made.name = name;
    made.note = note;
    made.batches[0] = BENCH_CROWD_BATCH_MAX;
    made.crowd = crowd;
    made.open = queue_open;
    made.close = queue_close;
    made.settings = queue_settings;
    return made;
}

} // namespace

extern const struct transport transport_moodycamel = make_transport(
    "moodycamel", "moodycamel::ConcurrentQueue; no order between producers", &plain_crowd);
extern const struct transport transport_moodycamel_tok =
    make_transport("moodycamel_tok", "the same with producer and consumer tokens", &token_crowd);
