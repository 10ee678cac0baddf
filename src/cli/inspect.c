/* SPDX-License-Identifier: MIT */
/* A ring as seen from outside. Reads with pread(2) and never maps: a file that somebody truncates
 * meanwhile is a short read and no SIGBUS. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

const char CLI_DIRECTORY[] = "/dev/shm";

int cli_read_at(int fd, void *place, size_t size, uint64_t offset)
{
    ssize_t count = pread(fd, place, size, (off_t)offset);

    if (count < 0)
        return -errno;
    return (size_t)count == size ? 0 : -EBADMSG;
}

/* The session is read before and after the lock is looked at: a free lock means death only if
 * nobody has come or gone in between. */
static int read_role(int fd, uint64_t offset, uint32_t id, struct cli_role *ret_role)
{
    struct shmring_role before, page;
    int error = cli_read_at(fd, &before, sizeof before, offset);
    int held = shmring_member_probe(fd, id);

    if (error == 0)
        error = cli_read_at(fd, &page, sizeof page, offset);
    if (held < 0 || error != 0)
        return held < 0 ? held : error;
    /* relaxed: a copy of our own. */
    *ret_role = (struct cli_role){.pos = shmring_load64_relaxed(&page.pos),
                                  .session = shmring_load32_relaxed(&page.session),
                                  .pid = shmring_load32_relaxed(&page.pid)};
    /* relaxed: a copy of our own. */
    bool same = shmring_load32_relaxed(&before.session) == ret_role->session;
    if (ret_role->session % 2 != 0)
        ret_role->state = !held && same ? CLI_DEAD : CLI_ATTACHED;
    return 0;
}

/* The two positions cannot be read at one moment: a look in which one has overtaken the other is
 * repeated, and wrong only if nobody moves them. */
static int read_roles(int fd, struct cli_ring *ring)
{
    const shmring_geometry *geometry = &ring->geometry;

    for (int look = 0; look < 100; look++) {
        int error =
            read_role(fd, geometry->consumer_offset, SHMRING_SPSC_CONSUMER, &ring->receiver);
        if (error == 0)
            error = read_role(fd, geometry->producer_offset, SHMRING_SPSC_PRODUCER, &ring->sender);
        if (error != 0)
            return error;
        ring->used = ring->sender.pos - ring->receiver.pos;
        if (ring->used <= geometry->capacity)
            return 0;
    }
    if (ring->sender.state != CLI_ATTACHED && ring->receiver.state != CLI_ATTACHED)
        return -EBADMSG;
    ring->used = geometry->capacity;
    return 0;
}

static int inspect(int fd, struct cli_ring *ring)
{
    if (fstat(fd, &ring->status) != 0)
        return -errno;
    if (!S_ISREG(ring->status.st_mode))
        return -EPROTO;
    ssize_t count = pread(fd, &ring->header, sizeof ring->header, 0);
    if (count < 0)
        return -errno;
    size_t size = count == 0 ? 0 : (size_t)ring->status.st_size;
    int error = shmring_layout_check(&ring->header, size, &ring->geometry);

    /* relaxed: a copy of our own. */
    if (error == -EBADMSG && shmring_load64_relaxed(&ring->header.magic) != SHMRING_MAGIC)
        return -EPROTO; /* short, and nothing says that it is a ring */
    if (error != 0)
        return error;
    error = cli_inspect_bells(fd, ring);
    if (error != 0)
        return error;
    if (ring->geometry.kind == SHMRING_KIND_MPMC)
        return cli_inspect_members(fd, ring);
    error = read_roles(fd, ring);
    if (error == 0)
        cli_inspect_roles(ring);
    return error;
}

int cli_inspect(int directory, const char *name, struct cli_ring *ret_ring)
{
    struct cli_ring ring = {.name = name};
    int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return errno == ELOOP || errno == ENXIO ? -EPROTO : -errno;
    int error = inspect(fd, &ring);
    close(fd);
    *ret_ring = ring;
    return error;
}

int cli_inspect_named(const char *name, struct cli_ring *ret_ring)
{
    int directory = open(CLI_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (directory < 0)
        return -errno;
    int error = cli_inspect(directory, name, ret_ring);
    close(directory);
    return error;
}
