/* SPDX-License-Identifier: MIT */
/*
 * Every byte in shared memory. Two programs that were built with different versions of the
 * library meet here, so nothing in this file changes without a new SHMRING_LAYOUT_VERSION or a
 * feature bit. docs/layout.md draws it and says why it is so.
 *
 *   offset            page                  written by
 *   0                 struct shmring_header the creator, once, before anyone else can see it
 *   one producer and one consumer (spsc.h, spsc_array.h):
 *   producer_offset   struct shmring_role   the producer
 *   consumer_offset   struct shmring_role   the consumer
 *   data_offset       data                  the producer
 *   one side of a link (link.h): the same, all of it written by that side, the consumer being that
 *   of the other side's messages, which lie in an object of the other side's
 *   many of both (mpmc.h):
 *   control_offset    struct shmring_mpmc_control       all members
 *   members_offset    struct shmring_member_record[]    each its own, and the dead's
 *   entries_offset    struct shmring_mpmc_entry[]       all members
 *   data_offset       messages, slot_stride bytes apart who owns the slot
 *
 * Each part has pages of its own: a page is the unit of permission. All numbers are in the byte
 * order of the machine; the magic number tells a foreign one.
 *
 *   creator                           opener
 *            STORE header             [layout.B] load  magic acquire
 *   [layout.A] store magic release             LOAD  header
 *
 *   A pairs with B: without it a header could be read that is only half there.
 */
#ifndef SHMRING_LAYOUT_H
#define SHMRING_LAYOUT_H

#include "shmring/atomic.h"

#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#define SHMRING_ASSERT_LAYOUT static_assert
#else
#define SHMRING_ASSERT_LAYOUT _Static_assert
#endif

enum {
    SHMRING_LAYOUT_VERSION = 1,
    SHMRING_PAGE_SIZE = 4096, /* of the layout, whatever the machine's page is */
    SHMRING_LINE_SIZE = 128,  /* two 64-byte lines: prefetchers fetch them in pairs */
};

/* "shmring" and a zero byte, read as a little-endian number. */
#define SHMRING_MAGIC UINT64_C(0x00676e69726d6873)

/* What kind of ring the data is. */
enum shmring_kind {
    SHMRING_KIND_SPSC = 1, /* one producer, one consumer: messages, or elements of one size */
    SHMRING_KIND_MPMC = 2, /* many of both: messages in slots of one size */
    SHMRING_KIND_LANE =
        3, /* what one side of a link writes: messages out, and how far it has read */
};

/* What the creator may choose (shmring_geometry.options). */
enum shmring_option {
    /* SHMRING_KIND_MPMC: a message that a consumer held when it died or detached is delivered
     * once more; else it is dropped and counted. */
    SHMRING_OPTION_REDELIVER = 1,
    /* Who publishes passes no fence: who goes to sleep makes all others pass one (wait.h). */
    SHMRING_OPTION_LIGHT_WAKE = 2,
    /* From this bit on: enum shmring_backend. */
    SHMRING_OPTION_BACKEND = 256,
    SHMRING_OPTION_BACKENDS_MASK = 7 * SHMRING_OPTION_BACKEND,
};

/* What a sleeper sleeps on (bell.h). The same for all members, so it is the creator's choice. */
enum shmring_backend {
    SHMRING_BACKEND_FUTEX = 0,
    SHMRING_BACKEND_EVENTFD = 1,   /* pollable; descriptors that are passed along */
    SHMRING_BACKEND_SEM = 2,       /* an unnamed POSIX semaphore in the ring */
    SHMRING_BACKEND_NAMED_SEM = 3, /* a named POSIX semaphore beside the ring */
    SHMRING_BACKEND_SYSV_SEM = 4,  /* a System V semaphore */
    SHMRING_BACKENDS,
    SHMRING_BACKEND_SOCKET = 16, /* that of a link (link.h): never in a header */
};

/*
 * The first page. An object is a ring when magic is there: it is stored last.
 * Feature bits as in file systems. A reader that does not know a bit of
 *   incompatible          must not open the ring at all,
 *   read_only_compatible  may look at it but not attach to it,
 *   compatible            may ignore it.
 */
struct shmring_header {
    shmring_word64 magic;
    uint32_t layout_version;
    uint32_t header_size; /* sizeof(struct shmring_header) of the creator */
    uint64_t incompatible;
    uint64_t read_only_compatible;
    uint64_t compatible;
    uint32_t kind;
    uint32_t element_size;    /* bytes; 0: messages of any length */
    uint64_t capacity;        /* a power of two: bytes of data, or elements if element_size != 0 */
    uint64_t options;         /* enum shmring_option; an unknown bit is an unknown ring */
    uint64_t total_size;      /* of the object, bytes */
    uint64_t producer_offset; /* 0: the kind has no such part */
    uint64_t consumer_offset;
    uint64_t control_offset;
    uint64_t members_offset;
    uint64_t entries_offset;
    uint64_t data_offset;
    uint64_t checksum; /* FNV-1a, 64 bits, over all of the above with magic in place */
};

/* What one side rings and the other sleeps on. Which parts are used is up to the backend. */
struct shmring_bell_words {
    shmring_word32 wakes;   /* futex: the word slept on; +1 at each wake, with any backend */
    shmring_word32 sysv_id; /* System V: the set */
    uint64_t semaphore[8];  /* POSIX, unnamed: the sem_t */
};

/*
 * One role's page: the shared half of a producer or a consumer. Only the holder of the role
 * writes it; the other side reads it, and trusts none of it.
 */
struct shmring_role {
    /* Producer: end of the published data. Consumer: end of the data given back. Counts bytes or
     * elements since creation, never masked, never back. */
    shmring_word64 pos;
    uint8_t pad0[SHMRING_LINE_SIZE - 8];

    /* +1 at each attach (odd: attached, or died attached), +1 at each detach (even). */
    shmring_word32 session;
    /* The last session of the other role whose end was reported to a holder of this one. */
    shmring_word32 peer_ended;
    /* Process id of the last holder, in its own pid namespace: for people, never for kill(). */
    shmring_word32 pid;
    uint8_t pad1[SHMRING_LINE_SIZE - 12];

    /* As sleeper: 0 awake, else "wake me when your pos has reached this". */
    shmring_word64 wake_at;
    /* As waker: what the other role sleeps on. */
    struct shmring_bell_words bell;
    uint8_t pad2[SHMRING_PAGE_SIZE - 2 * SHMRING_LINE_SIZE - 80];
};

/* What many sleep for, and many ring (event.h). */
struct shmring_event {
    /* 0: nobody sleeps. Else "ring when a position has come to this", see event.h. */
    shmring_word64 wake_at;
    struct shmring_bell_words bell;
    uint8_t pad[SHMRING_LINE_SIZE - 80];
};

/* The shared half of a ring with many producers and consumers, beside its slots. */
struct shmring_mpmc_control {
    /* Every position below is used: where a producer begins to look. A hint, it may lag. */
    shmring_word64 tail_hint;
    uint8_t pad0[SHMRING_LINE_SIZE - 8];

    /* Every position below is closed: where a consumer begins to look. A hint, it may lag. */
    shmring_word64 head_hint;
    /* +1 when messages of a dead consumer wait to be delivered again: look for them. */
    shmring_word32 orphan_epoch;
    uint8_t pad1[SHMRING_LINE_SIZE - 12];

    /* Counted since creation: messages that were dropped with their consumer, and delivered again
     * in place of that. A member that dies between the deed and the count is not counted. */
    shmring_word64 dropped;
    shmring_word64 redelivered;
    /* By enum shmring_member_role, counted likewise: those that attached, that left, and that were
     * found dead. */
    shmring_word32 joined[3];
    shmring_word32 left[3];
    shmring_word32 died[3];
    uint8_t pad2[SHMRING_LINE_SIZE - 52];

    struct shmring_event messages; /* consumers sleep for one */
    struct shmring_event room;     /* producers sleep for a free slot */
    uint8_t pad3[SHMRING_PAGE_SIZE - 5 * SHMRING_LINE_SIZE];
};

/* What there is of a slot beside its message: four to a line, so that a line serves more than one
 * message where a stream has room to run. mpmc_word.h says what is in them. */
struct shmring_mpmc_entry {
    shmring_word64 word;
    shmring_word64 label;
};

/* Members have ids 1 to SHMRING_MEMBER_MAX; 0 is nobody. */
enum {
    SHMRING_MEMBER_BITS = 12,
    SHMRING_MEMBER_RECORDS = 1 << SHMRING_MEMBER_BITS,
    SHMRING_MEMBER_MAX = SHMRING_MEMBER_RECORDS - 1,
};

/* What is known of a member, at the place of its id. Truth about life is its lock (member.h). */
struct shmring_member_record {
    /* +1 when somebody takes the id (odd: held, or died holding it), +1 when it is given back. */
    shmring_word32 session;
    /* Process id in its own pid namespace: for people, never for kill(). */
    shmring_word32 pid;
    shmring_word32 role; /* enum shmring_member_role */
    shmring_word32 died; /* the last session that ended by death, noted at the burial */
    /* CLOCK_MONOTONIC, ns, when others first had to step around a slot that it holds; 0: never. */
    shmring_word64 held_since;
    uint8_t pad[8];
};

enum shmring_member_role {
    SHMRING_ROLE_PRODUCER = 1,
    SHMRING_ROLE_CONSUMER = 2,
};

/*
 * A record: one header word, the payload, and padding up to a multiple of 8 bytes.
 *   bits 0-30   length of the payload in bytes
 *   bit  31     1: no message, skip to the end of the data
 *   bits 32-63  the user's type
 * Records do not wrap: one that does not fit before the end of the data is preceded by a skip.
 */
enum {
    SHMRING_RECORD_ALIGN = 8,
    SHMRING_RECORD_HEADER_SIZE = 8,
};
#define SHMRING_RECORD_SKIP (UINT64_C(1) << 31)
#define SHMRING_RECORD_LENGTH_MASK ((UINT64_C(1) << 31) - 1)

/* The longest message of however large a ring. */
#define SHMRING_MESSAGE_MAX (UINT64_C(1) << 30)

/* Limits of capacity, in bytes (messages), and of elements times element_size. */
#define SHMRING_CAPACITY_MIN (UINT64_C(1) << 12)
#define SHMRING_CAPACITY_MAX (UINT64_C(1) << 40)

/* The backend that options name, or SHMRING_BACKENDS if there is none such. */
inline enum shmring_backend shmring_layout_backend(uint64_t options)
{
    uint64_t number = (options & SHMRING_OPTION_BACKENDS_MASK) / SHMRING_OPTION_BACKEND;

    return number < SHMRING_BACKENDS ? (enum shmring_backend)number : SHMRING_BACKENDS;
}

/* Limits of a ring of slots. */
#define SHMRING_SLOTS_MIN (UINT64_C(1) << 1)
#define SHMRING_SLOTS_MAX (UINT64_C(1) << 20)

SHMRING_ASSERT_LAYOUT(sizeof(struct shmring_header) == 128, "the header is published data");
SHMRING_ASSERT_LAYOUT(offsetof(struct shmring_header, layout_version) == 8, "read before all");
SHMRING_ASSERT_LAYOUT(offsetof(struct shmring_header, checksum) == 120, "the checksum is last");
SHMRING_ASSERT_LAYOUT(sizeof(struct shmring_role) == SHMRING_PAGE_SIZE, "a page of its own");
SHMRING_ASSERT_LAYOUT(offsetof(struct shmring_role, session) == 128, "a line of its own");
SHMRING_ASSERT_LAYOUT(offsetof(struct shmring_role, wake_at) == 256, "a line of its own");
SHMRING_ASSERT_LAYOUT(offsetof(struct shmring_role, bell) == 264, "beside wake_at");
SHMRING_ASSERT_LAYOUT(sizeof(struct shmring_bell_words) == 72, "the same in 32 bits");
SHMRING_ASSERT_LAYOUT(sizeof(struct shmring_event) == SHMRING_LINE_SIZE, "a line of its own");
SHMRING_ASSERT_LAYOUT(offsetof(struct shmring_mpmc_control, messages) == 3 * SHMRING_LINE_SIZE,
                      "lines of their own");

SHMRING_ASSERT_LAYOUT(sizeof(struct shmring_mpmc_control) == SHMRING_PAGE_SIZE, "a page");
SHMRING_ASSERT_LAYOUT(sizeof(struct shmring_member_record) == 32, "two to a line");

/* A checked, private copy of the header: the only geometry that code may use after attach. */
typedef struct shmring_geometry {
    uint32_t kind;
    uint32_t element_size;
    uint64_t capacity;
    uint64_t options; /* enum shmring_option: 0 as planned, to be set before it is used */
    uint64_t total_size;
    uint64_t producer_offset;
    uint64_t consumer_offset;
    uint64_t control_offset;
    uint64_t members_offset;
    uint64_t entries_offset;
    uint64_t data_offset;
    uint64_t slot_stride; /* bytes from one slot's message to the next; 0 in other kinds */
    uint64_t max_message; /* bytes; 0 in a ring of elements */
    bool read_only; /* it has read_only_compatible features that we do not know: do not attach */
} shmring_geometry;

/*
 * Computes where everything lies in a ring of the given kind, element size (bytes; 0: messages;
 * SHMRING_KIND_MPMC: room for a message, not 0) and capacity (bytes or elements, a power of two).
 * Returns 0; -EINVAL: the capacity is no power of two, or too small or too large, or the kind is
 * unknown. Thread-safe, async-signal-safe, does not block; so are the two below.
 */
int shmring_layout_plan(uint32_t kind, uint32_t element_size, uint64_t capacity,
                        shmring_geometry *ret_geometry);

/* Is this geometry, however it was come by, what plan() makes of its kind, element size and
 * capacity, and has it known options only? */
bool shmring_layout_is_planned(const shmring_geometry *geometry);

/*
 * Writes the header for that geometry, without the magic number, to the start of memory, which
 * must be 8-aligned, at least sizeof(struct shmring_header) long, and zeroed.
 */
void shmring_layout_format(void *memory, const shmring_geometry *geometry);

/* Stores the magic number: from here on the header may be checked by others. */
void shmring_layout_publish(void *memory);

/*
 * Reads the header at memory (8-aligned) once and checks it against the rules above. memory_size
 * is the size of the whole object in bytes; only the first sizeof(struct shmring_header) bytes are
 * read, and none if it is smaller than that.
 * Returns 0 and the private copy; leaves *ret_geometry alone on error:
 *   -EAGAIN           empty or without magic number: still being made, or its maker died at that
 *   -EPROTO           another magic number: not a ring (or one of the other byte order)
 *   -EPROTONOSUPPORT  a newer layout, an unknown kind, or an unknown incompatible feature bit
 *   -EBADMSG          damaged or cut off: checksum, sizes or offsets do not agree
 */
int shmring_layout_check(const void *memory, size_t memory_size, shmring_geometry *ret_geometry);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif
