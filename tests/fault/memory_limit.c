/* SPDX-License-Identifier: MIT */
/*
 * Claim: where a memory cgroup has no room for it, making a ring is an error or the kernel's kill
 * (which comes while the memory is reserved: not later, at a store). Nothing is left either way. A
 * ring that fits works there.
 */
#include "../check.h"

#include <fcntl.h>
#include <shmring/shmring.h>
#include <string.h>
#include <sys/stat.h>

static const uint64_t LIMIT = (uint64_t)16 << 20, LARGE = (uint64_t)64 << 20, SMALL = 65536;

/* Where the memory controller of either version is, and its limit. */
static const struct place {
    const char *directory, *limit;
} places[] = {
    {"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
    {"/sys/fs/cgroup", "memory.max"},
};

static bool write_to(const char *directory, const char *file, uint64_t value)
{
    char path[256], text[32];
    int length = snprintf(text, sizeof text, "%llu", (unsigned long long)value);

    snprintf(path, sizeof path, "%s/%s", directory, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, text, (size_t)length) == length;

    if (fd >= 0)
        close(fd);
    return written;
}

static char group[128], name[64];

static bool make_group(const struct place *place)
{
    snprintf(group, sizeof group, "%s/shmring-test-%d", place->directory, (int)getpid());
    if (mkdir(group, 0755) != 0)
        return false;
    if (write_to(group, place->limit, LIMIT))
        return true;
    rmdir(group);
    return false;
}

/* How a child ends that makes a ring in there. */
static int create_inside(uint64_t capacity)
{
    shmring_channel_options options = {.size = sizeof options, .capacity = capacity};
    pid_t child = check_fork();

    if (child == 0) {
        if (!write_to(group, "cgroup.procs", (uint64_t)getpid()))
            _exit(77);
        int error = shmring_channel_create(name, &options);

        _exit(error == 0 ? 0 : error == -ENOMEM || error == -ENOSPC ? 2 : 3);
    }
    return check_wait(child);
}

int main(void)
{
    char path[128];
    size_t i = 0;

    snprintf(name, sizeof name, "shmring-test-%d-limit", (int)getpid());
    snprintf(path, sizeof path, "/dev/shm/%s", name);
    while (i < sizeof places / sizeof *places && !make_group(&places[i]))
        i++;
    if (i == sizeof places / sizeof *places)
        SKIP("no memory cgroup can be made");
    int small = create_inside(SMALL);
    int unlinked = shmring_channel_unlink(name, NULL);
    int large = create_inside(LARGE);
    bool left = access(path, F_OK) == 0;

    shmring_channel_unlink(name, NULL);
    for (int tries = 0; rmdir(group) != 0 && tries < 100; tries++)
        usleep(10000); /* until the kernel has forgotten the dead */
    if (small == 77 || large == 0)
        SKIP("the limit of the memory cgroup is not kept");
    CHECK_EQ(small, 0);
    CHECK_EQ(unlinked, 0);
    CHECK(large == 2 || large == -SIGKILL);
    CHECK(!left);
    printf("beyond the limit: %s\n", large == 2 ? "an error" : "killed while it was made");
    return 0;
}
