/* SPDX-License-Identifier: MIT */
#include "../check.h"

#include "inject.h"
#include "leaks.h"

#include <dirent.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool IS_SANITIZED = true;
#elif defined(__has_feature)
static const bool IS_SANITIZED = __has_feature(address_sanitizer) ||
                                 __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer);
#else
static const bool IS_SANITIZED = false;
#endif

static const char *our_mark = "", *our_directory;

void leaks_look_for(const char *mark, const char *directory)
{
    our_mark = mark;
    our_directory = directory;
}

static bool is_lock(const char *name)
{
    size_t length = strlen(name), end = strlen(".lock");

    return length >= end && strcmp(name + length - end, ".lock") == 0;
}

static int count_files(const char *path, bool removes, int *ret_locks)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    int count = 0;

    CHECK(directory != NULL);
    while ((entry = readdir(directory)) != NULL) {
        if (strstr(entry->d_name, our_mark) == NULL)
            continue;
        if (is_lock(entry->d_name))
            ++*ret_locks;
        else
            count++;
        if (removes)
            CHECK(unlinkat(dirfd(directory), entry->d_name, 0) == 0);
    }
    closedir(directory);
    return count;
}

static void count_fds(leaks *now)
{
    DIR *directory = opendir("/proc/self/fd");
    struct dirent *entry;

    CHECK(directory != NULL);
    while ((entry = readdir(directory)) != NULL) {
        int fd = atoi(entry->d_name);

        if (entry->d_name[0] != '.' && fd != dirfd(directory)) {
            CHECK(fd < LEAKS_FDS_MAX);
            now->fds[fd] = true;
        }
    }
    closedir(directory);
}

static int count_mappings(void)
{
    FILE *file = fopen("/proc/self/maps", "r");
    char line[512];
    int count = 0;

    CHECK(file != NULL);
    while (fgets(line, sizeof line, file) != NULL)
        count += strstr(line, "/dev/shm/") != NULL || strstr(line, "/memfd:shmring") != NULL;
    fclose(file);
    return count;
}

static long count_pages(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long pages = 0;

    CHECK(file != NULL && fscanf(file, "%ld", &pages) == 1);
    fclose(file);
    return pages;
}

void leaks_count(leaks *ret_now)
{
    *ret_now = (leaks){.mappings = count_mappings(), .sets = fault_sets()};
    count_fds(ret_now);
    ret_now->files = count_files("/dev/shm", false, &ret_now->locks);
    if (our_directory != NULL)
        ret_now->files += count_files(our_directory, false, &ret_now->locks);
    if (!IS_SANITIZED)
        ret_now->address_space = count_pages();
}

void leaks_remove_named(void)
{
    int locks = 0;

    count_files("/dev/shm", true, &locks);
    if (our_directory != NULL)
        count_files(our_directory, true, &locks);
    fault_sets_remove();
}

static bool is_equal(const char *what, long before, long now)
{
    if (before != now)
        printf("  %s: %ld before, %ld now\n", what, before, now);
    return before == now;
}

bool leaks_are_equal(const leaks *before, const leaks *now, bool named)
{
    bool equal = is_equal("mappings of shared memory", before->mappings, now->mappings);

    equal &= is_equal("pages of address space", before->address_space, now->address_space);
    for (int fd = 0; fd < LEAKS_FDS_MAX; fd++)
        if (before->fds[fd] != now->fds[fd]) {
            printf("  descriptor %d: %s\n", fd, now->fds[fd] ? "left open" : "closed");
            equal = false;
        }
    if (named && fault_injected() == 0)
        equal &= is_equal("lock files", before->locks, now->locks);
    if (named) {
        equal &= is_equal("files left behind", before->files, now->files);
        equal &= is_equal("System V sets left behind", before->sets, now->sets);
    }
    return equal;
}
