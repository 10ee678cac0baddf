/* SPDX-License-Identifier: MIT */
/*
 * Claim: a handshake in which any byte of any message was changed, or any message is shorter or
 * longer than it should be, ends in a documented error on at least one side, unless what was
 * changed is the other side's to choose; it never crashes and leaves nothing open.
 *
 * usage: link_bytes [--scale]   with all 256 values of each byte; else with 4 of them
 */
#include "link_middle.h"

#include <stddef.h>

static const shmring_link_options options = {.size = sizeof options, .capacity = 4096};

struct change {
    int at;
    uint8_t bits; /* to be turned */
};

static void change_byte(struct packet *packet, const void *how)
{
    const struct change *change = how;

    packet->bytes[change->at] ^= change->bits;
}

static void change_length(struct packet *packet, const void *how)
{
    packet->length = *(const int *)how;
}

/* Bytes that a side may choose, by offset: in HELLO the versions it speaks (4 to 7), how it wants
 * to be woken (20) and its features (24 to 39); in OFFER how it wants to be woken (64). */
static bool is_free(int message, int at)
{
    if (message == HELLO)
        return (at >= 4 && at < 8) || (at >= 20 && at < 40);
    return message == OFFER && at >= 64 && at < 68;
}

static uint64_t changed, failed;

static void run(int message, int at, uint8_t bits)
{
    const struct change change = {at, bits};
    const struct tampering tampering = {message, change_byte, &change, NULL};
    shmring_link links[2];
    int errors[2];

    shake_hands(&options, NULL, &tampering, links, errors);
    changed++;
    failed += errors[0] != 0 || errors[1] != 0;
    CHECK(is_documented(errors[0]) && is_documented(errors[1]));
    close_links(links, errors);
}

/* Only the byte that was there lets both sides succeed. */
static void every_value_of(int message, int at, int step)
{
    uint64_t before = changed - failed;

    for (int bits = 0; bits < 256; bits += step)
        run(message, at, (uint8_t)bits);
    uint64_t good = changed - failed - before;

    if (good != 1 && !is_free(message, at))
        fprintf(stderr, "message %d, byte %d\n", message, at);
    CHECK(good == 1 || is_free(message, at));
}

static void a_changed_byte_is_noticed(int step)
{
    for (int message = HELLO; message < MESSAGES; message++)
        for (int at = 0; at < message_sizes[message]; at++)
            every_value_of(message, at, step);
}

static void a_length_that_is_wrong_is_noticed(void)
{
    shmring_link links[2];
    int errors[2];

    for (int message = HELLO; message < MESSAGES; message++) {
        for (int length = 0; length < PACKET_MAX; length++) {
            const struct tampering tampering = {message, change_length, &length, NULL};

            if (length == message_sizes[message])
                continue;
            shake_hands(&options, NULL, &tampering, links, errors);
            int to = message % 2 == 0 ? SHMRING_LINK_SERVER : SHMRING_LINK_CLIENT;

            CHECK_EQ(errors[to], -EPROTO);
            close_links(links, errors);
        }
    }
}

static void an_unchanged_handshake_succeeds(void)
{
    const shmring_link_options owned = {.size = sizeof owned, .client_owned = true};
    shmring_link links[2];
    int errors[2];

    for (int i = 0; i < 2; i++) {
        shake_hands(i ? &owned : NULL, i ? &owned : NULL, NULL, links, errors);
        CHECK_EQ(errors[0], 0);
        CHECK_EQ(errors[1], 0);
        close_links(links, errors);
    }
}

int main(int argc, char **argv)
{
    bool all = argc == 2 && strcmp(argv[1], "--scale") == 0;

    CHECK(argc == 1 || all);
    an_unchanged_handshake_succeeds();
    struct held before = count_held();

    a_length_that_is_wrong_is_noticed();
    a_changed_byte_is_noticed(all ? 1 : 73);
    check_held(before, (int)changed);
    printf("%llu handshakes with a changed byte, %llu failed\n", (unsigned long long)changed,
           (unsigned long long)failed);
    return 0;
}
