/* SPDX-License-Identifier: MIT */
/*
 * Claim: with any limit of descriptors (RLIMIT_NOFILE from 3 up) opening a hub says -EMFILE, and
 * leaves nothing, or works; a client for which there are none is refused, and the next ones are let
 * in. Where epoll_pwait2() is refused, as before Linux 5.11, dispatch and control sleep all the
 * same, and hear of who comes and what they send; where all sleep is refused they say -ENOSYS.
 */
#include "../messages.h"

#include "../hub.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>

enum { LIMIT_FIRST = 3, LIMIT_LAST = 40, LIMIT = 1024 };

static const int64_t SLEEP_NS = 400000000, BUSY_NS = 20000000;

static void limit_to(int descriptors)
{
    struct rlimit limit = {.rlim_cur = (rlim_t)descriptors, .rlim_max = LIMIT};

    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void any_limit_is_survived(void)
{
    int refused = 0;

    for (int limit = LIMIT_FIRST; limit <= LIMIT_LAST; limit++) {
        const hub_holdings before = hub_hold();
        shmring_hub *hub = NULL;

        limit_to(limit);
        int error = shmring_hub_open(&hub, hub_path, NULL);

        limit_to(LIMIT);
        CHECK(error == 0 || (error == -EMFILE && hub == NULL));
        refused += error != 0;
        hub_close_and_check(hub, &before);
    }
    printf("descriptors: %d limits are too few for a hub\n", refused);
    CHECK(refused > 0 && refused < LIMIT_LAST - LIMIT_FIRST);
}

static pid_t start_client(void)
{
    pid_t pid = check_fork();

    if (pid == 0) {
        shmring_link link = hub_connect();

        hub_send_numbers(&link, 0, 1);
        shmring_link_close(&link);
        _exit(0);
    }
    return pid;
}

/* The lowest descriptor that is free: with a limit of that there is none. */
static int next_descriptor(void)
{
    int fd = dup(0);

    CHECK(fd >= 0 && close(fd) == 0);
    return fd;
}

static void client_without_descriptors_is_refused(shmring_hub *hub)
{
    shmring_hub_stats stats = {0};
    pid_t refused = check_fork();

    if (refused == 0) {
        shmring_link link;

        CHECK(shmring_link_connect(&link, hub_path, NULL, shmring_deadline(HUB_HANG_NS)) != 0);
        _exit(0);
    }
    limit_to(next_descriptor());
    while (stats.refused == 0) {
        hub_run(hub, 1000000);
        CHECK_EQ(shmring_hub_get_stats(hub, &stats), 0);
    }
    CHECK_EQ(check_wait(refused), 0);
    limit_to(LIMIT);
    CHECK_EQ(stats.joined, 0);
    pid_t pid = start_client();

    hub_await_end(hub, pid, SHMRING_HUB_LEFT);
    CHECK_EQ(hub_find(pid)->next, 1);
    CHECK_EQ(check_wait(pid), 0);
}

static void refuse(uint32_t number)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};

    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        SKIP("no seccomp filters");
}

static int64_t busy_ns(void)
{
    struct timespec time;

    CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void refused_sleeps_are_sleeps(void)
{
    pid_t pid = check_fork();

    if (pid != 0) {
        int status = check_wait(pid);

        CHECK(status == 0 || status == 77);
        return;
    }
    refuse(SYS_epoll_pwait2);
    shmring_hub *hub = hub_open_with((shmring_hub_options){.control_apart = false});
    int64_t began = busy_ns();

    hub_run(hub, SLEEP_NS);
    CHECK_EQ(shmring_hub_control(hub, shmring_deadline(SLEEP_NS)), -ETIMEDOUT);
    CHECK(busy_ns() - began < BUSY_NS);
    pid_t client = start_client();

    hub_await_end(hub, client, SHMRING_HUB_LEFT);
    CHECK_EQ(hub_find(client)->next, 1);
    CHECK_EQ(check_wait(client), 0);
#ifdef SYS_epoll_wait
    refuse(SYS_epoll_wait);
#endif
    refuse(SYS_epoll_pwait);
    CHECK_EQ(shmring_hub_dispatch(hub, hub_note, NULL, shmring_deadline(HUB_HANG_NS)), -ENOSYS);
    CHECK_EQ(shmring_hub_control(hub, shmring_deadline(HUB_HANG_NS)), -ENOSYS);
    CHECK_EQ(shmring_hub_close(hub), 0);
    _exit(0);
}

int main(void)
{
    hub_make_path();
    refused_sleeps_are_sleeps(); /* in a child, which may not open one after us */
    any_limit_is_survived();
    const hub_holdings before = hub_hold();
    shmring_hub *hub = hub_open_with((shmring_hub_options){.channels = 4});

    client_without_descriptors_is_refused(hub);
    hub_close_and_check(hub, &before);
    hub_remove_path();
    return 0;
}
