/* SPDX-License-Identifier: MIT */
/*
 * Claim: programs of 32 and of 64 bits share rings: what one sends over a channel and over a queue,
 * the other sends back, whole and in order.
 *
 * usage: two_widths [PROGRAM]     the other one: two_widths, built otherwise; by default this one
 */
#include "messages.h"

enum { MESSAGES = 20000, SLOTS = 64 };

/* A channel and a queue in each direction, by name. */
static const char *const suffixes[2] = {"there", "back"};

struct ends {
    shmring_sender sender;
    shmring_receiver receiver;
    shmring_queue_sender queue_sender;
    shmring_queue_receiver queue_receiver;
};

static void name_of(char ret_name[SHMRING_NAME_MAX + 1], const char *stem, const char *kind,
                    int direction)
{
    snprintf(ret_name, SHMRING_NAME_MAX + 1, "%s-%s-%s", stem, kind, suffixes[direction]);
}

/* Both sides make what is not there yet. */
static void open_all(struct ends *ret_ends, const char *stem, bool first)
{
    shmring_channel_options channel = {.size = sizeof channel, .create = true, .capacity = 4096};
    shmring_channel_options queue = {
        .size = sizeof queue, .create = true, .capacity = SLOTS, .slot_size = MESSAGE_MAX};
    const int out = first ? 0 : 1;
    char name[SHMRING_NAME_MAX + 1];

    name_of(name, stem, "channel", out);
    CHECK_EQ(shmring_sender_open(&ret_ends->sender, name, &channel), 0);
    name_of(name, stem, "channel", 1 - out);
    CHECK_EQ(shmring_receiver_open(&ret_ends->receiver, name, &channel), 0);
    name_of(name, stem, "queue", out);
    CHECK_EQ(shmring_queue_sender_open(&ret_ends->queue_sender, name, &queue), 0);
    name_of(name, stem, "queue", 1 - out);
    CHECK_EQ(shmring_queue_receiver_open(&ret_ends->queue_receiver, name, &queue), 0);
}

static void close_all(struct ends *ends)
{
    shmring_sender_close(&ends->sender);
    shmring_receiver_close(&ends->receiver);
    shmring_queue_sender_close(&ends->queue_sender);
    shmring_queue_receiver_close(&ends->queue_receiver);
}

static void send_one(struct ends *ends, bool by_queue, uint64_t number)
{
    uint8_t message[MESSAGE_MAX];

    message_write(message, number);
    CHECK_EQ(by_queue ? shmring_queue_send(&ends->queue_sender, message,
                                           (uint32_t)message_length(number), message_type(number),
                                           SHMRING_NEVER)
                      : shmring_sender_send(&ends->sender, message, message_length(number),
                                            message_type(number), SHMRING_NEVER),
             0);
}

static void expect_one(struct ends *ends, bool by_queue, uint64_t number)
{
    uint8_t message[MESSAGE_MAX];
    shmring_mpmc_slot slot = {0};
    uint64_t length;
    uint32_t type;

    if (by_queue) {
        CHECK_EQ(shmring_queue_recv(&ends->queue_receiver, message, sizeof message, &slot,
                                    SHMRING_NEVER),
                 0);
        length = slot.length;
        type = slot.type;
    } else {
        CHECK_EQ(shmring_receiver_recv(&ends->receiver, message, sizeof message, &length, &type,
                                       SHMRING_NEVER),
                 0);
    }
    CHECK(message_is(message, length, type, number));
}

/* The first sends some and gets them back, so that the rings fill, sleep and wrap. */
static void play(struct ends *ends, bool first)
{
    for (uint64_t number = 0, some = 1; number < MESSAGES; number += some) {
        const bool by_queue = number % 2 != 0;

        some = 1 + message_hash(number) % 5;
        for (uint64_t i = 0; i < some && first; i++)
            send_one(ends, by_queue, number + i);
        for (uint64_t i = 0; i < some; i++) {
            expect_one(ends, by_queue, number + i);
            if (!first)
                send_one(ends, by_queue, number + i);
        }
    }
}

static void remove_all(const char *stem)
{
    char name[SHMRING_NAME_MAX + 1];

    for (int direction = 0; direction < 2; direction++) {
        name_of(name, stem, "channel", direction);
        shmring_segment_unlink(name);
        name_of(name, stem, "queue", direction);
        shmring_segment_unlink(name);
    }
}

int main(int argc, char **argv)
{
    const char *other = argc > 1 ? argv[1] : argv[0];
    static struct ends ends;
    char stem[32];

    if (argc == 3) {
        open_all(&ends, argv[2], false);
        play(&ends, false);
        close_all(&ends);
        return 0;
    }
    snprintf(stem, sizeof stem, "shmring-test-%ld", (long)getpid());
    pid_t pid = check_fork();

    if (pid == 0) {
        execl(other, other, "-", stem, (char *)NULL);
        _exit(127);
    }
    open_all(&ends, stem, true);
    play(&ends, true);
    CHECK_EQ(check_wait(pid), 0);
    close_all(&ends);
    remove_all(stem);
    printf("%d messages each way, from %zu bits\n", MESSAGES, 8 * sizeof(void *));
    return 0;
}
