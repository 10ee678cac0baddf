/* SPDX-License-Identifier: MIT */
/*
 * The client's half of a handshake (docs/link.md), with a server that sends what it likes, with any
 * descriptors, and a lane that it writes to all the time (common/hostile.h), under a kernel that
 * refuses what it may refuse. Claims: each message is taken, answered or refused as the text says;
 * of what comes nothing is mapped that was not checked; what comes is closed; errors are the
 * documented ones, and leave nothing behind; a link can be used without an access outside the two
 * lanes.
 *
 * Input: options, what the server offers, sizes of two parts and they: its messages
 * (common/link_peer.h); calls on the link; then the script.
 */
#include "common/kernel.h"
#include "common/link_peer.h"

#include <errno.h>
#include <string.h>

enum {
    MAY_FAIL = 1,  /* what is in the lanes decides */
    MUST_FAIL = 2, /* the header of the server's is wrong */
    UNTOUCHED = 0x5a,
    MESSAGES_MAX = 8,
    SHORT_NS = 1,
    SEALS_AGAINST_WRITING = 24, /* write, future write */
    LANE_MAX = MEMFD_SIZE,
    SERVER_LANE = 0, /* of the files that come */
    LOCKS,
    CLIENT_LANE,
    FILES,
};

enum flag { LIMIT = 3, OWNED = 4, POLLABLE = 8, FENCE = 0x30, SHORT = 0x40 };

static struct {
    shmring_link_options options;
    shmring_geometry geometry; /* as it is offered */
    uint64_t required, wanted, features;
    uint32_t offered_wake;
    uint8_t ids[2 * ID_SIZE];
    struct kernel_memfd *files[FILES];
    bool has_offer, is_blank, is_locked;
    unsigned sent; /* messages */
} run;

static bool is_owned(void)
{
    return run.options.client_owned;
}

static void set_up(uint8_t flags, uint8_t offered)
{
    static const enum shmring_fence fences[] = {SHMRING_FENCE_DEFAULT, SHMRING_FENCE_SYMMETRIC,
                                                SHMRING_FENCE_LIGHT, SHMRING_FENCE_DEFAULT};
    static const uint64_t limits[] = {0, 4096, 8192, SHMRING_LINK_CAPACITY_MAX};

    memset(&run, 0, sizeof run);
    run.options = (shmring_link_options){
        .size = sizeof run.options,
        .capacity = limits[flags & LIMIT],
        .fence = fences[(flags & FENCE) / (FENCE / 3)],
        .pollable = (flags & POLLABLE) != 0,
        .client_owned = (flags & OWNED) != 0,
        .timeout_ns = (flags & SHORT) != 0 ? SHORT_NS : 0,
    };
    run.required = (is_owned() ? FEATURE_OWNED : 0) |
                   (run.options.fence == SHMRING_FENCE_LIGHT ? FEATURE_LIGHT : 0);
    run.wanted = run.options.fence != SHMRING_FENCE_SYMMETRIC ? FEATURE_LIGHT : 0;
    run.features = run.required | ((offered & 1) != 0 ? run.wanted : 0);
    run.offered_wake = (offered & 2) != 0 ? WAKE_SOCKET : WAKE_FUTEX;
    fuzz_expect(shmring_layout_plan(SHMRING_KIND_LANE, 0, UINT64_C(4096) << (offered >> 2 & 3),
                                    &run.geometry) == 0,
                "a plan");
    run.geometry.options = (run.features & FEATURE_LIGHT) != 0 ? SHMRING_OPTION_LIGHT_WAKE : 0;
    memset(run.ids + ID_SIZE, 0x66, ID_SIZE);
}

static void make_files(void)
{
    for (int i = 0; i < FILES; i++)
        run.files[i] = kernel_memfd_new();
    link_make_lane(run.files[SERVER_LANE], &run.geometry, SEALS_FULL);
    run.files[LOCKS]->seals = SEALS_FULL;
    link_make_lane(run.files[CLIENT_LANE], &run.geometry, SEALS_HALF);
}

static void check_hello(void)
{
    const struct kernel_packet *sent = kernel_sent(&run.sent);
    const uint8_t *hello = sent->bytes;
    uint64_t wanted = link_number(hello, HELLO_WANTED, 8);

    fuzz_expect(run.sent == 1 && sent->length == HELLO_SIZE && sent->count == 0, "a greeting");
    fuzz_expect(
        link_number(hello, 0, 4) == link_magic('H') &&
            link_number(hello, HELLO_VERSIONS, 4) == 0x10001 &&
            link_number(hello, HELLO_LENGTH, 4) == HELLO_SIZE &&
            link_number(hello, HELLO_ROLE, 4) == 3 && link_number(hello, HELLO_TOPOLOGY, 4) == 1 &&
            link_number(hello, HELLO_WAKE, 4) ==
                (run.options.pollable ? WAKE_SOCKET : WAKE_FUTEX) &&
            link_number(hello, HELLO_REQUIRED, 8) == run.required && (wanted & ~run.wanted) == 0 &&
            link_number(hello, HELLO_PAGE_SIZE, 8) == SHMRING_PAGE_SIZE,
        "it says what it should");
    run.wanted = wanted;
    memcpy(run.ids, hello + HELLO_NONCE, ID_SIZE);
}

/* A refusal, and whatever has another form. */
static int judge_form(const struct kernel_packet *packet, unsigned waiting, bool has_hung_up)
{
    static const int known[] = {EPROTONOSUPPORT, EOPNOTSUPP, ENOSPC, ENOMEM, EMFILE, ENFILE};
    const uint8_t *offer = packet->bytes;
    int wanted = is_owned() ? 2 : 3, error = link_judge_frame(packet, OFFER_SIZE, wanted);
    int32_t status = (int32_t)link_number(offer, OFFER_STATUS, 4);

    if (error != 0)
        return error;
    if (link_number(offer, 0, 4) != link_magic('O') ||
        link_number(offer, OFFER_LENGTH, 4) != OFFER_SIZE ||
        memcmp(offer + OFFER_NONCE, run.ids, ID_SIZE) != 0 ||
        link_number(offer, OFFER_SLOT + 4, 8) != 0 ||
        !link_is_zero_from(offer, OFFER_RESERVED, OFFER_SIZE) ||
        link_number(offer, OFFER_VERSION + 2, 2) != (uint64_t)packet->count)
        return -EPROTO;
    if (status != 0 && packet->count == 0)
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (status == -known[i])
                return status;
    return status != 0 || packet->count != wanted || waiting > 1 || has_hung_up ? -EPROTO : 0;
}

/* What it offers: 0, or why not. Outputs the size of a lane, or 0. */
static int judge_terms(const uint8_t *offer, uint64_t *ret_size, uint64_t *ret_capacity)
{
    uint64_t features = link_number(offer, OFFER_FEATURES, 8);
    uint64_t wake = link_number(offer, OFFER_WAKE, 4);
    uint64_t log2 = link_number(offer, OFFER_CAPACITY, 4);
    uint64_t limit = run.options.capacity != 0 ? run.options.capacity : SHMRING_LINK_CAPACITY_MAX;

    if (link_number(offer, OFFER_VERSION, 2) != 1 || link_number(offer, OFFER_TOPOLOGY, 4) != 1 ||
        link_number(offer, OFFER_ROLE, 4) != 3 || link_number(offer, OFFER_ELEMENT_SIZE, 4) != 0 ||
        link_number(offer, OFFER_MEMBERS, 4) != 2 || (wake != WAKE_FUTEX && wake != WAKE_SOCKET) ||
        (features & ~(run.required | run.wanted)) != 0)
        return -EPROTONOSUPPORT;
    if ((features & run.required) != run.required || link_number(offer, OFFER_SLOT, 4) != 1 ||
        log2 < 12 || log2 >= 63 || (UINT64_C(1) << log2) > SHMRING_CAPACITY_MAX)
        return -EPROTO;
    *ret_capacity = UINT64_C(1) << log2;
    *ret_size = *ret_capacity + 3 * (uint64_t)SHMRING_PAGE_SIZE;
    if (link_number(offer, OFFER_SIZES, 8) != *ret_size ||
        link_number(offer, OFFER_SIZES + 8, 8) != *ret_size ||
        link_number(offer, OFFER_SIZES + 16, 8) != 0)
        return -EPROTO;
    return *ret_capacity > limit ? -EMSGSIZE : 0;
}

static int judge_files(const struct kernel_packet *packet, uint64_t size)
{
    struct kernel_memfd *const *files = packet->fds;

    if (!link_is_sound(files[SERVER_LANE], size, SEALS_FULL) ||
        !link_is_sound(files[LOCKS], 0, SEALS_HALF) || files[SERVER_LANE] == files[LOCKS])
        return -EBADMSG;
    if (!is_owned() &&
        (!link_is_sound(files[CLIENT_LANE], size, SEALS_HALF) ||
         files[CLIENT_LANE] == files[SERVER_LANE] || files[CLIENT_LANE] == files[LOCKS]))
        return -EBADMSG;
    if (size > LANE_MAX)
        return -ENOMEM;
    if (!is_owned() && (files[CLIENT_LANE]->seals & SEALS_AGAINST_WRITING) != 0)
        return -EBADMSG;
    return 0;
}

/* What the step must say: -EAGAIN with an ACK. */
static int judge_offer(const struct kernel_packet *packet, unsigned waiting, bool has_hung_up)
{
    uint64_t size = 0, capacity = 0;
    int error = judge_form(packet, waiting, has_hung_up);

    if (error == 0)
        error = judge_terms(packet->bytes, &size, &capacity);
    if (error == 0)
        error = judge_files(packet, size);
    if (error != 0)
        return error;
    /* What is in the lanes is right if it is what this offer says. */
    shmring_geometry agreed;
    uint64_t features = link_number(packet->bytes, OFFER_FEATURES, 8);

    fuzz_expect(shmring_layout_plan(SHMRING_KIND_LANE, 0, capacity, &agreed) == 0, "a plan");
    agreed.options = (features & FEATURE_LIGHT) != 0 ? SHMRING_OPTION_LIGHT_WAKE : 0;
    run.geometry = agreed;
    run.is_blank = link_is_blank(packet->fds[SERVER_LANE]) &&
                   (is_owned() || link_is_blank(packet->fds[CLIENT_LANE]));
    if (!link_is_blank(packet->fds[SERVER_LANE]))
        return MAY_FAIL;
    if (!link_has_header(packet->fds[SERVER_LANE], &agreed))
        return MUST_FAIL;
    return run.is_locked ? -EBADMSG : -EAGAIN;
}

static int judge_go(const struct kernel_packet *packet)
{
    int error = link_judge_frame(packet, ANSWER_SIZE, 0);

    if (error == 0 && !link_is_answer(packet->bytes, 'G', run.ids + ID_SIZE))
        error = -EPROTO;
    return error != 0 ? error : run.is_blank ? 0 : MAY_FAIL;
}

/* The next message, and what is to become of it. */
static int say_something(fuzz_input *messages)
{
    struct kernel_packet made;
    uint8_t bytes[OFFER_SIZE], how = fuzz_byte(messages);
    bool has_hung_up;
    unsigned waiting;
    int32_t status = how < 0xf0 ? 0 : -(int32_t)fuzz_byte(messages);

    if (!run.has_offer) {
        link_offer(bytes, &run.geometry, run.ids, run.features, run.offered_wake, status);
        link_packet(messages, bytes, OFFER_SIZE, run.files,
                    status != 0  ? 0
                    : is_owned() ? 2
                                 : 3,
                    FILES, &made);
        if (how % 8 == 1) {
            kernel_lock_elsewhere(SHMRING_LINK_CLIENT);
            run.is_locked = true;
        }
    } else {
        link_answer(bytes, 'G', run.ids + ID_SIZE);
        link_packet(messages, bytes, ANSWER_SIZE, run.files, 0, FILES, &made);
    }
    const struct kernel_packet *packet = kernel_next(&waiting, &has_hung_up);

    if (packet == NULL)
        return has_hung_up ? -EPROTO : -EAGAIN;
    return run.has_offer ? judge_go(packet) : judge_offer(packet, waiting, has_hung_up);
}

static void check_ack(const struct kernel_packet *sent)
{
    fuzz_expect(sent->length == ANSWER_SIZE && sent->count == is_owned() &&
                    link_is_answer(sent->bytes, 'A', run.ids + ID_SIZE),
                "an answer says what it should");
    if (is_owned())
        fuzz_expect((sent->seals[0] & SEALS_FULL) == SEALS_FULL && !sent->fds[0]->is_theirs &&
                        sent->fds[0]->mapped != NULL &&
                        link_has_header(sent->fds[0], &run.geometry),
                    "our lane is mapped and sealed before it is sent");
}

static bool is_as_wanted(int error, int want)
{
    if (want == -EAGAIN && run.options.timeout_ns == SHORT_NS)
        want = -ETIMEDOUT;
    if (want == MAY_FAIL || want == MUST_FAIL)
        return error == -EBADMSG || error == -EPROTONOSUPPORT ||
               (want == MAY_FAIL && (error == 0 || error == -EAGAIN || error == -ETIMEDOUT));
    return error == want;
}

/* One message, and one step. */
static int step(fuzz_input *messages, bool is_honest, shmring_handshake *handshake,
                shmring_link *link)
{
    int want = say_something(messages), error;
    unsigned sent, before = run.sent, waiting;
    bool has_hung_up;
    const struct kernel_packet *next = kernel_next(&waiting, &has_hung_up);
    uint8_t session[ID_SIZE] = {0};

    if (next != NULL && next->length >= OFFER_SESSION + ID_SIZE)
        memcpy(session, next->bytes + OFFER_SESSION, ID_SIZE);
    if (want == MUST_FAIL && !is_honest)
        want = MAY_FAIL; /* the other side may mend it while we look */
    error = shmring_handshake_step(handshake, link);
    link_expect_documented(error);
    fuzz_expect(!is_honest || is_as_wanted(error, want), "each message has its answer");
    fuzz_expect(error != 0 || (run.has_offer && (want == 0 || want == MAY_FAIL)),
                "nothing else makes a link");
    const struct kernel_packet *last = kernel_sent(&sent);

    if (sent == before)
        return error;
    fuzz_expect(!run.has_offer && (want == -EAGAIN || want == MAY_FAIL), "no reply but one");
    memcpy(run.ids + ID_SIZE, session, ID_SIZE);
    run.sent = sent;
    run.has_offer = true;
    check_ack(last);
    fuzz_expect(error != -EAGAIN || kernel_memfd_maps() == 2, "who waits has both lanes");
    return error;
}

static void shake_hands(fuzz_input *messages, fuzz_input calls, bool is_honest,
                        shmring_handshake *handshake)
{
    shmring_link link, untouched;
    int error = -EAGAIN;

    memset(&link, UNTOUCHED, sizeof link);
    memset(&untouched, UNTOUCHED, sizeof untouched);
    check_hello();
    for (int i = 0; error == -EAGAIN && i < MESSAGES_MAX && fuzz_left(messages) != 0; i++)
        error = step(messages, is_honest, handshake, &link);
    if (error == 0) {
        link_use(&link, &run.geometry, calls);
        return;
    }
    fuzz_expect(memcmp(&link, &untouched, sizeof link) == 0, "no link on failure");
    if (error == -EAGAIN)
        shmring_handshake_cancel(handshake);
    fuzz_expect(shmring_handshake_step(handshake, &link) == -EINVAL, "it is over");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, data + size};
    uint8_t flags = fuzz_byte(&input), offered = fuzz_byte(&input);
    fuzz_input messages = fuzz_part(&input, fuzz_byte(&input));
    fuzz_input calls = fuzz_part(&input, fuzz_byte(&input) % 32);
    bool is_honest = fuzz_left(&input) == 0;
    shmring_handshake handshake;

    set_up(flags, offered);
    int socket = link_begin_run(input, KERNEL_UID);

    make_files();
    int error = shmring_handshake_begin(&handshake, SHMRING_LINK_CLIENT, socket, &run.options);

    link_expect_documented(error);
    fuzz_expect(!is_honest || error == 0, "a greeting can be sent");
    if (error == 0)
        shake_hands(&messages, calls, is_honest, &handshake);
    else
        kernel_die(socket, NULL);
    fuzz_expect(kernel_descriptors() == 0 && kernel_memfd_maps() == 0 && kernel_pages() == 0,
                "nothing is left open");
    return 0;
}
