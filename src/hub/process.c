/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* MADV_WIPEONFORK */
#include "process.h"

#include "shmring/atomic.h"
#include "shmring/layout.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static shmring_word32 *here; /* in a page that fork() wipes; there for as long as the process */
static int error;

static void open_once(void)
{
    void *page =
        mmap(NULL, SHMRING_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED) {
        error = -ENOMEM;
    } else if (madvise(page, SHMRING_PAGE_SIZE, MADV_WIPEONFORK) != 0) {
        munmap(page, SHMRING_PAGE_SIZE);
        error = -EOPNOTSUPP;
    } else {
        here = page;
        /* relaxed: pthread_once() orders it. */
        shmring_store32_relaxed(here, 1);
    }
}

int hub_process_open(void)
{
    pthread_once(&once, open_once);
    return error != 0 ? error : hub_process_check();
}

int hub_process_check(void)
{
    /* relaxed: nobody writes it while we run. */
    return shmring_load32_relaxed(here) != 0 ? 0 : -EOWNERDEAD;
}
