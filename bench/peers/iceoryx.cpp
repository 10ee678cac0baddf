/* SPDX-License-Identifier: MIT */
/*
 * iceoryx: chunks of shared memory that its daemon provides, written and read in place. None is
 * lost: a publisher waits, in its own way, for a subscriber whose queue is full.
 */
#include "roudi.h"
#include "transport.h"
#include "workloads/loops.h"

#include <iceoryx_hoofs/log/logmanager.hpp>
#include <iceoryx_posh/popo/untyped_publisher.hpp>
#include <iceoryx_posh/popo/untyped_subscriber.hpp>
#include <iceoryx_posh/popo/wait_set.hpp>
#include <iceoryx_posh/runtime/posh_runtime.hpp>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <new>
#include <sched.h>
#include <string>
#include <unistd.h>

namespace
{

using iox::popo::UntypedPublisher;
using iox::popo::UntypedSubscriber;

constexpr uint32_t queue_max = 256; /* of iceoryx */

struct Side {
    UntypedPublisher *publisher;
    UntypedSubscriber *subscriber;
    iox::popo::WaitSet<1> *waits; /* of a subscriber that sleeps */
    void *place;
    const void *message;
    struct shape shape;
    std::string name;
};

BENCH_INLINE void *chunk_reserve(void *opaque, uint32_t size)
{
    Side *side = static_cast<Side *>(opaque);

    side->place = nullptr;
    side->publisher->loan(size, 8).and_then([side](auto &place) { side->place = place; });
    return side->place;
}

/* There is no publication of several. */
BENCH_INLINE void chunk_stage(void *opaque, uint32_t size)
{
    Side *side = static_cast<Side *>(opaque);

    (void)size;
    side->publisher->publish(side->place);
}

BENCH_INLINE bool chunk_publish(void *opaque, uint32_t size)
{
    (void)opaque;
    (void)size;
    return true;
}

BENCH_INLINE const void *chunk_next(void *opaque, uint32_t size)
{
    Side *side = static_cast<Side *>(opaque);

    (void)size;
    side->message = nullptr;
    side->subscriber->take().and_then([side](auto &message) { side->message = message; });
    return side->message;
}

BENCH_INLINE void chunk_done(void *opaque, uint32_t size)
{
    Side *side = static_cast<Side *>(opaque);

    (void)size;
    side->subscriber->release(side->message);
}

void chunk_sleep(void *opaque, uint32_t size)
{
    Side *side = static_cast<Side *>(opaque);

    (void)size;
    if (side->waits != nullptr)
        side->waits->wait();
    else
        sched_yield(); /* no chunk is free */
}

constexpr struct ops spin_ops = {chunk_reserve, chunk_stage, chunk_publish, chunk_next, chunk_done,
                                 nullptr,       0,           false};
constexpr struct ops block_ops = {chunk_reserve, chunk_stage, chunk_publish, chunk_next, chunk_done,
                                  chunk_sleep,   0,           false};
constexpr struct ops adaptive_ops = {chunk_reserve, chunk_stage, chunk_publish,       chunk_next,
                                     chunk_done,    chunk_sleep, RING_TRIES_PER_LOOK, false};

#include "workloads/adaptive_loops.h"
#include "workloads/block_loops.h"
#include "workloads/spin_loops.h"

void *chunk_open(const struct shape *shape)
{
    static unsigned count;
    int error = roudi_start();
    Side *side = error == 0 ? new (std::nothrow) Side() : nullptr;

    if (side == nullptr) {
        errno = error != 0 ? -error : ENOMEM;
        return nullptr;
    }
    side->shape = *shape;
    side->name = "shmring-bench." + std::to_string(getpid()) + "." + std::to_string(count++);
    return side;
}

/* A process is known by the first channel that it attaches to, and its role there. */
std::string process_name(const Side *side, enum role role)
{
    return side->name + (role == ROLE_PRODUCER ? ".sender" : ".receiver");
}

/* Once per process. */
void join_daemon(const Side *side, enum role role)
{
    static bool has_joined;

    if (has_joined)
        return;
    has_joined = true;
    iox::log::LogManager::GetLogManager().SetDefaultLogLevel(
        iox::log::LogLevel::kOff, iox::log::LogLevelOutput::kHideLogLevel);
    iox::runtime::PoshRuntime::initRuntime(
        iox::RuntimeName_t(iox::cxx::TruncateToCapacity, process_name(side, role)));
}

iox::capro::ServiceDescription service_of(const Side *side)
{
    return {"shmring-bench", "channel",
            iox::capro::IdString_t(iox::cxx::TruncateToCapacity, side->name)};
}

void await_subscriber(const UntypedPublisher *publisher)
{
    static const struct timespec pause = {0, 1000000};

    while (!publisher->hasSubscribers())
        nanosleep(&pause, nullptr);
}

void make_subscriber(Side *side)
{
    iox::popo::SubscriberOptions options;

    options.queueCapacity =
        bench_slots(side->shape.size) < queue_max ? bench_slots(side->shape.size) : queue_max;
    options.queueFullPolicy = iox::popo::QueueFullPolicy::BLOCK_PRODUCER;
    side->subscriber = new UntypedSubscriber(service_of(side), options);
    if (side->shape.policy == POLICY_SPIN)
        return;
    side->waits = new iox::popo::WaitSet<1>();
    side->waits->attachState(*side->subscriber, iox::popo::SubscriberState::HAS_DATA)
        .or_else([](auto) { sample_fail("attach: no place in the wait set"); });
}

int chunk_attach(void *opaque, enum role role)
{
    Side *side = static_cast<Side *>(opaque);
    iox::popo::PublisherOptions options;

    join_daemon(side, role);
    if (role == ROLE_CONSUMER) {
        make_subscriber(side);
        return 0;
    }
    options.subscriberTooSlowPolicy = iox::popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER;
    side->publisher = new UntypedPublisher(service_of(side), options);
    await_subscriber(side->publisher);
    return 0;
}

/* The sockets of its processes, which have ended. The rest is the daemon's to clean up. */
void chunk_close(void *opaque)
{
    Side *side = static_cast<Side *>(opaque);

    for (enum role role : {ROLE_PRODUCER, ROLE_CONSUMER}) {
        const std::string path = "/tmp/" + process_name(side, role);

        unlink(path.c_str());
        unlink((path + ".lock").c_str());
    }
    delete side;
}

void chunk_settings(char *ret_text, size_t text_size)
{
    std::snprintf(ret_text, text_size,
                  "queue of %d chunks, or fewer so that they are %d bytes; loan, publish, take and "
                  "release in place; WAIT_FOR_CONSUMER and BLOCK_PRODUCER; RouDi with its own "
                  "configuration; block: WaitSet; adaptive: both",
                  static_cast<int>(queue_max), static_cast<int>(BENCH_RING_BYTES));
}

constexpr const struct loops *by_policy[POLICY_COUNT] = {&spin_loops, &adaptive_loops,
                                                         &block_loops};

struct transport make_transport()
{
    struct transport made = {};

    made.name = "iceoryx";
    made.note = "iceoryx, with a daemon; who finds the queue full waits in it, in its own way";
    made.is_brief = true;
    made.loops = by_policy;
    made.members = MEMBERS_APART;
    made.open = chunk_open;
    made.attach = chunk_attach;
    made.close = chunk_close;
    made.settings = chunk_settings;
    return made;
}

} // namespace

extern const struct transport transport_iceoryx = make_transport();
