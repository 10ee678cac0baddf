/* SPDX-License-Identifier: MIT */
/*
 * Claim: where a seccomp filter refuses what a backend needs, or there are too few descriptors,
 * creating or opening a ring says so, and leaves nothing: no object, no semaphore, no descriptor.
 */
#include "../messages.h"

#include "../backends.h"
#include <dirent.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum {
    MODE = 0620, /* by which the System V sets of this test are known; nobody else has such */
    FILES_MAX = 64,
};

static const shmring_channel_options defaults = {
    .size = sizeof defaults, .capacity = 4096, .slot_size = 8,
    .segment = {.size = sizeof defaults.segment, .mode = MODE}};

/* From here on that call fails. */
static void refuse(long number, int error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};

    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        SKIP("no seccomp filters");
}

/* What this process has made, by the names that backends.h gives. */
static int count_objects(pid_t pid)
{
    DIR *directory = opendir("/dev/shm");
    struct dirent *entry;
    char mark[32];
    int count = 0;

    snprintf(mark, sizeof mark, "shmring-test-%d-", (int)pid);
    CHECK(directory != NULL);
    while ((entry = readdir(directory)) != NULL)
        count += strstr(entry->d_name, mark) != NULL;
    closedir(directory);
    return count;
}

static int count_sets(void)
{
    FILE *file = fopen("/proc/sysvipc/sem", "r");
    char line[256];
    unsigned mode;
    int count = 0;

    CHECK(file != NULL);
    while (fgets(line, sizeof line, file) != NULL)
        count += sscanf(line, "%*d %*d %o", &mode) == 1 && (mode & 0777) == MODE;
    fclose(file);
    return count;
}

static int count_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < FILES_MAX; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* What opening each side of the ring says; opened ones are closed again. */
static void open_both(const backend_ring *ring, int ret_errors[2])
{
    shmring_queue_receiver queue_rx = {0};
    shmring_queue_sender queue_tx = {0};
    shmring_receiver rx = {0};
    shmring_sender tx = {0};

    if (ring->is_queue) {
        ret_errors[0] = backend_queue_sender_open(&queue_tx, ring, &defaults);
        ret_errors[1] = backend_queue_receiver_open(&queue_rx, ring, &defaults);
    } else {
        ret_errors[0] = backend_sender_open(&tx, ring, &defaults);
        ret_errors[1] = backend_receiver_open(&rx, ring, &defaults);
    }
    shmring_queue_receiver_close(&queue_rx);
    shmring_queue_sender_close(&queue_tx);
    shmring_receiver_close(&rx);
    shmring_sender_close(&tx);
}

/* A call, and which backends cannot do without it: to create, and to open what was there before. */
static const struct refusal {
    const char *name;
    long number;
    bool create[SHMRING_BACKENDS], open[SHMRING_BACKENDS];
} refusals[] = {
    {"futex", SYS_futex,
     {[SHMRING_BACKEND_FUTEX] = true, [SHMRING_BACKEND_SEM] = true,
      [SHMRING_BACKEND_NAMED_SEM] = true},
     {[SHMRING_BACKEND_FUTEX] = true, [SHMRING_BACKEND_SEM] = true,
      [SHMRING_BACKEND_NAMED_SEM] = true}},
    {"semtimedop", SYS_semtimedop,
     {[SHMRING_BACKEND_SYSV_SEM] = true}, {[SHMRING_BACKEND_SYSV_SEM] = true}},
    {"semget", SYS_semget, {[SHMRING_BACKEND_SYSV_SEM] = true}, {false}},
    {"eventfd2", SYS_eventfd2, {[SHMRING_BACKEND_EVENTFD] = true}, {false}},
    {"ppoll", SYS_ppoll,
     {[SHMRING_BACKEND_EVENTFD] = true}, {[SHMRING_BACKEND_EVENTFD] = true}},
};

static void try_refused(const struct refusal *refusal, enum shmring_backend backend, bool is_queue,
                        int error)
{
    backend_ring before, ring;
    int errors[2];

    CHECK_EQ(backend_ring_create(&before, backend, is_queue, defaults), 0);
    int objects = count_objects(getpid()), sets = count_sets(), descriptors = count_descriptors();

    refuse(refusal->number, error);
    open_both(&before, errors);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(errors[i], refusal->open[backend] ? -EOPNOTSUPP : 0);
    CHECK_EQ(backend_ring_create(&ring, backend, is_queue, defaults),
             refusal->create[backend] ? -EOPNOTSUPP : 0);
    if (refusal->create[backend]) {
        CHECK_EQ(count_objects(getpid()), objects);
        CHECK_EQ(count_sets(), sets);
        CHECK_EQ(count_descriptors(), descriptors);
    }
    backend_ring_remove(&ring);
    shmring_channel_close_fds(&before.fds); /* its name is removed outside */
    _exit(0);
}

/* The fences: refused where they were asked for, done without where not. */
static void try_without_membarrier(int error)
{
    shmring_channel_options light = defaults, either = defaults;
    backend_ring before, ring;
    int errors[2];

    light.fence = SHMRING_FENCE_LIGHT;
    int has_light = backend_ring_create(&before, SHMRING_BACKEND_FUTEX, false, light);

    refuse(SYS_membarrier, error);
    CHECK_EQ(backend_ring_create(&ring, SHMRING_BACKEND_FUTEX, true, light), -EOPNOTSUPP);
    CHECK_EQ(backend_ring_create(&ring, SHMRING_BACKEND_FUTEX, true, either), 0);
    open_both(&ring, errors);
    CHECK(errors[0] == 0 && errors[1] == 0);
    backend_ring_remove(&ring);
    if (has_light == 0) {
        open_both(&before, errors);
        CHECK(errors[0] == -EOPNOTSUPP && errors[1] == -EOPNOTSUPP);
    }
    _exit(0);
}

/* What is refused when all is open already: who cannot sleep is told so. */
static void try_refused_later(enum shmring_backend backend, int error)
{
    shmring_queue_receiver rx;
    shmring_mpmc_slot slot;
    backend_ring ring;

    CHECK_EQ(backend_ring_create(&ring, backend, true, defaults), 0);
    CHECK_EQ(backend_queue_receiver_open(&rx, &ring, &defaults), 0);
    const long calls[] = {SYS_ppoll, SYS_nanosleep, SYS_clock_nanosleep};

    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        refuse(calls[i], error);
    CHECK_EQ(shmring_poll(&(shmring_poll_item){.queue = &rx}, 1, SHMRING_NEVER), -ENOSYS);
    CHECK_EQ(shmring_queue_take_by(&rx, SHMRING_TAKE_EQUAL, 1, SHMRING_NEVER, &slot), -ENOSYS);
    shmring_queue_receiver_close(&rx);
    backend_ring_remove(&ring);
    _exit(0);
}

/* With ever more descriptors, until there are enough. */
static void try_with_few_descriptors(enum shmring_backend backend, bool is_queue)
{
    int errors[2] = {-EMFILE, -EMFILE};
    int before = count_descriptors(), refused = 0;

    for (int more = 0; more < 20; more++) {
        struct rlimit limit;
        backend_ring ring;

        CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
        limit.rlim_cur = (rlim_t)(before + more);
        CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        int error = backend_ring_create(&ring, backend, is_queue, defaults);

        if (error == 0)
            open_both(&ring, errors);
        backend_ring_remove(&ring);
        limit.rlim_cur = FILES_MAX;
        CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        CHECK(error == 0 || error == -EMFILE);
        for (int i = 0; i < 2; i++)
            CHECK(errors[i] == 0 || errors[i] == -EMFILE);
        CHECK_EQ(count_descriptors(), before);
        refused += error != 0 || errors[0] != 0 || errors[1] != 0;
    }
    CHECK(refused > 0);
    CHECK(errors[0] == 0 && errors[1] == 0);
    CHECK_EQ(count_objects(getpid()), 0);
    _exit(0);
}

/* In a child, whatever becomes of it. */
static int end_of(pid_t child, const char *what, int i)
{
    int status = check_wait(child);

    for (int j = 0; j < 4; j++) {
        char name[64];

        snprintf(name, sizeof name, "shmring-test-%d-%d", (int)child, j);
        shmring_channel_unlink(name, &defaults.segment);
    }
    if (status != 0)
        printf("%s, %s, %s: %d\n", what, backend_name((enum shmring_backend)(i / 2)),
               i % 2 != 0 ? "queue" : "channel", status);
    return status;
}

int main(void)
{
    int failed = 0;

    for (int i = 0; i < 2 * SHMRING_BACKENDS; i++) {
        enum shmring_backend backend = (enum shmring_backend)(i / 2);
        pid_t child;

        for (size_t j = 0; j < 2 * sizeof refusals / sizeof *refusals; j++) {
            child = check_fork();
            if (child == 0)
                try_refused(&refusals[j / 2], backend, i % 2 != 0, j % 2 != 0 ? EPERM : ENOSYS);
            int status = end_of(child, refusals[j / 2].name, i);

            if (status == 77)
                return 77;
            failed |= status;
        }
        if (backend != SHMRING_BACKEND_FUTEX && i % 2 != 0) {
            for (int j = 0; j < 2; j++) {
                child = check_fork();
                if (child == 0)
                    try_refused_later(backend, j != 0 ? EPERM : ENOSYS);
                failed |= end_of(child, "later", i);
            }
        }
        child = check_fork();
        if (child == 0)
            try_with_few_descriptors(backend, i % 2 != 0);
        failed |= end_of(child, "few descriptors", i);
    }
    for (int i = 0; i < 2; i++) {
        pid_t child = check_fork();

        if (child == 0)
            try_without_membarrier(i != 0 ? EPERM : ENOSYS);
        failed |= end_of(child, "membarrier", 0);
    }
    CHECK_EQ(count_sets(), 0);
    return failed != 0;
}
