/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* F_ADD_SEALS, MADV_DONTFORK */
#include "lane.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Newer than the headers of Debian 12. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* What a file of size bytes takes in the address space. */
static size_t whole_pages(uint64_t size)
{
    return ((size_t)size + page_size() - 1) / page_size() * page_size();
}

static int write_header(int fd, const shmring_geometry *geometry)
{
    shmring_word64 header[sizeof(struct shmring_header) / sizeof(shmring_word64)] = {0};

    shmring_layout_format(header, geometry);
    shmring_layout_publish(header);
    ssize_t written = pwrite(fd, header, sizeof header, 0);

    return written == (ssize_t)sizeof header ? 0 : written < 0 ? -errno : -ENOSPC;
}

int lane_create(const shmring_geometry *geometry)
{
    int fd = segment_memfd();
    int error;

    if (fd < 0)
        return fd;
    error = fchmod(fd, S_IRUSR | S_IWUSR) != 0 ? -errno : 0;
    if (error == 0)
        error = segment_reserve(fd, geometry->total_size);
    if (error == 0)
        error = write_header(fd, geometry);
    if (error == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)
        error = -EOPNOTSUPP;
    if (error != 0) {
        close(fd);
        return error;
    }
    return fd;
}

int lane_seal(int fd)
{
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0)
        return errno == EPERM ? -EPERM : -EOPNOTSUPP;
    return 0;
}

int lane_check(int fd, uint64_t size, int seals, struct stat *ret_status)
{
    struct stat status;
    struct statfs system;
    int has = fcntl(fd, F_GET_SEALS);

    /* Only memfds have seals, and only those of ordinary pages are of tmpfs. */
    if (has < 0 || (has & seals) != seals || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_nlink != 0 || status.st_size < 0 || (uint64_t)status.st_size != size ||
        fstatfs(fd, &system) != 0 || system.f_type != TMPFS_MAGIC)
        return -EBADMSG;
    *ret_status = status;
    return 0;
}

bool lane_is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int lane_map(int fd, uint64_t size, bool writes, shmring_lane *ret_lane)
{
    size_t length = whole_pages(size), guard = page_size();
    uint8_t *region = mmap(NULL, length + 2 * guard, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (region == MAP_FAILED)
        return -ENOMEM;
    shmring_lane lane = {.base = region + guard, .size = length};

    if (mmap(lane.base, length, writes ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED | MAP_FIXED,
             fd, 0) == MAP_FAILED ||
        madvise(lane.base, length, MADV_DONTFORK) != 0) {
        int error = errno == EAGAIN ? -ENOMEM : -errno;

        munmap(region, length + 2 * guard);
        return error;
    }
    *ret_lane = lane;
    return 0;
}

void lane_unmap(shmring_lane *lane)
{
    if (lane->base != NULL)
        munmap((uint8_t *)lane->base - page_size(), lane->size + 2 * page_size());
    *lane = (shmring_lane){.base = NULL};
}

int lane_populate(const shmring_lane *lane, bool writes)
{
    while (madvise(lane->base, lane->size, writes ? MADV_POPULATE_WRITE : MADV_POPULATE_READ) !=
           0) {
        if (errno == EINVAL) /* before Linux 5.14: who reads it might get a signal */
            return -EOPNOTSUPP;
        if (errno != EINTR && errno != EAGAIN)
            return -ENOSPC;
    }
    return 0;
}

int lane_check_header(const shmring_lane *lane, const shmring_geometry *geometry)
{
    shmring_geometry found;
    int error = shmring_layout_check(lane->base, geometry->total_size, &found);

    if (error == -EPROTONOSUPPORT)
        return error;
    if (error != 0 || found.kind != geometry->kind || found.capacity != geometry->capacity ||
        found.options != geometry->options || found.read_only)
        return -EBADMSG;
    return 0;
}
