/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* F_ADD_SEALS, MFD_CLOEXEC */
#include "kernel_names.h"

#include "kernel_memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sanitizer/asan_interface.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

enum {
    PAGE = SHMRING_PAGE_SIZE,
    PLACES = 2,
    SHRINKLESS = F_SEAL_SHRINK | F_SEAL_GROW,
    FUTURELESS = SHRINKLESS | F_SEAL_FUTURE_WRITE,
};

static struct kernel_memfd memfds[MEMFDS];

/* Each with a page on both sides that nobody may touch. */
static _Alignas(SHMRING_PAGE_SIZE) uint8_t places[PLACES][MEMFD_SIZE + 2 * PAGE];
static size_t reserved[PLACES]; /* with those pages; 0: free */
static unsigned randoms;        /* calls of getrandom() */
static unsigned memfds_made;
static bool has_none; /* no memfd_create() */

void kernel_memfd_begin(void)
{
    memset(memfds, 0, sizeof memfds);
    memset(reserved, 0, sizeof reserved);
    randoms = memfds_made = 0;
    has_none = false;
    ASAN_POISON_MEMORY_REGION(places, sizeof places);
}

uint8_t *kernel_memfd_place(int which)
{
    ASAN_UNPOISON_MEMORY_REGION(places[which] + PAGE, MEMFD_SIZE);
    return places[which] + PAGE;
}

int kernel_memfd_maps(void)
{
    return (reserved[0] != 0) + (reserved[1] != 0);
}

struct kernel_memfd *kernel_memfd_new(void)
{
    for (uint64_t i = 0; i < MEMFDS; i++)
        if (memfds[i].inode == 0) {
            memfds[i] = (struct kernel_memfd){.inode = i + 1, .is_theirs = true};
            return &memfds[i];
        }
    fuzz_fail("a handshake has few files", MEMFDS);
}

/* A kernel that has no memfds has none the next time either. */
int kernel_memfd_create(const char *name, unsigned flags)
{
    static const int errors[] = {EMFILE, ENFILE, ENOMEM, ENOSYS, 0};
    uint8_t choice = has_none ? 4 : kernel_choice();

    (void)name;
    fuzz_expect((flags & MFD_CLOEXEC) != 0 && (flags & MFD_ALLOW_SEALING) != 0, "to be sealed");
    has_none = has_none || (choice == 4 && memfds_made == 0);
    if (kernel_refuse(choice == 4 && !has_none ? 0 : choice, errors) != 0)
        return -1;
    memfds_made++;
    int fd = kernel_add_file(KERNEL_MEMFD);

    if (fd < 0)
        return -1;
    kernel_file(fd)->memfd = kernel_memfd_new();
    kernel_file(fd)->memfd->is_theirs = false;
    return fd;
}

static struct kernel_memfd *memfd_of(int fd)
{
    struct kernel_file *file = kernel_file(fd);

    fuzz_expect(file == NULL || file->memfd != NULL, "the library does that to memfds");
    return file != NULL ? file->memfd : NULL;
}

int kernel_ftruncate(int fd, off_t size)
{
    static const int errors[] = {ENOMEM, 0};
    struct kernel_memfd *memfd = memfd_of(fd);

    if (memfd == NULL || kernel_refuse(kernel_choice(), errors) != 0)
        return -1;
    fuzz_expect((memfd->seals & SHRINKLESS) == 0, "what is sealed is not resized");
    memfd->size = (uint64_t)size;
    return 0;
}

int kernel_fallocate(int fd, int mode, off_t from, off_t size)
{
    static const int errors[] = {ENOSPC, EINTR, ENOMEM, 0};
    const struct kernel_memfd *memfd = memfd_of(fd);

    if (memfd == NULL || kernel_refuse(kernel_choice(), errors) != 0)
        return -1;
    fuzz_expect(mode == 0 && (uint64_t)(from + size) <= memfd->size, "pages of the file");
    return 0;
}

int kernel_fchmod(int fd, mode_t mode)
{
    (void)mode;
    return memfd_of(fd) != NULL ? 0 : -1;
}

ssize_t kernel_pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    static const int errors[] = {ENOSPC, ENOMEM, 0};
    struct kernel_memfd *memfd = memfd_of(fd);

    if (memfd == NULL || kernel_refuse(kernel_choice(), errors) != 0)
        return -1;
    fuzz_expect(at == 0 && size == sizeof memfd->header && size <= memfd->size, "a header");
    memcpy(memfd->header, bytes, size);
    return (ssize_t)size;
}

int kernel_fstatfs(int fd, struct statfs *ret_status)
{
    const struct kernel_memfd *memfd = memfd_of(fd);

    if (memfd == NULL)
        return -1;
    memset(ret_status, 0, sizeof *ret_status);
    ret_status->f_type = memfd->is_huge ? HUGETLBFS_MAGIC : TMPFS_MAGIC;
    return 0;
}

ssize_t kernel_getrandom(void *bytes, size_t size, unsigned flags)
{
    static const int errors[] = {EAGAIN, ENOSYS, 0};

    (void)flags;
    if (kernel_refuse(kernel_choice(), errors) != 0)
        return -1;
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)(i * 7 + randoms * 31 + 1);
    randoms++;
    return (ssize_t)size;
}

int kernel_memfd_seals(const struct kernel_file *file)
{
    errno = EINVAL;
    return file->memfd != NULL ? file->memfd->seals : -1;
}

int kernel_memfd_seal(struct kernel_file *file, int seals)
{
    static const int errors[] = {EINVAL, 0};

    fuzz_expect(file->memfd != NULL, "the library seals memfds");
    if (kernel_refuse(kernel_choice(), errors) != 0)
        return -1;
    if ((file->memfd->seals & F_SEAL_SEAL) != 0) {
        errno = EPERM;
        return -1;
    }
    file->memfd->seals |= seals;
    return 0;
}

int kernel_memfd_stat(const struct kernel_memfd *memfd, struct stat *ret_status)
{
    memset(ret_status, 0, sizeof *ret_status);
    ret_status->st_dev = 1;
    ret_status->st_ino = memfd->inode;
    ret_status->st_mode = memfd->is_special ? S_IFIFO : S_IFREG;
    ret_status->st_nlink = memfd->is_linked;
    ret_status->st_size = (off_t)memfd->size;
    return 0;
}

/* The first place, then the second. */
void *kernel_memfd_reserve(size_t size)
{
    int which = reserved[0] == 0 ? 0 : 1;

    fuzz_expect(reserved[which] == 0, "a link has two lanes");
    if (size > sizeof places[which]) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    reserved[which] = size;
    return places[which];
}

static void fill(const struct kernel_memfd *memfd, uint8_t *at, size_t size)
{
    memset(at, 0, size);
    memcpy(at, memfd->header, sizeof memfd->header);
    for (int i = 0; i < 3; i++)
        memcpy(at + memfd->words[i][0] % (size - 8) / 8 * 8, &memfd->words[i][1],
               memfd->words[i][0] != 0 ? 8 : 0);
}

void *kernel_memfd_map(struct kernel_file *file, void *at, size_t size, bool writes)
{
    int which = (uint8_t *)at == places[1] + PAGE;

    fuzz_expect(file != NULL && file->memfd != NULL, "a lane is a memfd");
    struct kernel_memfd *memfd = file->memfd;

    fuzz_expect(writes == (which == 0), "ours is mapped first");
    fuzz_expect((uint8_t *)at == places[which] + PAGE && size + 2 * PAGE == reserved[which],
                "between two pages");
    if (writes && (memfd->seals & (F_SEAL_FUTURE_WRITE | F_SEAL_WRITE)) != 0) {
        errno = EPERM;
        return MAP_FAILED;
    }
    fuzz_expect(memfd->seals >= 0 && (memfd->seals & SHRINKLESS) == SHRINKLESS &&
                    size <= memfd->size && !memfd->is_huge,
                "what is mapped stays there");
    fuzz_expect(writes || (memfd->seals & FUTURELESS) == FUTURELESS,
                "what is read can be written by its one mapping only");
    fuzz_expect(memfd->mapped == NULL, "what is ours is not theirs");
    ASAN_UNPOISON_MEMORY_REGION(at, size);
    fill(memfd, at, size);
    memfd->mapped = at;
    return at;
}

bool kernel_memfd_unmap(void *place, size_t size)
{
    int which = place == places[1];

    if (place != places[which])
        return false;
    fuzz_expect(size == reserved[which] && size != 0, "a lane is unmapped whole");
    reserved[which] = 0;
    ASAN_POISON_MEMORY_REGION(places[which], sizeof places[which]);
    return true;
}

void kernel_memfd_populate(const void *place, size_t size, int advice)
{
    for (int which = 0; which < PLACES; which++)
        if (place == places[which] + PAGE)
            fuzz_expect(size + 2 * PAGE == reserved[which] &&
                            advice == (which == 0 ? MADV_POPULATE_WRITE : MADV_POPULATE_READ),
                        "all of a lane");
}
