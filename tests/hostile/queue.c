/* SPDX-License-Identifier: MIT */
/*
 * Claim: whatever a process that may write all of a queue writes into it, slots, hints, members,
 * counts and header included, and whomever it wakes or moves: messages may be wrong, but no call of
 * a sender or a receiver reads or writes out of bounds, is interrupted by a signal, takes longer
 * than its deadline and a moment, or returns what its header does not list; opening too; and no
 * message of a third party is lost or changed.
 *
 * usage: queue [SEED] [--scale SECONDS]     by default 3
 */
#include "ends.h"
#include "peer.h"
#include "summary.h"

enum {
    SLOT_SIZE = 56, /* with its label, the whole stride: the last byte may border on the guard */
    CALLS_PER_TURN = 128,
    STREAM = 32,
    CALLS_PER_LIFE = 512, /* of a member that nobody stops */
};
static const int64_t LIFE_NS = 300000000;

static shmring_geometry geometry;
static shmring_queue_sender sender;
static shmring_queue_receiver receiver;
static shmring_mpmc_slot claimed, taken; /* perhaps */
static uint64_t queues, opened, refused, stopped, got;

static _Noreturn void play(const shmring_channel_fds *fds, uint64_t seed)
{
    void *base =
        mmap(NULL, geometry.total_size, PROT_READ | PROT_WRITE, MAP_SHARED, fds->segment, 0);
    const struct scribbler scribbler = {base, &geometry, NULL, scribbles, (uint32_t)queues};

    CHECK(base != MAP_FAILED);
    scribble(&scribbler, seed);
    _exit(0);
}

static void close_members(void)
{
    call_begin("close", SHMRING_NOW);
    shmring_queue_sender_close(&sender);
    shmring_queue_receiver_close(&receiver);
    call_end(0);
    claimed.word = taken.word = 0;
}

static bool is_refusal(int error)
{
    return error == -EBADMSG || error == -EPROTO || error == -EPROTONOSUPPORT || error == -EAGAIN ||
           error == -EPROTOTYPE || error == -EINVAL || error == -EOPNOTSUPP || error == -EUSERS;
}

static bool open_members(const shmring_channel_fds *fds)
{
    call_begin("open", SHMRING_NOW);
    int error = shmring_queue_sender_open_fds(&sender, fds, NULL);

    if (error == 0)
        error = shmring_queue_receiver_open_fds(&receiver, fds, NULL);
    call_end(error);
    CHECK(error == 0 || is_refusal(error));
    opened += error == 0;
    refused += error != 0;
    if (error != 0)
        close_members();
    return error == 0;
}

/* All of a slot that was given to us is in the ring. */
static void touch(const shmring_mpmc_side *side, const shmring_mpmc_slot *slot, uint32_t length)
{
    CHECK(slot->idx < geometry.capacity && length <= SLOT_SIZE);
    CHECK(slot->data == side->data + slot->idx * geometry.slot_stride);
    memset(slot->data, 1, length);
}

static void check(int error, const shmring_mpmc_side *side, int before)
{
    CHECK(error == 0 || error == -ETIMEDOUT || error == -EMSGSIZE || error == -EPIPE ||
          error == -EOWNERDEAD || error == -ESTALE || error == -EBADMSG || error == -ENOSYS);
    CHECK(side->error == 0 || side->error == -EBADMSG);
    CHECK(before == 0 || side->error == before);
    CHECK(before == 0 || error == before || error == -EMSGSIZE);
    stopped += error == -ESTALE;
}

static bool is_over(void)
{
    return shmring_mpmc_error(&sender.producer.side) != 0 ||
           shmring_mpmc_error(&receiver.consumer.side) != 0;
}

/* Whatever is held, if anything; else it is refused. */
static void settle(bool sends, uint32_t length)
{
    if (sends) {
        call_begin("commit", SHMRING_NOW);
        check(call_end(shmring_queue_commit(&sender, &claimed, length, length % 4)),
              &sender.producer.side, 0);
        claimed.word = 0;
    } else {
        call_begin("release", SHMRING_NOW);
        check(call_end(shmring_queue_release(&receiver, &taken)), &receiver.consumer.side, 0);
        taken.word = 0;
    }
}

static void send_copy(uint32_t length, int64_t deadline)
{
    int before = sender.producer.side.error;

    call_begin("send", deadline);
    check(call_end(
              shmring_queue_send(&sender, ends.buffer_end - length, length, length % 4, deadline)),
          &sender.producer.side, before);
}

static void recv_copy(uint32_t size, int64_t deadline)
{
    int before = receiver.consumer.side.error;
    shmring_mpmc_slot slot;

    call_begin("recv", deadline);
    int error =
        call_end(shmring_queue_recv(&receiver, ends.buffer_end - size, size, &slot, deadline));

    CHECK(error != 0 || slot.length <= size);
    got += error == 0;
    check(error, &receiver.consumer.side, before);
}

/* So many messages without a hitch that both ends begin to bet on the next slot. */
static void stream(void)
{
    settle(true, 0);
    settle(false, 0);
    for (int i = 0; i < STREAM && !is_over(); i++) {
        send_copy(8, SHMRING_NOW);
        recv_copy(SLOT_SIZE, SHMRING_NOW);
    }
}

static void send_something(uint64_t random, int64_t deadline)
{
    const shmring_mpmc_side *side = &sender.producer.side;
    uint32_t length = (uint32_t)(random >> 32) % (SLOT_SIZE + 2);
    int before = side->error, error;

    if (random % 4 == 0 && claimed.word == 0) {
        call_begin("claim", deadline);
        error = call_end(shmring_queue_claim(&sender, deadline, &claimed));
        if (error == 0)
            touch(side, &claimed, SLOT_SIZE);
        check(error, side, before);
    } else if (random % 4 <= 1) {
        settle(true, length);
    } else if (random % 64 == 2) {
        call_begin("abort", SHMRING_NOW);
        check(call_end(shmring_queue_abort(&sender, &claimed)), side, 0);
    } else {
        send_copy(length, deadline);
    }
}

static void receive_something(uint64_t random, int64_t deadline)
{
    const shmring_mpmc_side *side = &receiver.consumer.side;
    uint32_t size = (uint32_t)(random >> 32) % (SLOT_SIZE + 2);
    enum shmring_mpmc_wish wish = (enum shmring_mpmc_wish)((random >> 40) % 5);
    int before = side->error, error;

    if (taken.word != 0 || random % 4 == 2) {
        settle(false, 0);
        return;
    }
    if (random % 4 == 0) {
        call_begin("take", deadline);
        error = call_end(shmring_queue_take(&receiver, deadline, &taken));
    } else if (random % 8 == 1) {
        call_begin("take_by", deadline);
        error =
            call_end(shmring_queue_take_by(&receiver, wish, random >> 50 & 3, deadline, &taken));
    } else {
        recv_copy(size, deadline);
        return;
    }
    if (error == 0)
        touch(side, &taken, taken.length);
    got += error == 0;
    check(error, side, before);
}

static void call(void)
{
    uint64_t random = test_random(&ends.random);
    int64_t deadline = ends_deadline();
    shmring_poll_item item = {.queue = &receiver};
    shmring_stats stats;

    if (random % 64 == 0) {
        call_begin("poll", deadline);
        int ready = call_end(shmring_poll(&item, 1, deadline));

        CHECK(ready == 1 || ready == -ETIMEDOUT || ready == -ENOSYS);
    } else if (random % 64 == 1) {
        call_begin("stats", SHMRING_NOW);
        shmring_queue_sender_stats(&sender, &stats);
        shmring_queue_receiver_stats(&receiver, &stats);
        call_end(0);
        CHECK(stats.used_guess <= geometry.capacity);
    } else if (random % 64 == 2) {
        stream();
    } else if (random % 2 == 0) {
        send_something(random >> 6, deadline);
    } else {
        receive_something(random >> 6, deadline);
    }
}

static void use(const shmring_channel_fds *fds, int64_t until)
{
    bool open = false;

    while (shmring_clock() < until) {
        for (int k = 0; !open && k < CALLS_PER_TURN; k++)
            open = open_members(fds);
        for (int k = 0; open && k < CALLS_PER_LIFE; k++) {
            bool was_over = is_over();

            call();
            if (!was_over)
                continue;
            for (int i = 0; i < 4; i++)
                call(); /* and it is for good */
            stopped++;
            break;
        }
        if (open)
            close_members();
        open = false;
        neighbour_turn();
    }
}

static void live(int64_t until)
{
    static const uint64_t slots[] = {2, 8, 64, 1024};
    const shmring_channel_options options = {
        .size = sizeof options,
        .capacity = slots[queues % 4],
        .slot_size = SLOT_SIZE,
        .backend = queues % 3 == 2 ? SHMRING_BACKEND_EVENTFD : SHMRING_BACKEND_FUTEX,
        .fence = queues / 4 % 2 == 0 ? SHMRING_FENCE_LIGHT : SHMRING_FENCE_SYMMETRIC,
        .redeliver = queues / 2 % 2 == 0,
    };
    uint64_t seed = test_random(&ends.random);
    int64_t end = shmring_deadline(LIFE_NS);
    shmring_channel_fds fds;

    CHECK_EQ(shmring_layout_plan(SHMRING_KIND_MPMC, SLOT_SIZE, slots[queues % 4], &geometry), 0);
    CHECK_EQ(shmring_queue_create_fds(&fds, &options), 0);
    pid_t pid = check_fork();

    if (pid == 0)
        play(&fds, seed);
    use(&fds, end < until ? end : until);
    shmring_add32_release(&scribbles->round, 1);
    CHECK_EQ(check_wait(pid), 0);
    shmring_channel_close_fds(&fds);
    queues++;
}

int main(int argc, char **argv)
{
    int64_t time = peer_time(&argc, argv, 3), until = shmring_deadline(time);
    uint64_t seed = test_seed(argc, argv);

    summary_begin();
    neighbour_start();
    ends_begin(seed);
    ends.sleeps = true;
    do
        live(until);
    while (shmring_clock() < until);
    neighbour_end();
    printf("%llu queues, %llu times opened, %llu refused, %llu times stopped; %llu messages\n",
           (unsigned long long)queues, (unsigned long long)opened, (unsigned long long)refused,
           (unsigned long long)stopped, (unsigned long long)got);
    summary_end();
    CHECK(stopped != 0 && opened != 0 && refused != 0 && got != 0);
    return 0;
}
