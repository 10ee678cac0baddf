/* SPDX-License-Identifier: MIT */
/*
 * The other side of a handshake: messages as docs/link.md has them, written here once more, byte by
 * byte, and what an input makes of them and of the files that come along.
 */
#ifndef SHMRING_FUZZ_LINK_PEER_H
#define SHMRING_FUZZ_LINK_PEER_H

#include "kernel_socket.h"

#include <shmring/link.h>

/* Sizes, magic numbers, and where what stands. */
enum {
    HELLO_SIZE = 64,
    HELLO_VERSIONS = 4, /* least and most, two bytes each */
    HELLO_LENGTH = 8,
    HELLO_ROLE = 12,
    HELLO_TOPOLOGY = 16,
    HELLO_WAKE = 20,
    HELLO_REQUIRED = 24,
    HELLO_WANTED = 32,
    HELLO_NONCE = 40,
    HELLO_PAGE_SIZE = 56,
    HELLO_RESERVED = 60,
    OFFER_SIZE = 160,
    OFFER_VERSION = 4, /* and how many descriptors, two bytes each */
    OFFER_LENGTH = 8,
    OFFER_STATUS = 12,
    OFFER_NONCE = 16,
    OFFER_SESSION = 32,
    OFFER_FEATURES = 48,
    OFFER_TOPOLOGY = 56,
    OFFER_ROLE = 60,
    OFFER_WAKE = 64,
    OFFER_SLOT = 68,
    OFFER_SIZES = 80, /* of the server's lane, of the client's, of the lock file */
    OFFER_CAPACITY = 104,
    OFFER_ELEMENT_SIZE = 108,
    OFFER_MEMBERS = 112,
    OFFER_RESERVED = 116,
    ANSWER_SIZE = 64,
    ANSWER_LENGTH = 4,
    ANSWER_STATUS = 8,
    ANSWER_SLOT = 12,
    ANSWER_SESSION = 24,
    ANSWER_RESERVED = 40,
    ID_SIZE = 16,    /* of a nonce, of a session, which stands behind it in OFFER */
    SEALS_HALF = 6,  /* shrink, grow */
    SEALS_FULL = 23, /* these, future write, seal */
    FEATURE_OWNED = 1,
    FEATURE_LIGHT = 2,
    WAKE_FUTEX = 0,
    WAKE_SOCKET = 16,
};

/* "SHR" and a letter. */
uint32_t link_magic(char letter);

uint64_t link_number(const uint8_t *bytes, int at, unsigned size);
void link_put(uint8_t *bytes, int at, unsigned size, uint64_t number);
bool link_is_zero_from(const uint8_t *bytes, size_t from, size_t to);

/* OFFER as it should be; a refusal, if status is not 0. */
void link_offer(uint8_t *bytes, const shmring_geometry *geometry, const uint8_t *ids,
                uint64_t features, uint32_t wake, int32_t status);

/* ACK ('A') or GO ('G') as it should be. */
void link_answer(uint8_t *bytes, char letter, const uint8_t *session);

/* Is it that, with that session? */
bool link_is_answer(const uint8_t *bytes, char letter, const uint8_t *session);

/*
 * What comes next: bytes as they should be, with the first count of these files, changed as the
 * input says, also to others of the known ones, or a strange one. Input: a byte, of whose low three
 * bits 4: changes (a number, then place and value), 5: other bytes (a length, then they), 6:
 * nothing, 7: the end; and by its other bits another length, other files (how many, then which),
 * damaged ones (enum damage), other ancillary data, something behind it.
 */
void link_packet(fuzz_input *input, const uint8_t *bytes, size_t length,
                 struct kernel_memfd *const *files, int count, int known,
                 struct kernel_packet *ret_packet);

/* A message of that length, with wanted descriptors or none, and nothing else? 0, or the error. */
int link_judge_frame(const struct kernel_packet *packet, size_t length, int wanted);

/* Is it a lane, or a lock file, with these seals? */
bool link_is_sound(const struct kernel_memfd *memfd, uint64_t size, int seals);

/* Makes it one, as the other side would, and what stands in it. */
void link_make_lane(struct kernel_memfd *memfd, const shmring_geometry *geometry, int seals);

/* Is its header that? And is there nothing else in it? */
bool link_has_header(const struct kernel_memfd *memfd, const shmring_geometry *geometry);
bool link_is_blank(const struct kernel_memfd *memfd);

/* A new run: the lane that is read is hostile as the rest of an input says. Returns a socket. */
int link_begin_run(fuzz_input script, uid_t uid);

/* Uses the link for a while, and closes it. */
void link_use(shmring_link *link, const shmring_geometry *geometry, fuzz_input calls);

/* What a handshake may end with, or -EAGAIN. */
void link_expect_documented(int error);

#endif
