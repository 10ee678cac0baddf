/* SPDX-License-Identifier: MIT */
/*
 * Strings of calls by several members of a ring of many, one after the other, against a model
 * (common/mpmc_model.h): claim, commit, abort, take, choose, release, also many at once, of members
 * that come, leave and die. Claims: each call does what the model does, down to the slot; what is
 * not ours, or not any more, is refused; the counts are right.
 *
 * Input: shape, and whether members have locks, without which nobody dies and all is faster; then
 * three bytes a call.
 */
#include "common/kernel.h"
#include "common/mpmc_model.h"

#include <string.h>

enum {
    MEMBERS = 6, /* the first half are producers */
    KEPT = 6,    /* slots that a member remembers, whether they are its own or not */
    CALLS_MAX = 160,
    SLOT_SIZE = 24,
    TYPES = 4,
};

static const struct shape {
    uint32_t slots;
    bool redeliver;
} shapes[] = {{2, true}, {4, false}, {4, true}, {8, true}, {16, false}, {32, true}};

enum { SHAPES = sizeof shapes / sizeof *shapes };

static fuzz_region regions[SHAPES];
static uint8_t *buffer; /* ends at a page that nobody may touch */

/* A slot as a member has it, and as the model does; NULL: it has none. */
struct kept {
    shmring_mpmc_slot slot;
    struct model_slot *model;
    uint32_t owner;
};

static struct {
    fuzz_region *region;
    int fd;
    struct model model;
    uint32_t owners, dead; /* that ever were; not buried yet */
    uint32_t dead_owners[CALLS_MAX];
    uint32_t numbers; /* of messages */
    struct member {
        uint32_t owner; /* 0: not attached */
        shmring_mpmc_producer producer;
        shmring_mpmc_consumer consumer;
        struct kept kept[KEPT];
    } members[MEMBERS];
} run;

static bool produces(const struct member *member)
{
    return member < &run.members[MEMBERS / 2];
}

static shmring_mpmc_side *side(struct member *member)
{
    return produces(member) ? &member->producer.side : &member->consumer.side;
}

/* Is it what the model says that this member holds? */
static bool holds(const struct member *member, const struct kept *kept)
{
    return kept->model != NULL && kept->owner == member->owner && kept->slot.word != 0 &&
           kept->model->owner == member->owner &&
           kept->model->state == (produces(member) ? MODEL_WRITING : MODEL_READING);
}

static struct model_slot *model_of(const shmring_mpmc_slot *slot)
{
    const shmring_geometry *geometry = &run.region->geometry;

    fuzz_expect(slot->idx < run.model.count, "a slot is in the ring");
    fuzz_expect(slot->data ==
                    run.region->base + geometry->data_offset + slot->idx * geometry->slot_stride,
                "its message is its own");
    return &run.model.slots[slot->idx];
}

static uint8_t letter(uint32_t number)
{
    return (uint8_t)(number * 37 + 11);
}

static void bury(void)
{
    for (; run.dead != 0; run.dead--)
        model_lose(&run.model, run.dead_owners[run.dead - 1]);
}

static void attach(struct member *member)
{
    const shmring_geometry *geometry = &run.region->geometry;
    int error =
        produces(member)
            ? shmring_mpmc_attach_producer(&member->producer, run.region->base, geometry, run.fd)
            : shmring_mpmc_attach_consumer(&member->consumer, run.region->base, geometry, run.fd);

    fuzz_expect(error == 0, "there is a place for each");
    bury();
    member->owner = ++run.owners;
}

static void leave(struct member *member, bool dies)
{
    if (dies) {
        kernel_die(side(member)->member.fd, side(member)->member.here);
        run.dead_owners[run.dead++] = member->owner;
    } else {
        model_lose(&run.model, member->owner);
        if (produces(member))
            shmring_mpmc_detach_producer(&member->producer);
        else
            shmring_mpmc_detach_consumer(&member->consumer);
    }
    member->owner = 0;
}

static void note_claimed(struct member *member, struct kept *kept, bool claimed)
{
    struct model_slot *model = model_claim(&run.model, member->owner);

    fuzz_expect(claimed == (model != NULL), "full is exact");
    if (!claimed)
        return;
    fuzz_expect(model == model_of(&kept->slot), "the slot at the frontier");
    kept->model = model;
    kept->owner = member->owner;
    model->number = run.numbers++;
    memset(kept->slot.data, letter(model->number), SLOT_SIZE);
}

static void note_taken(struct member *member, struct kept *kept, bool taken,
                       enum shmring_mpmc_wish wish, uint32_t type)
{
    if (!taken) {
        fuzz_expect(model_finds_none(&run.model, wish, type), "nothing is overlooked");
        return;
    }
    struct model_slot *model = model_of(&kept->slot);

    fuzz_expect(model_may_take(&run.model, model, wish, type), "the oldest that is wanted");
    model_take(&run.model, model, member->owner);
    fuzz_expect(kept->slot.length == model->length && kept->slot.type == model->type,
                "a message has the length and the type that it was sent with");
    fuzz_expect(kept->slot.redelivered == model->redelivered, "what comes again is marked");
    for (uint32_t i = 0; i < model->length; i++)
        fuzz_expect(((uint8_t *)kept->slot.data)[i] == letter(model->number), "whole");
    kept->model = model;
    kept->owner = member->owner;
}

/* Done with a slot, by what call: if it is ours. */
static void settle(struct member *member, struct kept *kept, bool aborts, uint32_t length,
                   uint32_t type)
{
    bool is_own = holds(member, kept), sends = produces(member) && !aborts;
    uint64_t word = kept->slot.word;
    int want = is_own ? 0 : -ESTALE, is;

    if (sends && length > SLOT_SIZE)
        want = -EMSGSIZE;
    if (sends)
        is = shmring_mpmc_commit(&member->producer, &kept->slot, length, type);
    else if (produces(member))
        is = shmring_mpmc_abort(&member->producer, &kept->slot);
    else
        is = shmring_mpmc_release(&member->consumer, &kept->slot);
    fuzz_expect(is == want, "only who has a slot is done with it, once");
    fuzz_expect(is == 0 ? kept->slot.word == 0 : kept->slot.word == word, "nothing touched");
    if (is != 0)
        return;
    kept->model->state = sends ? MODEL_READY : MODEL_FREE;
    kept->model->length = length;
    kept->model->type = type;
    kept->model = NULL;
}

static void many(struct member *member, uint32_t first, uint32_t count)
{
    shmring_mpmc_slot slots[KEPT];
    uint32_t got = produces(member) ? shmring_mpmc_claim_many(&member->producer, slots, count)
                                    : shmring_mpmc_take_many(&member->consumer, slots, count);

    for (uint32_t i = 0; i < count && i <= got; i++) {
        struct kept *kept = &member->kept[(first + i) % KEPT];

        if (i < got)
            kept->slot = slots[i];
        if (produces(member))
            note_claimed(member, kept, i < got);
        else
            note_taken(member, kept, i < got, SHMRING_TAKE_ANY, 0);
    }
}

/* Up to the first that is not ours. */
static void settle_many(struct member *member, uint32_t count)
{
    shmring_mpmc_slot slots[KEPT];
    uint32_t good = 0;

    for (uint32_t i = 0; i < count; i++) {
        slots[i] = member->kept[i].slot;
        if (produces(member))
            slots[i].length = slots[i].type = i;
    }
    while (good < count && holds(member, &member->kept[good]))
        good++;
    int error = produces(member) ? shmring_mpmc_commit_many(&member->producer, slots, count)
                                 : shmring_mpmc_release_many(&member->consumer, slots, count);

    fuzz_expect(error == (good == count ? 0 : -ESTALE), "all, or up to the first that is not ours");
    for (uint32_t i = 0; i < good; i++) {
        struct model_slot *model = member->kept[i].model;

        fuzz_expect(slots[i].word == 0, "those before the error have word 0");
        model->state = produces(member) ? MODEL_READY : MODEL_FREE;
        model->length = model->type = i;
        member->kept[i].slot.word = 0;
    }
}

static void send(struct member *member, uint32_t length, uint32_t type)
{
    struct model_slot *model = length <= SLOT_SIZE ? model_claim(&run.model, member->owner) : NULL;
    int want = length > SLOT_SIZE ? -EMSGSIZE : model == NULL ? -EAGAIN : 0;

    memset(buffer, letter(run.numbers), SLOT_SIZE);
    fuzz_expect(shmring_mpmc_send(&member->producer, buffer, length, type) == want,
                "send is refused if it must");
    if (want != 0)
        return;
    model->state = MODEL_READY;
    model->number = run.numbers++;
    model->length = length;
    model->type = type;
}

/* A message that is too long stays; which one it is, its length must tell. */
static void receive(struct member *member, uint32_t size)
{
    struct kept kept = {.slot = {.length = UINT32_MAX}};
    struct model_slot *best = NULL;
    uint32_t candidates = 0;
    int error = shmring_mpmc_recv(&member->consumer, buffer + SLOT_SIZE - size, size, &kept.slot);

    for (uint32_t i = 0; i < run.model.count; i++) {
        struct model_slot *model = &run.model.slots[i];

        if (!model_may_take(&run.model, model, SHMRING_TAKE_ANY, 0))
            continue;
        candidates++;
        /* Of several orphans it may be any. */
        if (best == NULL || model->length == kept.slot.length)
            best = model;
    }
    if (best == NULL) {
        fuzz_expect(error == -EAGAIN, "nothing is there");
        return;
    }
    fuzz_expect(error == (kept.slot.length > size ? -EMSGSIZE : 0), "it fits, or it does not");
    fuzz_expect(kept.slot.length == best->length, "the length of the oldest");
    if (error != 0)
        return;
    if (candidates > 1)
        best = model_of(&(shmring_mpmc_slot){.data = kept.slot.data, .idx = kept.slot.idx});
    fuzz_expect(model_may_take(&run.model, best, SHMRING_TAKE_ANY, 0), "the oldest");
    model_take(&run.model, best, member->owner);
    for (uint32_t i = 0; i < best->length; i++)
        fuzz_expect((buffer + SLOT_SIZE - size)[i] == letter(best->number), "whole");
    fuzz_expect(kept.slot.redelivered == best->redelivered, "what comes again is marked");
    best->state = MODEL_FREE;
}

static void check_counts(struct member *member)
{
    const shmring_mpmc_side *its = side(member);

    fuzz_expect(shmring_mpmc_error(its) == 0, "nothing is wrong");
    fuzz_expect(shmring_mpmc_used_guess(its) == model_ready(&run.model), "so many are ready");
    fuzz_expect(shmring_mpmc_dropped_guess(its) == run.model.dropped, "so many were dropped");
    fuzz_expect(shmring_mpmc_redelivered_guess(its) == run.model.redelivered, "came again");
}

static void call_member(struct member *member, uint8_t what, uint16_t number)
{
    struct kept *kept = &member->kept[number % KEPT];
    uint32_t length = number >> 3 & 31, type = number >> 8 & (TYPES - 1);
    enum shmring_mpmc_wish wish = (enum shmring_mpmc_wish)((number >> 3 & 7) % 5);

    switch (what) {
    case 0:
    case 1:
        if (produces(member))
            note_claimed(member, kept, shmring_mpmc_claim(&member->producer, &kept->slot));
        else
            note_taken(member, kept, shmring_mpmc_take(&member->consumer, &kept->slot),
                       SHMRING_TAKE_ANY, 0);
        break;
    case 2:
    case 3:
        settle(member, kept, false, length, type);
        break;
    case 4:
        if (produces(member))
            settle(member, kept, true, 0, 0);
        else
            note_taken(member, kept,
                       shmring_mpmc_take_by(&member->consumer, wish, type, &kept->slot), wish,
                       type);
        break;
    case 5:
        many(member, number % KEPT, (number >> 3) % (KEPT + 1));
        break;
    case 6:
        settle_many(member, (number >> 3) % (KEPT + 1));
        break;
    default:
        if (produces(member))
            send(member, length, type);
        else
            receive(member, length % (SLOT_SIZE + 1));
    }
}

static void call(fuzz_input *calls)
{
    uint8_t what = fuzz_byte(calls);
    uint16_t number = (uint16_t)fuzz_number(calls, 2);
    struct member *member = &run.members[(what >> 4) % MEMBERS];
    int dead = (int)run.dead;

    if (member->owner == 0) {
        attach(member);
    } else if (what % 16 < 12) {
        call_member(member, what % 16 % 8, number);
    } else if (what % 16 == 12) {
        leave(member, false);
    } else if (what % 16 == 13) {
        leave(member, run.fd >= 0);
    } else if (what % 16 == 14) {
        fuzz_expect(shmring_mpmc_recover(side(member)) == dead, "each of the dead is buried once");
        bury();
    } else {
        check_counts(member);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, data + size};
    uint8_t shape = fuzz_byte(&input), which = shape % 128 % SHAPES;
    int calls = 0;

    memset(&run, 0, sizeof run);
    run.region = &regions[which];
    if (buffer == NULL)
        buffer = region_buffer(SLOT_SIZE, true);
    region_make(run.region, SHMRING_KIND_MPMC, SLOT_SIZE, shapes[which].slots,
                shapes[which].redeliver ? SHMRING_OPTION_REDELIVER : 0, -1);
    region_clear(run.region, MEMBERS + 2);
    model_begin(&run.model, shapes[which].slots, shapes[which].redeliver);
    kernel_begin(run.region, NULL, NULL, &run.fd);
    run.fd = shape < 128 ? run.fd : -1;
    for (; fuzz_left(&input) != 0 && calls < CALLS_MAX; calls++)
        call(&input);
    for (struct member *member = run.members; member < &run.members[MEMBERS]; member++)
        if (member->owner != 0)
            leave(member, false);
    fuzz_expect(kernel_descriptors() == 1 && kernel_pages() == 0, "nothing is left open");
    return 0;
}
