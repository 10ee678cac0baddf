/* SPDX-License-Identifier: MIT */
/*
 * Claim: a link's memory can be cut short, extended, zeroed, filled or written by nobody, in a
 * storm of trials while messages pass: each is refused, and no message is lost. A named channel can
 * be, by who may write it: then who uses it or opens it gets a documented error, or SIGBUS and
 * nothing else; a third party loses nothing, and later another channel of that name is as good as
 * any.
 *
 * usage: cut [SEED] [--scale SECONDS]     by default 2
 */
#include "../process/link_middle.h"
#include "ends.h"
#include "peer.h"

enum {
    CAPACITY = 4096,
    USES = 2000, /* calls of one who uses what is cut, if it lives so long */
};

static struct trials {
    shmring_word64 tried, done;
} * trials;

static shmring_geometry geometry;
static int lanes[2];
static char name[64];

static void capture(struct packet *packet, const void *how)
{
    (void)how;
    CHECK_EQ(packet->count, 3);
    for (int i = 0; i < 2; i++)
        lanes[i] = fcntl(packet->fds[i * 2], F_DUPFD_CLOEXEC, 0);
}

static void try_one(int fd, uint64_t random)
{
    const off_t page = SHMRING_PAGE_SIZE, size = (off_t)geometry.total_size;
    off_t at = (off_t)(random >> 32) % (size / page) * page;
    void *mapped = MAP_FAILED;
    int done = -1;

    switch (random % 8) {
    case 0:
        done = ftruncate(fd, at);
        break;
    case 1:
        done = ftruncate(fd, size + page + at);
        break;
    case 2:
        done = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, page);
        break;
    case 3:
        done = fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, at, page);
        break;
    case 4:
        done = fallocate(fd, 0, size, page);
        break;
    case 5:
        done = pwrite(fd, "x", 1, at) == 1 ? 0 : -1;
        break;
    case 6:
        mapped = mmap(NULL, (size_t)page, PROT_READ, MAP_SHARED, fd, at);
        CHECK(mapped != MAP_FAILED);
        done = madvise(mapped, (size_t)page, MADV_REMOVE);
        munmap(mapped, (size_t)page);
        break;
    default:
        mapped = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, at);
        done = mapped != MAP_FAILED ? 0 : -1;
    }
    shmring_add64_relaxed(&trials->tried, 1);
    shmring_add64_relaxed(&trials->done, done == 0);
}

static _Noreturn void storm_on_lanes(uint64_t seed)
{
    for (;;) {
        uint64_t random = test_random(&seed);

        try_one(lanes[random % 2], random >> 1);
    }
}

/* Both ends of a link in this process, that nobody disturbs. */
static void pass_messages(shmring_link links[2], int64_t until)
{
    uint64_t sent[2] = {0, 0}, got[2] = {0, 0}, length;
    char message[MESSAGE_MAX];
    uint32_t type;

    for (int side = 0; shmring_clock() < until; side = 1 - side) {
        shmring_sender *sender = &links[side].sender;

        message_write(message, sent[side]);
        while (shmring_sender_send(sender, message, message_length(sent[side]),
                                   message_type(sent[side]), SHMRING_NOW) == 0)
            message_write(message, ++sent[side]);
        while (shmring_receiver_recv(&links[1 - side].receiver, message, sizeof message, &length,
                                     &type, SHMRING_NOW) == 0)
            CHECK(message_is(message, length, type, got[side]++));
        CHECK_EQ(got[side], sent[side]);
    }
    printf("%llu messages over a link, none lost; %llu trials, %llu of them not refused\n",
           (unsigned long long)(got[0] + got[1]),
           (unsigned long long)shmring_load64_relaxed(&trials->tried),
           (unsigned long long)shmring_load64_relaxed(&trials->done));
}

static void cut_a_link(uint64_t seed, int64_t until)
{
    const shmring_link_options options = {.size = sizeof options, .capacity = CAPACITY};
    const struct tampering tampering = {OFFER, capture, NULL, NULL};
    shmring_link links[2];
    int errors[2];

    CHECK_EQ(shmring_layout_plan(SHMRING_KIND_LANE, 0, CAPACITY, &geometry), 0);
    shake_hands(&options, &options, &tampering, links, errors);
    CHECK(errors[0] == 0 && errors[1] == 0);
    pid_t pid = check_fork();

    if (pid == 0)
        storm_on_lanes(seed);
    pass_messages(links, until);
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK_EQ(check_wait(pid), -SIGKILL);
    close_links(links, errors);
    for (int i = 0; i < 2; i++)
        close(lanes[i]);
    CHECK(shmring_load64_relaxed(&trials->tried) != 0);
    CHECK_EQ(shmring_load64_relaxed(&trials->done), 0);
}

static bool is_refusal(int error)
{
    return error == -EBADMSG || error == -EPROTO || error == -EAGAIN || error == -ENOSPC ||
           error == -EPROTONOSUPPORT || error == -ENOENT || error == -EOPNOTSUPP;
}

/* How the child ended: 0, 1 if it was refused, or by SIGBUS. */
static _Noreturn void use_what_is_cut(uint64_t seed)
{
    shmring_sender sender = {0};
    shmring_receiver receiver = {0};

    signal(SIGBUS, SIG_DFL); /* not a sanitizer's */
    ends_begin(seed);
    int error = shmring_sender_open(&sender, name, NULL);

    if (error == 0)
        error = shmring_receiver_open(&receiver, name, NULL);
    if (error != 0) {
        CHECK(is_refusal(error));
        _exit(3);
    }
    ends.sender = &sender;
    ends.receiver = &receiver;
    for (int i = 0; i < USES && !ends_is_over(); i++)
        ends_call();
    _exit(0);
}

static _Noreturn void storm_on_name(int fd, uint64_t seed)
{
    for (;;) {
        uint64_t random = test_random(&seed);
        off_t pages = (off_t)(random >> 32) % (off_t)(geometry.total_size / SHMRING_PAGE_SIZE + 2);

        if (random % 4 != 0)
            pages = (off_t)(geometry.total_size / SHMRING_PAGE_SIZE);
        if (ftruncate(fd, pages * SHMRING_PAGE_SIZE + (random % 64 == 4 ? 8 : 0)) != 0)
            _exit(1);
        usleep(random >> 40 & 2047);
    }
}

static uint64_t count_cut[3]; /* went on, were refused, died */

/* One who opens the whole, which is then cut, or what is cut already. */
static void cut_a_name(uint64_t *seed)
{
    const shmring_channel_options options = {.size = sizeof options, .capacity = CAPACITY};
    char path[96];

    snprintf(path, sizeof path, "/dev/shm/%s", name);
    CHECK_EQ(shmring_channel_create(name, &options), 0);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    uint64_t first = test_random(seed), second = test_random(seed);

    CHECK(fd >= 0);
    pid_t attacker = check_fork();

    if (attacker == 0)
        storm_on_name(fd, first);
    pid_t user = check_fork();

    if (user == 0)
        use_what_is_cut(second);
    int status = check_wait(user);

    CHECK(status == 0 || status == 3 || status == -SIGBUS);
    count_cut[status == 0 ? 0 : status == 3 ? 1 : 2]++;
    CHECK(kill(attacker, SIGKILL) == 0);
    CHECK_EQ(check_wait(attacker), -SIGKILL);
    close(fd);
    CHECK_EQ(shmring_channel_unlink(name, NULL), 0);
}

static void run(uint64_t seed, int64_t time)
{
    int64_t half = shmring_deadline(time / 2), until = shmring_deadline(time);

    cut_a_link(test_random(&seed), half);
    CHECK_EQ(shmring_layout_plan(SHMRING_KIND_SPSC, 0, CAPACITY, &geometry), 0);
    neighbour_start();
    do {
        cut_a_name(&seed);
        neighbour_turn();
    } while (shmring_clock() < until);
    neighbour_end();
    printf("of those who used what was cut %llu went on, %llu were refused, %llu died of SIGBUS\n",
           (unsigned long long)count_cut[0], (unsigned long long)count_cut[1],
           (unsigned long long)count_cut[2]);
}

int main(int argc, char **argv)
{
    int64_t time = peer_time(&argc, argv, 2);
    uint64_t seed = test_seed(argc, argv);

    trials = mmap(NULL, sizeof *trials, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(trials != MAP_FAILED);
    snprintf(name, sizeof name, "shmring-test-cut-%d", (int)getpid());
    pid_t child = check_fork();

    if (child == 0) {
        run(seed, time);
        fflush(NULL);
        _exit(0);
    }
    int status = check_wait(child);

    shmring_segment_unlink(name); /* however it ended */
    return status != 0;
}
