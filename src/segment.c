/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* O_TMPFILE, memfd_create, fallocate, F_ADD_SEALS */
#include "options.h"
#include "segment_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

/* Where POSIX shared memory lives on Linux: the object "/NAME" of shm_open(3) is a file here. */
#define SHM_DIRECTORY "/dev/shm"

/* Newer than the headers of Debian 12. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

enum {
    MODE_BITS = 07777,
    OPTION_MODE_BITS = 0666, /* nothing in a ring is to be run */
    CREATE_MODE = 0600,
    NUMA_NODES_MAX = 1024,
};
static const uint32_t MEMORY_WISHES =
    SHMRING_MEMORY_HUGE | SHMRING_MEMORY_LOCK | SHMRING_MEMORY_NUMA;
static const size_t HUGE_SIZE = (size_t)2 << 20;

int shmring_segment_check_name(const char *name)
{
    size_t length = name != NULL ? strnlen(name, SHMRING_NAME_MAX + 1) : 0;

    if (length > SHMRING_NAME_MAX)
        return -ENAMETOOLONG;
    if (length == 0 || name[0] == '.')
        return -EINVAL;
    /* Semaphores lie beside the segments, and would be opened and removed like them. */
    if (strncmp(name, "sem.", strlen("sem.")) == 0)
        return -EINVAL;
    if (strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") != length)
        return -EINVAL;
    return 0;
}

static bool are_without_size(const shmring_segment_options *options)
{
    return options != NULL && options->size == 0 &&
           (options->mode != 0 || options->group != 0 || options->set_group || options->set_owner ||
            options->owner != 0 || options->memory != 0 || options->numa_node != 0);
}

int segment_read_options(const shmring_segment_options *options, shmring_segment_options *ret_own)
{
    int error =
        are_without_size(options) ? -EINVAL : options_read(ret_own, sizeof *ret_own, options);

    if (error != 0)
        return error;
    if ((ret_own->mode & ~(mode_t)OPTION_MODE_BITS) != 0 ||
        (ret_own->memory & ~MEMORY_WISHES) != 0 || ret_own->numa_node >= NUMA_NODES_MAX)
        return -EINVAL;
    return 0;
}

void segment_path(const char *name, char ret_path[PATH_MAX])
{
    snprintf(ret_path, PATH_MAX, SHM_DIRECTORY "/%s", name);
}

int segment_memfd(void)
{
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create("shmring", flags | MFD_NOEXEC_SEAL);

    if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
        fd = memfd_create("shmring", flags);
    if (fd < 0)
        return errno == ENOSYS || errno == EINVAL ? -EOPNOTSUPP : -errno;
    return fd;
}

/* A descriptor of a new, empty object. *ret_exclusive: it has its name already. */
static int create_object(const char *name, bool *ret_exclusive)
{
    char path[PATH_MAX];

    *ret_exclusive = false;
    if (name == NULL)
        return segment_memfd();
    segment_path(name, path);
    if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return -EEXIST;
    int fd = open(SHM_DIRECTORY, O_TMPFILE | O_RDWR | O_CLOEXEC, CREATE_MODE);

    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, CREATE_MODE);
        *ret_exclusive = fd >= 0;
    }
    return fd < 0 ? -errno : fd;
}

int segment_map(int fd, size_t size, bool huge, shmring_segment *segment)
{
    const int none = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    size_t slack = huge ? HUGE_SIZE : 0;
    uint8_t *base = NULL;

    if (huge) { /* reserved first, to find an aligned place in it */
        base = mmap(NULL, size + slack, PROT_NONE, none, -1, 0);
        if (base == MAP_FAILED)
            return -ENOMEM;
    }
    size_t skip = huge ? (HUGE_SIZE - (uintptr_t)base % HUGE_SIZE) % HUGE_SIZE : 0;
    void *mapped = mmap(huge ? base + skip : NULL, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | (huge ? MAP_FIXED : 0), fd, 0);

    if (mapped == MAP_FAILED) {
        int error = errno;

        if (huge)
            munmap(base, size + slack);
        return error == EAGAIN ? -ENOMEM : -error; /* mlockall() and RLIMIT_MEMLOCK */
    }
    segment->base = mapped;
    segment->mapped_size = size + slack - skip;
    if (skip != 0)
        munmap(base, skip);
    return 0;
}

/* Before the first page is there: a policy moves none. */
static void place_on_node(shmring_segment *segment, uint32_t node)
{
    unsigned long nodes[NUMA_NODES_MAX / (CHAR_BIT * sizeof(unsigned long))] = {0};
    const int mpol_bind = 2; /* <numaif.h> is libnuma's */

    nodes[node / (CHAR_BIT * sizeof *nodes)] = 1UL << node % (CHAR_BIT * sizeof *nodes);
    if (syscall(SYS_mbind, segment->base, segment->size, mpol_bind, nodes, NUMA_NODES_MAX + 1, 0) ==
        0)
        segment->got |= SHMRING_MEMORY_NUMA;
}

int segment_populate(shmring_segment *segment)
{
    while (madvise(segment->base, segment->size, MADV_POPULATE_WRITE) != 0) {
        if (errno == EINVAL) /* before Linux 5.14: fallocate has reserved them */
            return 0;
        if (errno == EFAULT)
            return -ENOSPC;
        if (errno != EINTR && errno != EAGAIN)
            return errno == EHWPOISON ? -EBADMSG : -errno;
    }
    return 0;
}

void segment_improve(shmring_segment *segment, uint32_t wishes)
{
    if ((wishes & SHMRING_MEMORY_HUGE) != 0 && segment->size >= HUGE_SIZE) {
        size_t whole = segment->size & ~(HUGE_SIZE - 1);

        /* The one call that says whether it worked. */
        if (madvise(segment->base, whole, MADV_COLLAPSE) == 0)
            segment->got |= SHMRING_MEMORY_HUGE;
    }
    if ((wishes & SHMRING_MEMORY_LOCK) != 0 && mlock(segment->base, segment->size) == 0)
        segment->got |= SHMRING_MEMORY_LOCK;
}

/* Would this ask for more than the machine has? An unlimited tmpfs would try, and be killed. */
static bool beyond_memory(uint64_t size)
{
    struct sysinfo info;

    if (sysinfo(&info) != 0)
        return false;
    return size / info.mem_unit > info.totalram + info.totalswap;
}

/* In pieces: some kernels start again from the beginning after each signal. */
static int reserve_pages(int fd, size_t size)
{
    const size_t piece = (size_t)16 << 20;

    for (size_t at = 0; at < size; at += piece) {
        size_t length = size - at < piece ? size - at : piece;

        while (fallocate(fd, 0, (off_t)at, (off_t)length) != 0)
            if (errno != EINTR)
                return errno == ENOSYS ? -EOPNOTSUPP : -errno;
    }
    return 0;
}

/* ftruncate() would not return, but raise SIGXFSZ. */
static bool beyond_file_limit(uint64_t size)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && size > limit.rlim_cur;
}

static int set_size(int fd, uint64_t size)
{
    if (beyond_memory(size))
        return -ENOSPC;
    if (beyond_file_limit(size))
        return -EFBIG;
    return ftruncate(fd, (off_t)size) != 0 ? -errno : 0;
}

int segment_reserve(int fd, uint64_t size)
{
    int error = set_size(fd, size);

    return error != 0 ? error : reserve_pages(fd, (size_t)size);
}

/* Size, permissions, pages and header of a new object. */
static int build(shmring_segment *segment, const shmring_geometry *geometry,
                 const shmring_segment_options *own)
{
    mode_t mode = own->mode != 0 ? own->mode : CREATE_MODE;
    int error;

    if (own->set_group && fchown(segment->fd, (uid_t)-1, own->group) != 0)
        return -errno;
    if (fchmod(segment->fd, mode) != 0)
        return -errno;
    error = set_size(segment->fd, geometry->total_size);
    if (error != 0)
        return error;
    error =
        segment_map(segment->fd, segment->size, (own->memory & SHMRING_MEMORY_HUGE) != 0, segment);
    if (error != 0)
        return error;
    if ((own->memory & SHMRING_MEMORY_NUMA) != 0)
        place_on_node(segment, own->numa_node);
    error = reserve_pages(segment->fd, segment->size);
    if (error == 0)
        error = segment_populate(segment);
    if (error != 0)
        return error;
    segment_improve(segment, own->memory);
    shmring_layout_format(segment->base, geometry);
    return 0;
}

void segment_discard(shmring_segment *segment)
{
    if (segment->base != NULL)
        munmap(segment->base, segment->mapped_size);
    if (segment->exclusive)
        shmring_segment_unlink(segment->pending);
    close(segment->fd);
}

int shmring_segment_create(shmring_segment *ret_segment, const char *name,
                           const shmring_geometry *geometry, const shmring_segment_options *options)
{
    shmring_segment segment = {.size = (size_t)geometry->total_size};
    shmring_segment_options own;
    int error = segment_read_options(options, &own);

    if (error == 0 && (!shmring_layout_is_planned(geometry) || geometry->kind == SHMRING_KIND_LANE))
        error = -EINVAL;
    if (error == 0 && name != NULL)
        error = shmring_segment_check_name(name);
    if (error != 0)
        return error;
    segment.fd = create_object(name, &segment.exclusive);
    if (segment.fd < 0)
        return segment.fd;
    if (name != NULL)
        memcpy(segment.pending, name, strlen(name) + 1);
    error = build(&segment, geometry, &own);
    if (error == 0 && name == NULL) {
        shmring_layout_publish(segment.base);
        if (fcntl(segment.fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
            error = -errno;
    }
    if (error != 0) {
        segment_discard(&segment);
        return error;
    }
    *ret_segment = segment;
    return 0;
}

int shmring_segment_publish(shmring_segment *segment)
{
    char path[PATH_MAX];
    char self[sizeof "/proc/self/fd/-2147483648"];

    if (segment->pending[0] == '\0')
        return 0;
    shmring_layout_publish(segment->base);
    if (!segment->exclusive) {
        segment_path(segment->pending, path);
        snprintf(self, sizeof self, "/proc/self/fd/%d", segment->fd);
        if (linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) != 0)
            return -errno;
    }
    segment->pending[0] = '\0';
    segment->exclusive = false;
    return 0;
}

void shmring_segment_close(shmring_segment *segment)
{
    int saved_errno = errno;

    if (segment->base == NULL)
        return;
    segment_discard(segment);
    memset(segment, 0, sizeof *segment);
    errno = saved_errno;
}

int shmring_segment_unlink(const char *name)
{
    char path[PATH_MAX];
    int error = shmring_segment_check_name(name);

    if (error != 0)
        return error;
    segment_path(name, path);
    return unlink(path) != 0 ? -errno : 0;
}
