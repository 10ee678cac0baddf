/* SPDX-License-Identifier: MIT */
/* Descriptors, locks, pages and the clock. */
#define _GNU_SOURCE /* F_OFD_SETLK, MADV_WIPEONFORK */
#include "kernel_names.h"

#include "kernel.h"
#include "kernel_memfd.h"
#include "kernel_state.h"

#include <errno.h>
#include <fcntl.h>
#include <sanitizer/asan_interface.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    PAGE = SHMRING_PAGE_SIZE,
    INTERRUPTS_MAX = 64, /* in a run: a kernel that interrupts for ever is no kernel */
    NS_PER_LOOK = 50000, /* what passes between two looks at the clock */
};
static const int64_t NS_PER_S = 1000000000;

struct kernel_state kernel;

static _Alignas(SHMRING_PAGE_SIZE) uint8_t pages[KERNEL_PAGES][PAGE];

int kernel_add_file(enum kernel_kind kind)
{
    for (int i = 0; i < KERNEL_FDS; i++)
        if (kernel.files[i].kind == KERNEL_CLOSED) {
            memset(&kernel.files[i], 0, sizeof kernel.files[i]);
            kernel.files[i].kind = kind;
            return KERNEL_FD_FIRST + i;
        }
    errno = EMFILE;
    return -1;
}

void kernel_begin(const fuzz_region *object, const void *header, uint8_t (*choice)(void),
                  int *ret_fd)
{
    static bool again;

    if (!again)
        ASAN_POISON_MEMORY_REGION(pages, sizeof pages);
    again = true;
    for (; kernel.pages != 0; kernel.pages &= kernel.pages - 1)
        ASAN_POISON_MEMORY_REGION(pages[__builtin_ctzll(kernel.pages)], PAGE);
    memset(&kernel, 0, sizeof kernel);
    kernel.object = object;
    kernel.header = header;
    kernel.now = NS_PER_S;
    *ret_fd = kernel_add_file(KERNEL_OBJECT);
    kernel.choice = choice;
}

int kernel_eventfd(void)
{
    return kernel_add_file(KERNEL_EVENTFD);
}

void kernel_die(int fd, void *page)
{
    kernel_close(fd);
    if (page != NULL)
        kernel_munmap(page, PAGE);
}

void kernel_lock_elsewhere(uint32_t byte)
{
    kernel.their_lock = byte + 1;
}

int64_t kernel_now(void)
{
    return kernel.now;
}

int kernel_descriptors(void)
{
    int count = 0;

    for (int i = 0; i < KERNEL_FDS; i++)
        count += kernel.files[i].kind != KERNEL_CLOSED;
    return count;
}

int kernel_pages(void)
{
    return __builtin_popcountll(kernel.pages);
}

struct kernel_file *kernel_file(int fd)
{
    int at = fd - KERNEL_FD_FIRST;

    if (at >= 0 && at < KERNEL_FDS && kernel.files[at].kind != KERNEL_CLOSED)
        return &kernel.files[at];
    errno = EBADF;
    return NULL;
}

uint8_t kernel_choice(void)
{
    return kernel.choice != NULL ? kernel.choice() : 0;
}

int kernel_refuse(uint8_t choice, const int *errors)
{
    for (uint8_t i = 1; *errors != 0; errors++, i++)
        if (i == choice && (*errors != EINTR || kernel.interrupts++ < INTERRUPTS_MAX)) {
            errno = *errors;
            return -1;
        }
    return 0;
}

void kernel_sleep_until(int64_t then)
{
    kernel.now = then > kernel.now ? then : kernel.now;
}

pid_t kernel_getpid(void)
{
    return 4711;
}

/* One more descriptor of the same file; locks are not inherited. */
static int open_again(const struct kernel_file *file)
{
    int fd = kernel_add_file(file->kind);

    if (fd >= 0)
        kernel_file(fd)->memfd = file->memfd;
    return fd;
}

/* Only a description of one's own, of a descriptor that is open. */
int kernel_open(const char *path, int flags, ...)
{
    static const int errors[] = {EMFILE, EACCES, ENFILE, ENOMEM, ENOENT, 0};
    int fd;

    (void)flags;
    if (sscanf(path, "/proc/self/fd/%d", &fd) != 1 || kernel_file(fd) == NULL) {
        errno = ENOENT;
        return -1;
    }
    return kernel_refuse(kernel_choice(), errors) != 0 ? -1 : open_again(kernel_file(fd));
}

int kernel_close(int fd)
{
    struct kernel_file *file = kernel_file(fd);

    fuzz_expect(file != NULL, "the library closes what it has opened");
    fuzz_expect(!file->lingers, "what came from the other side is closed at once");
    file->kind = KERNEL_CLOSED;
    return 0;
}

static bool is_locked_by_another(const struct kernel_file *file, uint32_t lock)
{
    for (int i = 0; i < KERNEL_FDS; i++)
        if (kernel.files[i].kind == file->kind && kernel.files[i].memfd == file->memfd &&
            &kernel.files[i] != file && kernel.files[i].lock == lock)
            return true;
    return lock == kernel.their_lock;
}

static int set_lock(struct kernel_file *file, const struct flock *lock)
{
    static const int errors[] = {EAGAIN, ENOLCK, EINVAL, EACCES, 0};

    if (lock->l_type == F_UNLCK) {
        file->lock = 0;
        return 0;
    }
    fuzz_expect(lock->l_len == 1 && lock->l_whence == SEEK_SET, "a member locks one byte");
    if (kernel_refuse(kernel_choice(), errors) != 0)
        return -1;
    if (is_locked_by_another(file, (uint32_t)lock->l_start + 1)) {
        errno = EAGAIN;
        return -1;
    }
    file->lock = (uint32_t)lock->l_start + 1;
    return 0;
}

/* By choice somebody has just taken it, or given it back. */
static int get_lock(const struct kernel_file *file, struct flock *lock)
{
    bool held = is_locked_by_another(file, (uint32_t)lock->l_start + 1);
    uint8_t choice = kernel_choice();

    held = choice == 1 || (choice != 2 && held);
    lock->l_type = held ? F_WRLCK : F_UNLCK;
    return 0;
}

int kernel_fcntl(int fd, int command, ...)
{
    struct kernel_file *file = kernel_file(fd);
    static const int errors[] = {EMFILE, 0};
    va_list arguments;

    if (file == NULL)
        return -1;
    va_start(arguments, command);
    struct flock *lock =
        command == F_OFD_SETLK || command == F_OFD_GETLK ? va_arg(arguments, struct flock *) : NULL;
    int number = command == F_ADD_SEALS ? va_arg(arguments, int) : 0;

    va_end(arguments);
    switch (command) {
    case F_OFD_SETLK:
        return set_lock(file, lock);
    case F_OFD_GETLK:
        return get_lock(file, lock);
    case F_DUPFD_CLOEXEC:
        return kernel_refuse(kernel_choice(), errors) != 0 ? -1 : open_again(file);
    case F_GET_SEALS:
        return file->kind == KERNEL_OBJECT ? F_SEAL_SHRINK | F_SEAL_GROW : kernel_memfd_seals(file);
    case F_ADD_SEALS:
        return kernel_memfd_seal(file, number);
    case F_GETFL:
        return kernel_choice() == 1 ? O_RDWR : O_RDWR | O_NONBLOCK;
    case F_GETFD:
    case F_SETFD:
    case F_SETFL:
        return 0;
    default:
        fuzz_fail("the library calls fcntl as it did", command);
    }
}

int kernel_fstat(int fd, struct stat *status)
{
    const struct kernel_file *file = kernel_file(fd);

    if (file == NULL)
        return -1;
    if (file->kind == KERNEL_MEMFD)
        return kernel_memfd_stat(file->memfd, status);
    memset(status, 0, sizeof *status);
    status->st_dev = 1;
    status->st_ino = 1;
    status->st_mode = 0600;
    if (file->kind != KERNEL_OBJECT)
        return 0;
    status->st_mode |= S_IFREG;
    status->st_size = (off_t)kernel.object->geometry.total_size;
    return 0;
}

ssize_t kernel_pread(int fd, void *place, size_t size, off_t offset)
{
    const struct kernel_file *file = kernel_file(fd);

    if (file == NULL || file->kind != KERNEL_OBJECT || kernel.header == NULL)
        return -1;
    fuzz_expect(offset == 0 && size == sizeof(struct shmring_header), "only the header is read");
    memcpy(place, kernel.header, size);
    return (ssize_t)size;
}

/* A page for a handle, or the object. */
void *kernel_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    static const int errors[] = {ENOMEM, 0};

    (void)flags, (void)offset;
    if (kernel_refuse(kernel_choice(), errors) != 0)
        return MAP_FAILED;
    if (protection == PROT_NONE)
        return kernel_memfd_reserve(size);
    if (at != NULL)
        return kernel_memfd_map(kernel_file(fd), at, size, (protection & PROT_WRITE) != 0);
    if (fd >= 0) {
        fuzz_expect(size == kernel.object->geometry.total_size, "a ring is mapped whole");
        return kernel.object->base;
    }
    fuzz_expect(size == PAGE && ~kernel.pages != 0, "a handle has one page");
    int page = __builtin_ctzll(~kernel.pages);

    kernel.pages |= UINT64_C(1) << page;
    ASAN_UNPOISON_MEMORY_REGION(pages[page], PAGE);
    memset(pages[page], 0, PAGE);
    return pages[page];
}

int kernel_munmap(void *place, size_t size)
{
    size_t page = (size_t)((uint8_t *)place - pages[0]) / PAGE;

    if (place == kernel.object->base || kernel_memfd_unmap(place, size))
        return 0;
    fuzz_expect(size == PAGE && page < KERNEL_PAGES && (kernel.pages >> page & 1) != 0,
                "what is unmapped was mapped");
    kernel.pages &= ~(UINT64_C(1) << page);
    ASAN_POISON_MEMORY_REGION(pages[page], PAGE);
    return 0;
}

int kernel_madvise(void *place, size_t size, int advice)
{
    static const int wipe_errors[] = {EINVAL, 0}, fork_errors[] = {ENOMEM, EAGAIN, 0},
                     errors[] = {EINVAL, EFAULT, EINTR, EAGAIN, 0};
    uint8_t choice = kernel_choice();

    if (advice == MADV_DONTFORK)
        return kernel_refuse(choice, fork_errors);
    if (choice == 4 && kernel.interrupts++ >= INTERRUPTS_MAX)
        choice = 0;
    if (kernel_refuse(choice, advice == MADV_WIPEONFORK ? wipe_errors : errors) != 0)
        return -1;
    kernel_memfd_populate(place, size, advice);
    return 0;
}

int kernel_clock_gettime(clockid_t clock, struct timespec *ret_now)
{
    int64_t jump = 1000;

    (void)clock;
    for (uint8_t choice = kernel_choice(); choice > 1; choice--)
        jump *= 16;
    kernel.now += NS_PER_LOOK + jump;
    ret_now->tv_sec = (time_t)(kernel.now / NS_PER_S);
    ret_now->tv_nsec = (long)(kernel.now % NS_PER_S);
    return 0;
}

int kernel_nanosleep(const struct timespec *time, struct timespec *ret_left)
{
    static const int errors[] = {EINTR, 0};

    (void)ret_left;
    if (kernel_refuse(kernel_choice(), errors) != 0)
        return -1;
    kernel_sleep_until(kernel.now + (int64_t)time->tv_sec * NS_PER_S + time->tv_nsec);
    return 0;
}
