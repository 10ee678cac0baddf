/* SPDX-License-Identifier: MIT */
/* The semaphores that belong to a ring and live beside it: as seen from outside, and left over. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sem.h>
#include <unistd.h>

/* By enum shmring_direction. */
static const char *const suffixes[] = {".messages", ".room"};

/* sem_open(3) makes this file of "/NAME.messages". */
static void file_of(const char *ring, int direction, char ret_file[CLI_CELL_SIZE])
{
    snprintf(ret_file, CLI_CELL_SIZE, "sem.%s%s", ring, suffixes[direction]);
}

static bool file_exists(const char *file)
{
    char path[sizeof "/dev/shm/" + CLI_CELL_SIZE];

    snprintf(path, sizeof path, "%s/%s", CLI_DIRECTORY, file);
    return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Its number, as ipcs(1) and ipcrm(1) know it. */
static int look_at_set(int fd, uint64_t offset, char ret_text[CLI_CELL_SIZE], bool *ret_gone)
{
    struct shmring_bell_words words;
    int error = cli_read_at(fd, &words, sizeof words, offset);

    if (error != 0)
        return error;
    /* relaxed: a copy of our own. */
    int set = (int)shmring_load32_relaxed(&words.sysv_id);
    snprintf(ret_text, CLI_CELL_SIZE, "%d", set);
    *ret_gone = semctl(set, 0, GETVAL) < 0 && (errno == EINVAL || errno == EIDRM);
    return 0;
}

int cli_inspect_bells(int fd, struct cli_ring *ring)
{
    const shmring_geometry *geometry = &ring->geometry;
    bool many = geometry->kind == SHMRING_KIND_MPMC;
    const uint64_t offsets[] = {
        many ? geometry->control_offset + offsetof(struct shmring_mpmc_control, messages.bell)
             : geometry->producer_offset + offsetof(struct shmring_role, bell),
        many ? geometry->control_offset + offsetof(struct shmring_mpmc_control, room.bell)
             : geometry->consumer_offset + offsetof(struct shmring_role, bell)};
    enum shmring_backend backend = shmring_layout_backend(geometry->options);

    for (int i = 0; i < 2; i++) {
        bool gone = false;
        int error = 0;

        if (backend == SHMRING_BACKEND_NAMED_SEM) {
            file_of(ring->name, i, ring->semaphores[i]);
            gone = !file_exists(ring->semaphores[i]);
        } else if (backend == SHMRING_BACKEND_SYSV_SEM) {
            error = look_at_set(fd, offsets[i], ring->semaphores[i], &gone);
        }
        if (error != 0)
            return error;
        if (gone)
            ring->semaphores[i][0] = '\0';
        ring->is_mute |= gone;
    }
    return 0;
}

bool cli_is_leftover(int directory, const char *file)
{
    char name[CLI_CELL_SIZE];
    struct cli_ring ring;

    if (strncmp(file, "sem.", 4) != 0 || strlen(file) >= sizeof name)
        return false;
    for (int i = 0; i < 2; i++) {
        size_t length = strlen(file + 4), tail = strlen(suffixes[i]);

        if (length <= tail || strcmp(file + 4 + length - tail, suffixes[i]) != 0)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(length - tail), file + 4);
        if (shmring_segment_check_name(name) != 0)
            return false;
        int error = cli_inspect(directory, name, &ring);

        /* A ring that is damaged, or not ours to read, may be the one that it belongs to; and where
         * something else has that name, it may belong to the same program. */
        return error == -ENOENT ||
               (error == 0 &&
                shmring_layout_backend(ring.geometry.options) != SHMRING_BACKEND_NAMED_SEM);
    }
    return false;
}

bool cli_remove_lost_bells(const char *name)
{
    enum { PARTS = 3 * SHMRING_PAGE_SIZE }; /* the pages with bells, in a ring of either kind */
    static _Alignas(SHMRING_LINE_SIZE) uint8_t parts[PARTS];
    static const uint32_t kinds[] = {SHMRING_KIND_SPSC, SHMRING_KIND_MPMC};
    shmring_bell_place place = {.name = name, .eventfds = {-1, -1}};
    shmring_geometry geometry;
    char file[CLI_CELL_SIZE];
    bool found = false;

    for (int i = 0; i < 2; i++) {
        file_of(name, i, file);
        found |= file_exists(file);
    }
    snprintf(file, sizeof file, "%s/%s", CLI_DIRECTORY, name);
    place.segment_fd = open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    /* What cannot be read is zero, and the number of no set of this ring. */
    if (place.segment_fd >= 0 && pread(place.segment_fd, parts, PARTS, 0) < 0)
        memset(parts, 0, PARTS);
    for (int i = 0; i < 2; i++) {
        if (shmring_layout_plan(kinds[i], i == 0 ? 0 : 1, SHMRING_CAPACITY_MIN, &geometry) != 0)
            continue;
        place.backend = SHMRING_BACKEND_NAMED_SEM;
        shmring_bells_remove(parts, &geometry, &place);
        /* Only a set that was made for this very file is removed. */
        place.backend = SHMRING_BACKEND_SYSV_SEM;
        if (place.segment_fd >= 0)
            shmring_bells_remove(parts, &geometry, &place);
    }
    if (place.segment_fd >= 0)
        close(place.segment_fd);
    return found;
}
