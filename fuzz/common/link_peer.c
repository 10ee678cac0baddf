/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* F_SEAL_SEAL */
#include "link_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* What is wrong with a file. */
enum damage {
    SOUND,
    NO_MEMFD,
    LONGER,
    EMPTY,
    SEAL_MISSING,
    LINKED,
    SPECIAL,
    HUGE_PAGES,
    SEALED_WHOLLY,
    WORDS,
    HEADER,
    OTHER_SEALS,
    DAMAGES,
};

uint32_t link_magic(char letter)
{
    return UINT32_C(0x00524853) | (uint32_t)(uint8_t)letter << 24;
}

uint64_t link_number(const uint8_t *bytes, int at, unsigned size)
{
    fuzz_input input = {bytes + at, bytes + at + size};

    return fuzz_number(&input, size);
}

void link_put(uint8_t *bytes, int at, unsigned size, uint64_t number)
{
    for (unsigned i = 0; i < size; i++)
        bytes[at + (int)i] = (uint8_t)(number >> 8 * i);
}

bool link_is_zero_from(const uint8_t *bytes, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

void link_offer(uint8_t *bytes, const shmring_geometry *geometry, const uint8_t *ids,
                uint64_t features, uint32_t wake, int32_t status)
{
    memset(bytes, 0, OFFER_SIZE);
    link_put(bytes, 0, 4, link_magic('O'));
    link_put(bytes, OFFER_VERSION, 2, 1);
    link_put(bytes, OFFER_LENGTH, 4, OFFER_SIZE);
    link_put(bytes, OFFER_STATUS, 4, (uint32_t)status);
    memcpy(bytes + OFFER_NONCE, ids, status != 0 ? ID_SIZE : 2 * ID_SIZE);
    if (status != 0)
        return;
    link_put(bytes, OFFER_VERSION + 2, 2, (features & FEATURE_OWNED) != 0 ? 2 : 3);
    link_put(bytes, OFFER_FEATURES, 8, features);
    link_put(bytes, OFFER_TOPOLOGY, 4, 1);
    link_put(bytes, OFFER_ROLE, 4, 3);
    link_put(bytes, OFFER_WAKE, 4, wake);
    link_put(bytes, OFFER_SLOT, 4, 1);
    link_put(bytes, OFFER_SIZES, 8, geometry->total_size);
    link_put(bytes, OFFER_SIZES + 8, 8, geometry->total_size);
    link_put(bytes, OFFER_CAPACITY, 4, (uint64_t)__builtin_ctzll(geometry->capacity));
    link_put(bytes, OFFER_MEMBERS, 4, 2);
}

void link_answer(uint8_t *bytes, char letter, const uint8_t *session)
{
    memset(bytes, 0, ANSWER_SIZE);
    link_put(bytes, 0, 4, link_magic(letter));
    link_put(bytes, ANSWER_LENGTH, 4, ANSWER_SIZE);
    link_put(bytes, ANSWER_SLOT, 4, 1);
    memcpy(bytes + ANSWER_SESSION, session, ID_SIZE);
}

bool link_is_answer(const uint8_t *bytes, char letter, const uint8_t *session)
{
    uint8_t good[ANSWER_SIZE];

    link_answer(good, letter, session);
    return memcmp(bytes, good, sizeof good) == 0;
}

static void damage(fuzz_input *input, struct kernel_memfd *memfd)
{
    uint8_t how = fuzz_byte(input);

    if (!memfd->is_theirs)
        return;
    switch ((enum damage)(how % DAMAGES)) {
    case NO_MEMFD:
        memfd->seals = -1;
        break;
    case LONGER:
        memfd->size += SHMRING_PAGE_SIZE;
        break;
    case EMPTY:
        memfd->size = 0;
        break;
    case SEAL_MISSING:
        memfd->seals &= ~(1 << how / DAMAGES % 6);
        break;
    case LINKED:
        memfd->is_linked = true;
        break;
    case SPECIAL:
        memfd->is_special = true;
        break;
    case HUGE_PAGES:
        memfd->is_huge = true;
        break;
    case SEALED_WHOLLY:
        memfd->seals = 0x3f;
        break;
    case WORDS:
        for (int i = 0; i < 3; i++) {
            memfd->words[i][0] = fuzz_number(input, 2);
            memfd->words[i][1] = fuzz_number(input, 8);
        }
        break;
    case HEADER:
        memfd->header[fuzz_byte(input) % sizeof memfd->header] ^= fuzz_byte(input);
        break;
    case OTHER_SEALS:
        memfd->seals |= how / DAMAGES;
        break;
    default:
        break;
    }
}

static void choose_files(fuzz_input *input, struct kernel_memfd *const *files, int known,
                         struct kernel_packet *packet)
{
    struct kernel_memfd *strange = kernel_memfd_new();

    packet->count = fuzz_byte(input) % (PACKET_FDS + 1);
    for (int i = 0; i < packet->count; i++) {
        uint8_t which = fuzz_byte(input);

        packet->fds[i] = known != 0 && which != 0xff ? files[which % known] : strange;
    }
}

/* Something behind it: a byte, perhaps with a descriptor. */
static void follow_up(fuzz_input *input)
{
    struct kernel_packet packet = {.is_due = true, .length = fuzz_byte(input) % 4};

    if (packet.length == 3) {
        packet.count = 1;
        packet.fds[0] = kernel_memfd_new();
    }
    kernel_deliver(&packet);
}

static void change_bytes(fuzz_input *input, uint8_t how, struct kernel_packet *packet)
{
    if (how == 4)
        for (int left = fuzz_byte(input) % 4; left >= 0; left--) {
            uint8_t at = fuzz_byte(input);

            packet->bytes[at % packet->length] = fuzz_byte(input);
        }
    if (how == 5) {
        packet->length = fuzz_byte(input);
        for (size_t i = 0; i < packet->length; i++)
            packet->bytes[i] = fuzz_byte(input);
    }
}

void link_packet(fuzz_input *input, const uint8_t *bytes, size_t length,
                 struct kernel_memfd *const *files, int count, int known,
                 struct kernel_packet *ret_packet)
{
    uint8_t how = fuzz_byte(input);

    memset(ret_packet, 0, sizeof *ret_packet);
    memcpy(ret_packet->bytes, bytes, length);
    ret_packet->length = length;
    ret_packet->count = count;
    for (int i = 0; i < count; i++)
        ret_packet->fds[i] = files[i];
    ret_packet->is_due = how % 8 != 6;
    ret_packet->has_hung_up = how % 8 == 7;
    change_bytes(input, how % 8, ret_packet);
    if ((how & 0x08) != 0)
        ret_packet->length = fuzz_byte(input);
    if ((how & 0x10) != 0)
        choose_files(input, files, known, ret_packet);
    if ((how & 0x20) != 0 && ret_packet->count != 0)
        damage(input, ret_packet->fds[fuzz_byte(input) % ret_packet->count]);
    if ((how & 0x40) != 0) {
        uint8_t more = fuzz_byte(input);

        ret_packet->has_more = (more & 1) != 0;
        ret_packet->is_cut = (more & 2) != 0;
    }
    kernel_deliver(ret_packet);
    if ((how & 0x80) != 0)
        follow_up(input);
}

int link_judge_frame(const struct kernel_packet *packet, size_t length, int wanted)
{
    enum { RECEIVED_MAX = 8 };
    /* Beside other ancillary data there is no room for any. */
    int received = packet->has_more               ? 0
                   : packet->count > RECEIVED_MAX ? RECEIVED_MAX
                                                  : packet->count;
    bool is_cut = packet->is_cut || received < packet->count;

    if (packet->length == length && (packet->count == wanted || packet->count == 0) &&
        !packet->has_more && !is_cut)
        return 0;
    return is_cut && received < wanted ? -EMFILE : -EPROTO;
}

bool link_is_sound(const struct kernel_memfd *memfd, uint64_t size, int seals)
{
    return memfd->seals >= 0 && (memfd->seals & seals) == seals && memfd->size == size &&
           !memfd->is_linked && !memfd->is_special && !memfd->is_huge;
}

void link_make_lane(struct kernel_memfd *memfd, const shmring_geometry *geometry, int seals)
{
    _Alignas(8) uint8_t header[sizeof memfd->header] = {0};

    shmring_layout_format(header, geometry);
    shmring_layout_publish(header);
    memcpy(memfd->header, header, sizeof header);
    memfd->size = geometry->total_size;
    memfd->seals = seals;
}

bool link_is_blank(const struct kernel_memfd *memfd)
{
    return link_is_zero_from((const uint8_t *)memfd->words, 0, sizeof memfd->words);
}

bool link_has_header(const struct kernel_memfd *memfd, const shmring_geometry *geometry)
{
    struct kernel_memfd good = {.inode = memfd->inode};

    link_make_lane(&good, geometry, 0);
    return memcmp(memfd->header, good.header, sizeof good.header) == 0;
}

void link_expect_documented(int error)
{
    static const int known[] = {EAGAIN, EPROTO, EBADMSG,   EPROTONOSUPPORT, EMSGSIZE,
                                EPERM,  ENFILE, ETIMEDOUT, EOPNOTSUPP,      EMFILE,
                                ENOMEM, ENOSPC, ENOBUFS,   ETOOMANYREFS,    0};

    fuzz_expect_documented(error, known, "errors of a handshake");
}
