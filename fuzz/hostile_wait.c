/* SPDX-License-Identifier: MIT */
/*
 * The calls that may wait, of channels and queues, with each backend, on a ring in which the other
 * side writes what it likes (common/hostile.h), under a kernel that refuses, interrupts and wakes
 * for nothing (common/kernel.h). Claims: each call ends, within a bounded number of looks and not
 * before its deadline if it says so; errors are the documented ones; what is given lies in the
 * ring; -EBADMSG is for good; what was opened is closed.
 *
 * Input: kind and backend, options, flags, calls (a number, then three bytes each), script.
 */
#include "common/hostile.h"
#include "common/kernel.h"

#include <shmring/shmring.h>
#include <string.h>

enum {
    CALLS_MAX = 48,
    BYTES_PER_CALL = 3,
    SLOT_SIZE = 56,
    BUFFER = 4096,
    /* Far more than any deadline here takes, in spins that look at the clock now and then. */
    LOOKS = 1 << 23,
};

static const uint64_t backends[] = {SHMRING_BACKEND_FUTEX, SHMRING_BACKEND_EVENTFD,
                                    SHMRING_BACKEND_SEM, SHMRING_BACKEND_SYSV_SEM};

static const int call_errors[] = {ETIMEDOUT, EINTR, ECANCELED, EMSGSIZE, EOWNERDEAD, EPIPE,
                                  EBADMSG,   EIDRM, ENOSYS,    ESTALE,   0},
                 settle_errors[] = {EMSGSIZE, ESTALE, EOWNERDEAD, EBADMSG, 0},
                 open_errors[] = {EBUSY,  EBADMSG, EUSERS,     ENOMEM, ENOTSUP, EBADF,
                                  EACCES, EMFILE,  ENFILE,     ENOLCK, EINVAL,  ENOSPC,
                                  EPERM,  ENOENT,  EOPNOTSUPP, 0},
                 poll_errors[] = {ETIMEDOUT, EINTR, ENOSYS, 0};

static fuzz_region channel_region, queue_region;
static uint8_t *buffer;

static struct {
    fuzz_region region;
    _Alignas(8) uint8_t header[sizeof(struct shmring_header)];
    shmring_channel_options options;
    shmring_channel_fds fds;
    bool many, producing, consuming, cancelled[2];
    shmring_sender sender;
    shmring_receiver receiver;
    shmring_queue_sender queue_sender;
    shmring_queue_receiver queue_receiver;
    shmring_mpmc_slot claimed, taken;
    uint64_t reserved;
} run;

/* Deadlines that pass soon, for who spins takes a thousand looks for each 50 us; and never, for who
 * was told not to wait. */
static int64_t deadline_of(uint16_t number, bool cancelled)
{
    static const int64_t after[] = {-1, 0, 100000, 300000, 1000000, 2000000};
    int64_t ns = after[number % (sizeof after / sizeof *after)];

    if (ns < 0)
        return cancelled ? SHMRING_NEVER : SHMRING_NOW;
    return kernel_now() + ns;
}

static void check(int error, int64_t deadline, bool poisoned, const char *call)
{
    fuzz_expect_documented(error, call_errors, call);
    fuzz_expect(error != -ETIMEDOUT || kernel_now() >= deadline, "no timeout before its time");
    fuzz_expect(!poisoned || error != 0, "a poisoned handle finds nothing");
}

static void open_side(bool produces)
{
    bool *attached = produces ? &run.producing : &run.consuming;
    int descriptors = kernel_descriptors(), pages = kernel_pages(), error;

    hostile_expect_looks(LOOKS, "looks of an open");
    if (run.many)
        error = produces
                    ? shmring_queue_sender_open_fds(&run.queue_sender, &run.fds, &run.options)
                    : shmring_queue_receiver_open_fds(&run.queue_receiver, &run.fds, &run.options);
    else
        error = produces ? shmring_sender_open_fds(&run.sender, &run.fds, &run.options)
                         : shmring_receiver_open_fds(&run.receiver, &run.fds, &run.options);
    fuzz_expect_documented(error, open_errors, "errors of an open");
    *attached = error == 0;
    run.cancelled[produces] = false;
    run.reserved = produces ? 0 : run.reserved;
    fuzz_expect(error == 0 || (kernel_pages() == pages && kernel_descriptors() == descriptors),
                "an open that failed leaves nothing open");
}

static void close_side(bool produces)
{
    hostile_expect_looks(LOOKS, "looks of a close");
    if (produces && run.producing && run.many)
        shmring_queue_sender_close(&run.queue_sender);
    else if (produces && run.producing)
        shmring_sender_close(&run.sender);
    else if (!produces && run.consuming && run.many)
        shmring_queue_receiver_close(&run.queue_receiver);
    else if (!produces && run.consuming)
        shmring_receiver_close(&run.receiver);
    *(produces ? &run.producing : &run.consuming) = false;
}

static void call_sender(uint8_t what, uint16_t number)
{
    uint64_t length = number >> 3 & 1 ? number >> 4 : number >> 4 & 63;
    int64_t deadline = deadline_of(number, run.cancelled[true]);
    bool poisoned = run.sender.producer.side.error != 0;
    void *place;
    int error;

    switch (what) {
    case 0:
    case 1:
        error = shmring_sender_reserve(&run.sender, length, deadline, &place);
        check(error, deadline, poisoned, "errors of shmring_sender_reserve");
        if (error != 0)
            return;
        fuzz_expect(region_holds(&run.region, place, length), "a reservation is in the ring");
        memset(place, 1, length);
        hostile_note_written(place, length);
        run.reserved = length;
        break;
    case 2:
        shmring_sender_commit(&run.sender, run.reserved, number);
        break;
    case 3:
        shmring_wake_always(&run.sender.waiter);
        break;
    default:
        hostile_note_written(run.region.base + run.region.geometry.data_offset,
                             run.region.geometry.capacity);
        error = shmring_sender_send(&run.sender, buffer, length, number, deadline);
        check(error, deadline, poisoned, "errors of shmring_sender_send");
    }
}

static void call_receiver(uint8_t what, uint16_t number)
{
    int64_t deadline = deadline_of(number, run.cancelled[false]);
    bool poisoned = run.receiver.consumer.side.error != 0;
    uint64_t length = 0, size = number >> 4;
    shmring_poll_item item = {.channel = &run.receiver};
    const void *message;
    int error;

    switch (what) {
    case 0:
    case 1:
        error = shmring_receiver_peek(&run.receiver, deadline, &message, &length, NULL);
        check(error, deadline, poisoned, "errors of shmring_receiver_peek");
        if (error == 0) {
            fuzz_expect(region_holds(&run.region, message, length), "a message is in the ring");
            region_read(message, length);
        }
        break;
    case 2:
        shmring_receiver_release(&run.receiver);
        break;
    case 3:
        shmring_receiver_flush(&run.receiver);
        break;
    case 4:
        error = shmring_poll(&item, 1, run.cancelled[false] ? SHMRING_NOW : deadline);
        fuzz_expect_documented(error > 0 ? 0 : error, poll_errors, "errors of shmring_poll");
        fuzz_expect((error == 1) == item.is_ready || error < 0, "as many as are ready");
        break;
    default:
        error = shmring_receiver_recv(&run.receiver, buffer + BUFFER - size, size, &length, NULL,
                                      deadline);
        check(error, deadline, poisoned, "errors of shmring_receiver_recv");
        fuzz_expect(error != -EMSGSIZE || length > size, "what does not fit is longer");
    }
}

static void check_slot(const shmring_mpmc_slot *slot, uint32_t length)
{
    fuzz_expect(length <= SLOT_SIZE && region_holds(&run.region, slot->data, SLOT_SIZE),
                "a slot is in the ring");
    memset(slot->data, 1, length);
}

static void call_queue_sender(uint8_t what, uint16_t number)
{
    uint32_t length = number >> 4 & 63;
    int64_t deadline = deadline_of(number, run.cancelled[true]);
    bool poisoned = run.queue_sender.producer.side.error != 0;
    int error;

    switch (what) {
    case 0:
    case 1:
        error = shmring_queue_claim(&run.queue_sender, deadline, &run.claimed);
        check(error, deadline, poisoned, "errors of shmring_queue_claim");
        if (error == 0)
            check_slot(&run.claimed, SLOT_SIZE);
        break;
    case 2:
        error = shmring_queue_commit(&run.queue_sender, &run.claimed, length, number >> 10 & 3);
        fuzz_expect_documented(error, settle_errors, "errors of shmring_queue_commit");
        break;
    case 3:
        error = shmring_queue_abort(&run.queue_sender, &run.claimed);
        fuzz_expect_documented(error, settle_errors, "errors of shmring_queue_abort");
        break;
    default:
        error = shmring_queue_send(&run.queue_sender, buffer, length, number >> 10 & 3, deadline);
        check(error, deadline, poisoned, "errors of shmring_queue_send");
    }
}

static void call_queue_receiver(uint8_t what, uint16_t number)
{
    int64_t deadline = deadline_of(number, run.cancelled[false]);
    bool poisoned = run.queue_receiver.consumer.side.error != 0;
    uint32_t size = number >> 4 & 63;
    shmring_poll_item item = {.queue = &run.queue_receiver};
    shmring_mpmc_slot slot = {0};
    int error;

    switch (what) {
    case 0:
        error = shmring_queue_take(&run.queue_receiver, deadline, &run.taken);
        check(error, deadline, poisoned, "errors of shmring_queue_take");
        if (error == 0)
            check_slot(&run.taken, run.taken.length);
        break;
    case 1:
        error = shmring_queue_take_by(&run.queue_receiver, (enum shmring_mpmc_wish)(size & 7),
                                      size >> 3 & 3, deadline, &run.taken);
        check(error, deadline, poisoned, "errors of shmring_queue_take_by");
        if (error == 0)
            check_slot(&run.taken, run.taken.length);
        break;
    case 2:
    case 3:
        error = shmring_queue_release(&run.queue_receiver, &run.taken);
        fuzz_expect_documented(error, settle_errors, "errors of shmring_queue_release");
        break;
    case 4:
        error = shmring_poll(&item, 1, run.cancelled[false] ? SHMRING_NOW : deadline);
        fuzz_expect_documented(error > 0 ? 0 : error, poll_errors, "errors of shmring_poll");
        fuzz_expect((error == 1) == item.is_ready || error < 0, "as many as are ready");
        break;
    default:
        error =
            shmring_queue_recv(&run.queue_receiver, buffer + BUFFER - size, size, &slot, deadline);
        check(error, deadline, poisoned, "errors of shmring_queue_recv");
        fuzz_expect(error != -EMSGSIZE || slot.length > size, "what does not fit is longer");
    }
}

static void cancel(bool produces, bool cancels)
{
    run.cancelled[produces] = cancels;
    if (produces && run.many)
        (cancels ? shmring_queue_sender_cancel : shmring_queue_sender_resume)(&run.queue_sender);
    else if (produces)
        (cancels ? shmring_sender_cancel : shmring_sender_resume)(&run.sender);
    else if (run.many)
        (cancels ? shmring_queue_receiver_cancel
                 : shmring_queue_receiver_resume)(&run.queue_receiver);
    else
        (cancels ? shmring_receiver_cancel : shmring_receiver_resume)(&run.receiver);
}

static void call_handle(bool produces, uint8_t what)
{
    int fd;

    switch (what % 4) {
    case 0:
    case 1:
        cancel(produces, what % 4 == 0);
        break;
    case 2:
        if (produces)
            return;
        fd = run.many ? shmring_queue_receiver_fd(&run.queue_receiver)
                      : shmring_receiver_fd(&run.receiver);
        fuzz_expect((fd >= 0) == (shmring_layout_backend(run.region.geometry.options) ==
                                  SHMRING_BACKEND_EVENTFD),
                    "an eventfd has a descriptor");
        break;
    default:
        close_side(produces);
        open_side(produces);
    }
}

static void call(fuzz_input *calls)
{
    uint8_t what = fuzz_byte(calls);
    uint16_t number = (uint16_t)fuzz_number(calls, 2);
    bool produces = what % 2 == 0;

    what /= 2;
    hostile_expect_looks(LOOKS, "looks of a call");
    if (!(produces ? run.producing : run.consuming))
        open_side(produces);
    else if (what % 8 == 7)
        call_handle(produces, what / 8);
    else if (run.many && produces)
        call_queue_sender(what % 8, number);
    else if (run.many)
        call_queue_receiver(what % 8, number);
    else if (produces)
        call_sender(what % 8, number);
    else
        call_receiver(what % 8, number);
}

static void set_up(uint8_t kind, uint8_t options)
{
    uint64_t backend = backends[kind >> 1 & 3];

    memset(&run, 0, sizeof run);
    run.many = (kind & 1) != 0;
    run.region = run.many ? queue_region : channel_region;
    run.region.geometry.options |= backend * SHMRING_OPTION_BACKEND;
    run.region.geometry.options |= (kind & 8) != 0 ? SHMRING_OPTION_LIGHT_WAKE : 0;
    shmring_layout_format(run.header, &run.region.geometry);
    memcpy(run.header, &(uint64_t){SHMRING_MAGIC}, sizeof(uint64_t));
    run.options = (shmring_channel_options){
        .size = sizeof run.options,
        .wait = (enum shmring_wait_policy)(options % 3),
        .gather_count = (options & 0x10) != 0 ? options : 0,
        .gather_ns = (options & 0x10) != 0 ? 50000 : 0,
    };
}

/* The semaphores as they were made: sets 0 and 1, or zeroed. */
static void make_bells(void)
{
    const shmring_geometry *geometry = &run.region.geometry;
    uint64_t room =
        run.many
            ? geometry->control_offset + offsetof(struct shmring_mpmc_control, room.bell.sysv_id)
            : geometry->consumer_offset + offsetof(struct shmring_role, bell.sysv_id);
    uint64_t semaphore = offsetof(struct shmring_bell_words, semaphore) -
                         offsetof(struct shmring_bell_words, sysv_id);

    hostile_set32(room, SHMRING_FOR_ROOM);
    /* sem_t of glibc: 128, if it is shared between processes. */
    if (shmring_layout_backend(geometry->options) == SHMRING_BACKEND_SEM) {
        uint64_t messages = run.many ? room - sizeof(struct shmring_event)
                                     : room - geometry->consumer_offset + geometry->producer_offset;

        hostile_set32(room + semaphore + 8, 128);
        hostile_set32(messages + semaphore + 8, 128);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, data + size};
    uint8_t kind = fuzz_byte(&input), options = fuzz_byte(&input), flags = fuzz_byte(&input);
    fuzz_input calls = fuzz_part(&input, fuzz_byte(&input) % CALLS_MAX * BYTES_PER_CALL);
    bool is_honest = fuzz_left(&input) == 0;

    if (buffer == NULL) {
        buffer = region_buffer(BUFFER, true);
        region_make(&channel_region, SHMRING_KIND_SPSC, 0, 4096, 0, -1);
        region_make(&queue_region, SHMRING_KIND_MPMC, SLOT_SIZE, 4, SHMRING_OPTION_REDELIVER, -1);
        region_hide_header(&channel_region);
        region_hide_header(&queue_region);
    }
    set_up(kind, options);
    hostile_begin(&run.region, input, flags % 32 == 1 ? HOSTILE_PATIENCE : 0);
    make_bells();
    kernel_begin(&run.region, run.header, hostile_choice, &run.fds.segment);
    run.fds.bells[0] = kernel_eventfd();
    run.fds.bells[1] = kernel_eventfd();
    int descriptors = kernel_descriptors();

    open_side(true);
    open_side(false);
    fuzz_expect(!is_honest || (run.producing && run.consuming), "a ring can be opened");
    while (fuzz_left(&calls) != 0)
        call(&calls);
    close_side(true);
    close_side(false);
    fuzz_expect(kernel_pages() == 0, "no page is left");
    fuzz_expect(run.many || kernel_descriptors() == descriptors, "no descriptor is left");
    return 0;
}
