/* SPDX-License-Identifier: MIT */
#include "deadline.h"

#include "shmring/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Writes "/proc/TID/schedstat": snprintf() is not for signal handlers. */
static void make_path(char *path, uint32_t tid)
{
    static const char head[] = "/proc/", tail[] = "/schedstat";
    char digits[10];
    size_t count = 0;

    for (; tid != 0; tid /= 10)
        digits[count++] = (char)('0' + tid % 10);
    for (size_t i = 0; i < sizeof head - 1; i++)
        *path++ = head[i];
    while (count != 0)
        *path++ = digits[--count];
    for (size_t i = 0; i < sizeof tail; i++)
        *path++ = tail[i];
}

/* The second of three numbers: how long the thread was ready to run and did not, in nanoseconds.
 * 0 if it is gone, or the kernel does not count that. */
static int64_t waited_by(uint32_t tid)
{
    char path[32], text[80];
    int64_t waited = 0;
    int saved_errno = errno;

    make_path(path, tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        ssize_t length = read(fd, text, sizeof text - 1);
        const char *at = text;

        text[length > 0 ? length : 0] = '\0';
        while (*at >= '0' && *at <= '9')
            at++;
        for (at += *at == ' '; *at >= '0' && *at <= '9'; at++)
            waited = 10 * waited + (*at - '0');
        close(fd);
    }
    errno = saved_errno;
    return waited;
}

void deadline_join(struct deadline_members *members, uint32_t place)
{
    struct deadline_member *self = &members->of[place];
    uint32_t tid = (uint32_t)gettid();

    self->before_ns = waited_by(tid);
    shmring_store32_release(&self->tid, tid);
}

/* Of the one that waited longest. */
static int64_t longest_wait(const struct deadline_members *members)
{
    int64_t longest = 0;

    for (size_t i = 0; i < DEADLINE_MEMBERS_MAX; i++) {
        const struct deadline_member *member = &members->of[i];
        uint32_t tid = shmring_load32_acquire(&member->tid);
        int64_t waited = tid != 0 ? waited_by(tid) - member->before_ns : 0;

        longest = waited > longest ? waited : longest;
    }
    return longest;
}

struct deadline deadline_in(const struct deadline_members *members, int64_t ns)
{
    return (struct deadline){members, shmring_clock(), ns, longest_wait(members)};
}

int64_t deadline_waited_ns(const struct deadline *deadline)
{
    int64_t waited = longest_wait(deadline->members) - deadline->waited_ns;

    return waited > 0 ? waited : 0;
}

bool deadline_is_over(const struct deadline *deadline)
{
    int64_t passed = shmring_clock() - deadline->begin_ns;

    if (passed < deadline->allowed_ns)
        return false;
    return passed >= DEADLINE_PATIENCE * deadline->allowed_ns ||
           passed - deadline_waited_ns(deadline) >= deadline->allowed_ns;
}
