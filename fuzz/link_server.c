/* SPDX-License-Identifier: MIT */
/*
 * The server's half of a handshake (docs/link.md), with a client that sends what it likes, with any
 * descriptors, and a lane that it writes to all the time (common/hostile.h), under a kernel that
 * refuses what it may refuse. Claims: each message is taken, answered or refused as the text says;
 * what is handed over is sealed before; what comes is closed; errors are the documented ones, and
 * leave nothing behind; a link can be used without an access outside the two lanes.
 *
 * Input: options, who the client is, sizes of two parts and they: its messages
 * (common/link_peer.h), ACK with what it did before; calls on the link; then the script.
 */
#include "common/kernel.h"
#include "common/link_peer.h"

#include <errno.h>
#include <string.h>

enum {
    MAY_FAIL = 1,  /* what is in the client's lane decides */
    MUST_FAIL = 2, /* its header is wrong */
    UNTOUCHED = 0x5a,
    MESSAGES_MAX = 8,
    SHORT_NS = 1,
    SEAL = 1, /* F_SEAL_SEAL */
};

enum flag { CAPACITY = 1, OWNED = 2, POLLABLE = 4, SHORT = 8, FENCE = 0x30 };

static struct {
    shmring_link_options options;
    shmring_geometry geometry;
    uid_t uid;
    bool is_welcome, has_offered, is_locked;
    uint64_t features;
    uint8_t ids[2 * ID_SIZE];
    struct kernel_packet offer;
    unsigned sent; /* messages */
} run;

static bool say_no(void *argument, const shmring_link_peer *peer, bool is_listed, int pidfd)
{
    (void)argument, (void)is_listed;
    fuzz_expect(peer->uid == run.uid, "who it is");
    fuzz_expect(kernel_pidfd_error() == (pidfd == -1 ? ENOPROTOOPT : 0),
                "a peer without a pidfd is one of an old kernel");
    return false;
}

static bool say_yes(void *argument, const shmring_link_peer *peer, bool is_listed, int pidfd)
{
    return !say_no(argument, peer, is_listed, pidfd);
}

static void set_up(uint8_t flags, uint8_t who)
{
    static const enum shmring_fence fences[] = {SHMRING_FENCE_DEFAULT, SHMRING_FENCE_SYMMETRIC,
                                                SHMRING_FENCE_LIGHT, SHMRING_FENCE_DEFAULT};
    static const uid_t uids[] = {KERNEL_UID, 1, 2, (uid_t)-1}, listed[] = {2, 3};
    static const gid_t gids[] = {7, 1001};

    memset(&run, 0, sizeof run);
    run.uid = uids[who % 4];
    run.is_welcome = who % 4 == 0 || (who % 4 == 2 && (who & 4) != 0) || (who & 8) != 0;
    run.options = (shmring_link_options){
        .size = sizeof run.options,
        .capacity = (flags & CAPACITY) != 0 ? 8192 : 4096,
        .fence = fences[(flags & FENCE) / (FENCE / 3)],
        .pollable = (flags & POLLABLE) != 0,
        .client_owned = (flags & OWNED) != 0,
        .timeout_ns = (flags & SHORT) != 0 ? SHORT_NS : 0,
        .uids = (who & 4) != 0 ? listed : NULL,
        .uid_count = (who & 4) != 0 ? 2 : 0,
        .gids = (who & 8) != 0 ? gids : NULL,
        .gid_count = (who & 8) != 0 ? 2 : 0,
    };
    if ((who & 0x30) != 0) {
        run.options.is_welcome = (who & 0x30) == 0x30 ? say_yes : say_no;
        run.is_welcome = (who & 0x30) == 0x30;
    }
    fuzz_expect(shmring_layout_plan(SHMRING_KIND_LANE, 0, run.options.capacity, &run.geometry) == 0,
                "a plan");
}

static uint32_t wake(void)
{
    return run.options.pollable ? WAKE_SOCKET : WAKE_FUTEX;
}

/* HELLO as it should be. */
static void make_hello(uint8_t *bytes, uint8_t how)
{
    memset(bytes, 0, HELLO_SIZE);
    link_put(bytes, 0, 4, link_magic('H'));
    link_put(bytes, HELLO_VERSIONS, 2, 1);
    link_put(bytes, HELLO_VERSIONS + 2, 2, 1);
    link_put(bytes, HELLO_LENGTH, 4, HELLO_SIZE);
    link_put(bytes, HELLO_ROLE, 4, 3);
    link_put(bytes, HELLO_TOPOLOGY, 4, 1);
    link_put(bytes, HELLO_WAKE, 4, (how & 1) != 0 ? WAKE_SOCKET : WAKE_FUTEX);
    link_put(bytes, HELLO_REQUIRED, 8, how >> 1 & 3);
    link_put(bytes, HELLO_WANTED, 8, how >> 3 & 3);
    memset(bytes + HELLO_NONCE, 0x77, ID_SIZE);
    link_put(bytes, HELLO_PAGE_SIZE, 4, SHMRING_PAGE_SIZE);
}

/* Well-formed, it is served or refused: 0, or with what. Outputs the features. */
static int judge_wishes(const uint8_t *hello, uint64_t *ret_features)
{
    uint64_t required = link_number(hello, HELLO_REQUIRED, 8);
    uint64_t wanted = required | link_number(hello, HELLO_WANTED, 8);
    uint64_t rings = link_number(hello, HELLO_WAKE, 4);
    bool is_light = (wanted & FEATURE_LIGHT) != 0 && run.options.fence != SHMRING_FENCE_SYMMETRIC;

    if (link_number(hello, HELLO_VERSIONS, 2) > 1 ||
        link_number(hello, HELLO_VERSIONS + 2, 2) < 1 ||
        required > (FEATURE_OWNED | FEATURE_LIGHT) || link_number(hello, HELLO_ROLE, 4) != 3 ||
        link_number(hello, HELLO_TOPOLOGY, 4) != 1 ||
        (rings != WAKE_FUTEX && rings != WAKE_SOCKET) ||
        link_number(hello, HELLO_PAGE_SIZE, 4) != SHMRING_PAGE_SIZE)
        return -EPROTONOSUPPORT;
    if (((required & FEATURE_OWNED) != 0 && !run.options.client_owned) ||
        (!is_light &&
         ((required & FEATURE_LIGHT) != 0 || run.options.fence == SHMRING_FENCE_LIGHT)))
        return -EOPNOTSUPP;
    *ret_features = (required & FEATURE_OWNED) | (is_light ? FEATURE_LIGHT : 0);
    return 0;
}

static bool is_hello(const uint8_t *bytes)
{
    return link_number(bytes, 0, 4) == link_magic('H') &&
           link_number(bytes, HELLO_LENGTH, 4) == HELLO_SIZE &&
           link_number(bytes, HELLO_VERSIONS, 2) <= link_number(bytes, HELLO_VERSIONS + 2, 2) &&
           link_number(bytes, HELLO_RESERVED, 4) == 0;
}

/* What the step must say: -EAGAIN with an offer. */
static int judge_hello(const struct kernel_packet *packet, bool has_hung_up, uint64_t *ret_features)
{
    int error = link_judge_frame(packet, HELLO_SIZE, 0);

    if (error == 0 && !is_hello(packet->bytes))
        error = -EPROTO;
    if (error == 0)
        error = judge_wishes(packet->bytes, ret_features);
    return error != 0 ? error : has_hung_up ? -EPROTO : -EAGAIN;
}

static int judge_lane(struct kernel_memfd *lane, bool is_owned)
{
    struct kernel_memfd sealed = *lane;

    if (!is_owned && (sealed.seals & SEAL) == 0)
        sealed.seals |= SEALS_FULL;
    if (!link_is_sound(&sealed, run.geometry.total_size, SEALS_FULL) || lane == run.offer.fds[0])
        return -EBADMSG;
    if (!link_is_blank(lane))
        return MAY_FAIL;
    return link_has_header(lane, &run.geometry) ? 0 : MUST_FAIL;
}

static int judge_ack(const struct kernel_packet *packet, unsigned waiting, bool has_hung_up)
{
    bool is_owned = (run.features & FEATURE_OWNED) != 0;
    int error = link_judge_frame(packet, ANSWER_SIZE, is_owned);

    if (error != 0)
        return error;
    if (packet->count != is_owned || !run.is_locked ||
        !link_is_answer(packet->bytes, 'A', run.ids + ID_SIZE) || (is_owned && waiting > 1))
        return -EPROTO;
    if (is_owned && has_hung_up)
        return -EPROTO;
    error = judge_lane(is_owned ? packet->fds[0] : run.offer.fds[2], is_owned);
    return error == 0 && has_hung_up ? -EPROTO : error;
}

/* What was just sent is the offer, or the refusal, of that hello; at most with these features, and
 * without the light fence only if the kernel has none. */
static void check_offer(const uint8_t *hello, int status, uint64_t features, bool is_honest)
{
    const struct kernel_packet *sent = kernel_sent(&run.sent);
    uint8_t want[OFFER_SIZE];

    run.features = link_number(sent->bytes, OFFER_FEATURES, 8);
    fuzz_expect(status != 0 || run.features == features ||
                    (!is_honest && run.features == (features & ~(uint64_t)FEATURE_LIGHT)),
                "the features that both have");
    memcpy(run.ids, hello + HELLO_NONCE, ID_SIZE);
    memcpy(run.ids + ID_SIZE, sent->bytes + OFFER_SESSION, ID_SIZE);
    link_offer(want, &run.geometry, run.ids, run.features, wake(), status);
    fuzz_expect(sent->length == OFFER_SIZE && memcmp(sent->bytes, want, sizeof want) == 0,
                "an offer says what it should");
    fuzz_expect(sent->count == (int)link_number(want, OFFER_VERSION + 2, 2), "so many descriptors");
    if (status != 0)
        return;
    run.offer = *sent;
    run.geometry.options |= (run.features & FEATURE_LIGHT) != 0 ? SHMRING_OPTION_LIGHT_WAKE : 0;
    fuzz_expect((sent->seals[0] & SEALS_FULL) == SEALS_FULL && sent->fds[0]->mapped != NULL &&
                    link_has_header(sent->fds[0], &run.geometry),
                "our lane is mapped and sealed before it is sent");
    fuzz_expect(link_is_sound(sent->fds[1], 0, SEALS_HALF), "a file of locks");
    if (sent->count == 3)
        fuzz_expect(link_is_sound(sent->fds[2], run.geometry.total_size, SEALS_HALF) &&
                        sent->fds[2]->mapped == NULL && (sent->seals[2] & ~SEALS_HALF) == 0,
                    "the client's lane is not looked at before it is sealed");
}

/* The client locks its byte, or not, and does things to its lane. */
static void prepare_ack(fuzz_input *messages)
{
    uint8_t how = fuzz_byte(messages);
    struct kernel_memfd *lane = run.offer.fds[2];

    if (how % 8 != 1) {
        kernel_lock_elsewhere(SHMRING_LINK_CLIENT);
        run.is_locked = true;
    }
    if (run.offer.count == 3 && (how & 0x10) != 0)
        lane->seals |= fuzz_byte(messages) & 0x1f;
    if (run.offer.count == 3 && (how & 0x20) != 0)
        for (int i = 0; i < 3; i++) {
            lane->words[i][0] = fuzz_number(messages, 2);
            lane->words[i][1] = fuzz_number(messages, 8);
        }
}

/* The next message, and what is to become of it. */
static int say_something(fuzz_input *messages, uint64_t *ret_features)
{
    struct kernel_packet made;
    struct kernel_memfd *lane = NULL;
    uint8_t bytes[HELLO_SIZE];
    bool is_owned = (run.features & FEATURE_OWNED) != 0, has_hung_up;
    unsigned waiting;

    if (!run.has_offered) {
        make_hello(bytes, fuzz_byte(messages));
    } else {
        link_answer(bytes, 'A', run.ids + ID_SIZE);
        prepare_ack(messages);
        if (is_owned) {
            lane = kernel_memfd_new();
            link_make_lane(lane, &run.geometry, SEALS_FULL);
        }
    }
    struct kernel_memfd *files[] = {lane, run.offer.fds[0], run.offer.fds[1]};

    /* A client that has brought no lane may send back what it was given. */
    link_packet(messages, bytes, sizeof bytes, is_owned ? files : files + 1, is_owned,
                run.has_offered ? 2 + is_owned : 0, &made);
    const struct kernel_packet *packet = kernel_next(&waiting, &has_hung_up);

    if (packet == NULL)
        return has_hung_up ? -EPROTO : -EAGAIN;
    return run.has_offered ? judge_ack(packet, waiting, has_hung_up)
                           : judge_hello(packet, has_hung_up, ret_features);
}

static bool is_as_wanted(int error, int want)
{
    if (want == -EAGAIN && run.options.timeout_ns == SHORT_NS)
        want = -ETIMEDOUT;
    if (want == MAY_FAIL || want == MUST_FAIL)
        return error == -EBADMSG || error == -EPROTONOSUPPORT ||
               (want == MAY_FAIL && (error == 0 || error == -EPROTO));
    return error == want;
}

/* One message, and one step. */
static int step(fuzz_input *messages, bool is_honest, shmring_handshake *handshake,
                shmring_link *link)
{
    uint64_t features = 0;
    int want = say_something(messages, &features), error;
    unsigned waiting, sent, before = run.sent;
    bool has_hung_up;
    const struct kernel_packet *next = kernel_next(&waiting, &has_hung_up);
    struct kernel_packet packet = {0};

    if (next != NULL)
        packet = *next;
    if (want == MUST_FAIL && !is_honest)
        want = MAY_FAIL; /* the other side may mend it while we look */
    error = shmring_handshake_step(handshake, link);
    link_expect_documented(error);
    const struct kernel_packet *last = kernel_sent(&sent);

    fuzz_expect(!is_honest || is_as_wanted(error, want), "each message has its answer");
    fuzz_expect(error != 0 || want == 0 || want == MAY_FAIL, "nothing else makes a link");
    if (!run.has_offered && sent != before) {
        int32_t status = (int32_t)link_number(last->bytes, OFFER_STATUS, 4);

        check_offer(packet.bytes, status, features, is_honest);
        run.has_offered = status == 0;
        fuzz_expect(status == 0 || error == status, "who refuses says so on both sides");
    } else if (error == 0) {
        fuzz_expect(sent == before + 1 && last->length == ANSWER_SIZE && last->count == 0 &&
                        link_is_answer(last->bytes, 'G', run.ids + ID_SIZE),
                    "go, and that is all");
    } else {
        fuzz_expect(sent == before, "no reply to what cannot be");
    }
    return error;
}

static void shake_hands(fuzz_input *messages, fuzz_input calls, bool is_honest,
                        shmring_handshake *handshake)
{
    shmring_link link, untouched;
    int error = -EAGAIN;

    memset(&link, UNTOUCHED, sizeof link);
    memset(&untouched, UNTOUCHED, sizeof untouched);
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

/* What begin is to say. */
static int judgement(void)
{
    const int lack = kernel_pidfd_error();

    if (run.uid == (uid_t)-1)
        return -ENOTCONN;
    if (lack != 0 && lack != ENOPROTOOPT)
        return lack == EINVAL ? -EPERM : -lack;
    return run.is_welcome ? 0 : -EPERM;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, data + size};
    uint8_t flags = fuzz_byte(&input), who = fuzz_byte(&input);
    fuzz_input messages = fuzz_part(&input, fuzz_byte(&input));
    fuzz_input calls = fuzz_part(&input, fuzz_byte(&input) % 32);
    bool is_honest = fuzz_left(&input) == 0;
    shmring_handshake handshake;

    set_up(flags, who);
    run.is_locked = !is_honest; /* the kernel may say so at any time, by choice */
    int socket = link_begin_run(input, run.uid);
    int error = shmring_handshake_begin(&handshake, SHMRING_LINK_SERVER, socket, &run.options);

    fuzz_expect(error == judgement(), "who is welcome is let in, and nobody else");
    if (error == 0)
        shake_hands(&messages, calls, is_honest, &handshake);
    else
        kernel_die(socket, NULL);
    fuzz_expect(kernel_descriptors() == 0 && kernel_memfd_maps() == 0 && kernel_pages() == 0,
                "nothing is left open");
    return 0;
}
