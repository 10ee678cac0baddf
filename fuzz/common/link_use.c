/* SPDX-License-Identifier: MIT */
/* A link that a handshake has brought, whose other side writes what it likes into its lane. */
#include "hostile.h"
#include "kernel.h"
#include "link_peer.h"

#include <errno.h>
#include <string.h>

enum {
    BUFFER = 4096,
    CALLS_MAX = 8,
    /* Far more than any deadline here takes, in spins that look at the clock now and then. */
    LOOKS = 1 << 20,
};

static uint8_t *buffer; /* ends at a page that nobody may touch */

static const int call_errors[] = {ETIMEDOUT, EINTR,      EMSGSIZE, EPIPE,
                                  EBADMSG,   EOWNERDEAD, ENOSYS,   0};

int link_begin_run(fuzz_input script, uid_t uid)
{
    static fuzz_region theirs;
    int fd;

    theirs.base = kernel_memfd_place(1);
    theirs.geometry.kind = SHMRING_KIND_LANE;
    theirs.geometry.total_size = MEMFD_SIZE;
    if (buffer == NULL)
        buffer = region_buffer(BUFFER, true);
    hostile_begin(&theirs, script, 0);
    kernel_memfd_begin();
    kernel_begin(&theirs, NULL, hostile_choice, &fd);
    kernel_die(fd, NULL); /* there is no ring but the lanes */
    return kernel_socket(uid);
}

static int64_t deadline_of(uint16_t number)
{
    return number % 4 != 3 ? SHMRING_NOW : kernel_now() + 300000;
}

static void receive(shmring_link *link, const fuzz_region *theirs, uint16_t number)
{
    bool poisoned = link->receiver.consumer.side.error != 0;
    uint64_t length = 0, size = number >> 4;
    const void *message;
    int error;

    if (number % 8 < 4) {
        error = shmring_receiver_recv(&link->receiver, buffer + BUFFER - size, size, &length, NULL,
                                      deadline_of(number));
        fuzz_expect(error != -EMSGSIZE || length > size, "what does not fit is longer");
    } else {
        error =
            shmring_receiver_peek(&link->receiver, deadline_of(number), &message, &length, NULL);
        if (error == 0) {
            fuzz_expect(region_holds(theirs, message, length), "a message is in their lane");
            region_read(message, length);
            shmring_receiver_release(&link->receiver);
        }
    }
    fuzz_expect_documented(error, call_errors, "errors of a receiver");
    fuzz_expect(!poisoned || error != 0, "a poisoned handle finds nothing");
}

static void send_one(shmring_link *link, const fuzz_region *mine, uint16_t number)
{
    bool poisoned = link->sender.producer.side.error != 0;
    uint64_t length = number >> 4;
    void *place;
    int error;

    if (number % 8 < 4) {
        error = shmring_sender_send(&link->sender, buffer, length, number, deadline_of(number));
    } else {
        error = shmring_sender_reserve(&link->sender, length, deadline_of(number), &place);
        if (error == 0) {
            fuzz_expect(region_holds(mine, place, length), "a reservation is in our lane");
            memset(place, 1, length);
            shmring_sender_commit(&link->sender, length, number);
        }
    }
    fuzz_expect_documented(error, call_errors, "errors of a sender");
    fuzz_expect(!poisoned || error != 0, "a poisoned handle finds nothing");
}

void link_use(shmring_link *link, const shmring_geometry *geometry, fuzz_input calls)
{
    const fuzz_region mine = {.geometry = *geometry, .base = link->mine.base},
                      theirs = {.geometry = *geometry, .base = link->theirs.base};

    fuzz_expect(kernel_memfd_maps() == 2 && kernel_descriptors() == 2,
                "a link has two lanes, a socket and the file of locks");
    for (int i = 0; i < CALLS_MAX && fuzz_left(&calls) != 0; i++) {
        uint8_t what = fuzz_byte(&calls);
        uint16_t number = (uint16_t)fuzz_number(&calls, 2);

        hostile_expect_looks(LOOKS, "looks of a call on a link");
        if (what % 8 == 7) {
            shmring_sender_cancel(&link->sender);
            shmring_sender_resume(&link->sender);
        } else if (what % 2 == 0) {
            receive(link, &theirs, number);
        } else {
            send_one(link, &mine, number);
        }
    }
    hostile_expect_looks(LOOKS, "looks of shmring_link_close");
    shmring_link_close(link);
    fuzz_expect(link->mine.base == NULL, "a closed link is no more");
    shmring_link_close(link);
}
