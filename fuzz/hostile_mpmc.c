/* SPDX-License-Identifier: MIT */
/*
 * A producer and a consumer on a ring of many whose other members write what they like, between
 * calls and during them (common/hostile.h), and a kernel that refuses what it may refuse. Claims:
 * nothing outside the ring is touched; each call ends within a bounded number of looks; errors are
 * the documented ones; poison is for good; a slot that was given lies where it has to.
 *
 * Input: shape, flags, patience, calls (a number, then three bytes each), script.
 */
#include "common/hostile.h"
#include "common/kernel.h"

#include <sanitizer/asan_interface.h>
#include <shmring/mpmc.h>
#include <string.h>

enum {
    CALLS_MAX = 64,
    BYTES_PER_CALL = 3,
    SLOT_SIZE = 56, /* of a stride of 64: what is between belongs to nobody */
    BUFFER = 128,
    KEPT = 4,
    RARE = 0xa8, /* a byte by which something comes about that takes long */
};

static const struct shape {
    uint64_t slots;
    uint64_t options;
} shapes[] = {{8, 0},
              {8, SHMRING_OPTION_REDELIVER},
              {2, 0},
              {2, SHMRING_OPTION_REDELIVER},
              {32, SHMRING_OPTION_REDELIVER},
              {512, 0}};

enum {
    SHAPES = sizeof shapes / sizeof *shapes,
    SHAPES_SMALL = SHAPES - 1,
};

static fuzz_region regions[SHAPES];
static uint8_t *buffer; /* ends at a page that nobody may touch */

/* A member that was attached may be refused as shmring_mpmc_error() says; who enrolls, as the
 * system does. */
static const int member_errors[] = {EBADMSG, ESTALE, EOWNERDEAD, 0},
                 settle_errors[] = {EMSGSIZE, ESTALE, EOWNERDEAD, EBADMSG, 0},
                 send_errors[] = {EAGAIN, EMSGSIZE, ESTALE, EOWNERDEAD, EBADMSG, 0},
                 attach_errors[] = {EUSERS, ENOMEM, ENOTSUP, EBADF,  EACCES,
                                    EMFILE, ENFILE, ENOLCK,  EINVAL, 0},
                 recover_errors[] = {EOWNERDEAD, ESTALE, ENOTSUP, EBADF,  EACCES, EMFILE,
                                     ENFILE,     ENOMEM, ENOLCK,  EINVAL, 0};

static struct {
    const fuzz_region *region;
    int fd;
    bool producing, consuming;
    shmring_mpmc_producer producer;
    shmring_mpmc_consumer consumer;
    shmring_mpmc_slot claimed[KEPT], taken[KEPT]; /* perhaps */
} run;

static uint64_t slots(void)
{
    return run.region->geometry.capacity;
}

/* The bounds. A walk has a limit of steps (shmring_mpmc_step_limit()): a step of a claim looks at a
 * slot, a hint, its own session, may swap, and now and then looks at all slots twice; a step of a
 * take looks at all that is noted, twice. */
static uint64_t looks_of_claim(void)
{
    return 16 * (4096 + 4 * slots());
}

static uint64_t looks_of_take(void)
{
    return (4 * SHMRING_MPMC_OPEN_MAX + 16) * (4096 + 4 * slots());
}

static uint64_t looks_of_settle(void)
{
    return 6 * (uint64_t)SHMRING_MPMC_TRIES;
}

/* Of a look at all members, and at all slots of each that is found dead. */
static uint64_t looks_of_recovery(void)
{
    uint64_t dead = 64; /* as many as the kernel has descriptors, and then some */

    return 3 * SHMRING_MEMBER_RECORDS + dead * 6 * slots() * SHMRING_MPMC_TRIES;
}

static void check_slot(const shmring_mpmc_slot *slot, uint32_t length)
{
    const shmring_geometry *geometry = &run.region->geometry;

    fuzz_expect(slot->idx < slots() && length <= SLOT_SIZE, "a slot is in the ring");
    fuzz_expect(slot->data ==
                    run.region->base + geometry->data_offset + slot->idx * geometry->slot_stride,
                "its message is its own");
    memset(slot->data, 1, length); /* and stays: nobody decides by it */
}

static void check_poison(const shmring_mpmc_side *side, int before, bool gave_something)
{
    fuzz_expect(side->error == 0 || side->error == -EBADMSG, "poison is -EBADMSG");
    fuzz_expect(before == 0 || side->error == before, "poison is for good");
    fuzz_expect(before == 0 || !gave_something, "a poisoned handle finds nothing");
}

static void attach(bool produces)
{
    bool *attached = produces ? &run.producing : &run.consuming;
    int error, descriptors = kernel_descriptors(), pages = kernel_pages();

    if (*attached)
        return;
    hostile_expect_looks(looks_of_recovery() + 4 * SHMRING_MEMBER_RECORDS,
                         "looks of shmring_mpmc_attach");
    if (produces)
        error = shmring_mpmc_attach_producer(&run.producer, run.region->base, &run.region->geometry,
                                             run.fd);
    else
        error = shmring_mpmc_attach_consumer(&run.consumer, run.region->base, &run.region->geometry,
                                             run.fd);
    fuzz_expect_documented(error, attach_errors, "errors of shmring_mpmc_attach");
    *attached = error == 0;
    fuzz_expect(error == 0 || (kernel_descriptors() == descriptors && kernel_pages() == pages),
                "an attach that failed leaves nothing open");
}

/* Others may have taken the member for dead: then it may not touch the lock that is theirs. */
static void detach(bool produces)
{
    hostile_expect_looks(looks_of_recovery(), "looks of shmring_mpmc_detach");
    if (produces && run.producing)
        shmring_mpmc_detach_producer(&run.producer);
    else if (!produces && run.consuming)
        shmring_mpmc_detach_consumer(&run.consumer);
    *(produces ? &run.producing : &run.consuming) = false;
}

static void settle(uint8_t what, uint16_t number)
{
    uint32_t length = number % 4 == 0 ? number >> 8 : number % (SLOT_SIZE + 1);
    shmring_mpmc_slot *slot;
    int error;

    if (what == 0) {
        slot = &run.taken[number % KEPT];
        hostile_expect_looks(looks_of_settle(), "looks of shmring_mpmc_release");
        error = shmring_mpmc_release(&run.consumer, slot);
    } else if (what == 1) {
        slot = &run.claimed[number % KEPT];
        hostile_expect_looks(looks_of_settle(), "looks of shmring_mpmc_commit");
        error = shmring_mpmc_commit(&run.producer, slot, length, number >> 6 & 3);
    } else {
        slot = &run.claimed[number % KEPT];
        hostile_expect_looks(2 * looks_of_settle() * SHMRING_MPMC_TRIES,
                             "looks of shmring_mpmc_abort");
        error = shmring_mpmc_abort(&run.producer, slot);
    }
    fuzz_expect_documented(error, settle_errors, "errors of commit, abort and release");
    fuzz_expect(error != 0 || slot->word == 0, "a slot that was settled is not ours");
    fuzz_expect(error != -EMSGSIZE || (what == 1 && length > SLOT_SIZE), "only what is too long");
}

static void recover(shmring_mpmc_side *side)
{
    hostile_expect_looks(looks_of_recovery(), "looks of shmring_mpmc_recover");
    int buried = shmring_mpmc_recover(side);

    fuzz_expect_documented(buried > 0 ? 0 : buried, recover_errors, "shmring_mpmc_recover");
}

static void call_producer(uint8_t what, uint16_t number)
{
    shmring_mpmc_slot *slot = &run.claimed[number % KEPT];
    uint32_t length = number >> 2 & 63;
    int before = run.producer.side.error, error;
    bool claimed;

    switch (what % 6) {
    case 0:
    case 1:
        hostile_expect_looks(looks_of_claim(), "looks of shmring_mpmc_claim");
        claimed = shmring_mpmc_claim(&run.producer, slot);
        if (claimed)
            check_slot(slot, SLOT_SIZE);
        check_poison(&run.producer.side, before, claimed);
        break;
    case 2:
        settle(1, number);
        break;
    case 3:
        settle(2, number);
        break;
    default:
        hostile_expect_looks(looks_of_claim() + looks_of_settle(), "looks of shmring_mpmc_send");
        error = shmring_mpmc_send(&run.producer, buffer, length, number >> 8 & 3);
        fuzz_expect_documented(error, send_errors, "errors of shmring_mpmc_send");
        fuzz_expect((error == -EMSGSIZE) == (length > SLOT_SIZE), "what fits");
        check_poison(&run.producer.side, before, error == 0);
    }
}

static void receive(uint16_t number)
{
    uint32_t size = number % (BUFFER + 1);
    int before = run.consumer.side.error;
    shmring_mpmc_slot slot = {.length = UINT32_MAX};

    hostile_expect_looks(looks_of_take() + looks_of_settle(), "looks of shmring_mpmc_recv");
    int error = shmring_mpmc_recv(&run.consumer, buffer + BUFFER - size, size, &slot);

    fuzz_expect_documented(error, send_errors, "errors of shmring_mpmc_recv");
    fuzz_expect(error != 0 || slot.length <= size, "it fits");
    fuzz_expect(error != -EMSGSIZE || (slot.length > size && slot.length <= SLOT_SIZE),
                "it does not");
    check_poison(&run.consumer.side, before, error == 0);
}

static void call_consumer(uint8_t what, uint16_t number)
{
    shmring_mpmc_slot *slot = &run.taken[number % KEPT];
    int before = run.consumer.side.error;
    bool taken;

    switch (what % 6) {
    case 0:
        hostile_expect_looks(looks_of_take(), "looks of shmring_mpmc_take");
        taken = shmring_mpmc_take(&run.consumer, slot);
        break;
    case 1:
    case 2:
        hostile_expect_looks(looks_of_take(), "looks of shmring_mpmc_take_by");
        taken = shmring_mpmc_take_by(&run.consumer, (enum shmring_mpmc_wish)(number >> 2 & 7),
                                     number >> 5 & 3, slot);
        break;
    case 3:
    case 4:
        settle(0, number);
        return;
    default:
        receive(number);
        return;
    }
    if (taken)
        check_slot(slot, slot->length);
    check_poison(&run.consumer.side, before, taken);
}

static void call_side(bool produces, uint8_t what)
{
    shmring_mpmc_side *side = produces ? &run.producer.side : &run.consumer.side;

    hostile_expect_looks(2 * slots() + 2, "looks of a guess");
    switch (what % 4) {
    case 0:
        recover(side);
        break;
    case 1:
        fuzz_expect_documented(shmring_mpmc_error(side), member_errors, "shmring_mpmc_error");
        break;
    case 2:
        fuzz_expect(shmring_mpmc_used_guess(side) <= slots(), "no more used than there are");
        shmring_mpmc_dropped_guess(side);
        shmring_mpmc_redelivered_guess(side);
        break;
    default:
        detach(produces);
        attach(produces);
    }
}

static void call(fuzz_input *calls)
{
    uint8_t what = fuzz_byte(calls);
    uint16_t number = (uint16_t)fuzz_number(calls, 2);
    bool produces = what % 2 == 0;

    what /= 2;
    if (!(produces ? run.producing : run.consuming))
        attach(produces);
    else if (what % 8 == 7)
        call_side(produces, what / 8);
    else if (produces)
        call_producer(what % 8, number);
    else
        call_consumer(what % 8, number);
}

/* A ring in use for long: all at one lap, perhaps the last one, and hints that are right. */
static void age(uint8_t how)
{
    const shmring_geometry *geometry = &run.region->geometry;
    uint64_t lap = how == 1 ? 5 : (UINT64_C(1) << 48) - 1;

    for (uint64_t idx = 0; idx < geometry->capacity; idx++)
        hostile_set64(geometry->entries_offset + idx * sizeof(struct shmring_mpmc_entry),
                      lap << 16);
    hostile_set64(geometry->control_offset, lap * geometry->capacity);
    hostile_set64(geometry->control_offset + offsetof(struct shmring_mpmc_control, head_hint),
                  lap * geometry->capacity);
}

static void fill_with_members(void)
{
    for (uint32_t id = 1; id <= SHMRING_MEMBER_MAX; id++)
        hostile_set32(
            run.region->geometry.members_offset + id * sizeof(struct shmring_member_record), 1);
}

static void make(fuzz_region *region, const struct shape *shape)
{
    const shmring_geometry *geometry = &region->geometry;

    region_make(region, SHMRING_KIND_MPMC, SLOT_SIZE, shape->slots, shape->options, -1);
    region_hide_header(region);
    for (uint64_t idx = 0; idx < shape->slots; idx++)
        ASAN_POISON_MEMORY_REGION(region->base + geometry->data_offset +
                                      idx * geometry->slot_stride + SLOT_SIZE,
                                  geometry->slot_stride - SLOT_SIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, data + size};
    uint8_t which = fuzz_byte(&input);
    const struct shape *shape = &shapes[which == RARE ? SHAPES_SMALL : which % SHAPES_SMALL];
    fuzz_region *region = &regions[shape - shapes];
    uint8_t flags = fuzz_byte(&input), patience = fuzz_byte(&input);
    fuzz_input calls = fuzz_part(&input, fuzz_byte(&input) % CALLS_MAX * BYTES_PER_CALL);
    bool is_honest = fuzz_left(&input) == 0 && flags != RARE;
    int fd;

    if (buffer == NULL)
        buffer = region_buffer(BUFFER, true);
    if (region->base == NULL)
        make(region, shape);
    memset(&run, 0, sizeof run);
    run.region = region;
    hostile_begin(region, input,
                  patience == RARE     ? HOSTILE_PATIENCE_LONG
                  : patience % 32 == 1 ? HOSTILE_PATIENCE
                                       : 0);
    kernel_begin(region, NULL, hostile_choice, &fd);
    run.fd = flags % 64 == 1 ? fd : -1; /* takes a look at all members at each attach */
    if (flags >> 6 != 0 && flags >> 6 != 3)
        age(flags >> 6);
    if (flags == RARE)
        fill_with_members();
    attach(true);
    attach(false);
    fuzz_expect(!is_honest || (run.producing && run.consuming), "a ring can be attached to");
    while (fuzz_left(&calls) != 0)
        call(&calls);
    detach(true);
    detach(false);
    fuzz_expect(kernel_pages() == 0, "no page is left");
    return 0;
}
