/* SPDX-License-Identifier: MIT */
/*
 * Claim: of a link whose peer was killed at any moment, every message that was committed is
 * received, and then its death is told, again and again; one that closed is told apart; one that is
 * stopped is alive; one that hung up only is gone. A forked child harms nothing.
 *
 * usage: link_death [SEED] [--scale ROUNDS]
 */
#include "link_middle.h"
#include "messages.h"

#include <poll.h>
#include <sys/mman.h>
#include <time.h>

/* How far the child is, in memory that outlives it. */
struct progress {
    shmring_word64 committed;
    shmring_word32 ready;
};
static struct progress *progress;

/* For what must come: a hang if it does not. */
static int64_t soon(void)
{
    return shmring_deadline(INT64_C(30000000000));
}

static const shmring_link_options options = {
    .size = sizeof options, .capacity = 65536, .timeout_ns = INT64_C(20000000000)};

/* A link between this process, the server, and a child that runs client(). */
static pid_t begin(shmring_link *ret_link, void (*client)(shmring_link *link))
{
    shmring_handshake handshake;
    int sockets[2];

    shmring_store64_release(&progress->committed, 0);
    shmring_store32_release(&progress->ready, 0);
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0);
    pid_t pid = check_fork();

    if (pid == 0) {
        shmring_link link;

        close(sockets[0]);
        CHECK_EQ(shmring_handshake_begin(&handshake, SHMRING_LINK_CLIENT, sockets[1], &options), 0);
        CHECK_EQ(shmring_handshake_finish(&handshake, &link, SHMRING_NEVER), 0);
        client(&link);
        shmring_link_close(&link);
        _exit(0);
    }
    close(sockets[1]);
    CHECK_EQ(shmring_handshake_begin(&handshake, SHMRING_LINK_SERVER, sockets[0], &options), 0);
    CHECK_EQ(shmring_handshake_finish(&handshake, ret_link, SHMRING_NEVER), 0);
    return pid;
}

static void send_for_ever(shmring_link *link)
{
    for (uint64_t number = 0;; number++) {
        uint64_t length = message_length(number);
        void *place;

        CHECK_EQ(shmring_sender_reserve(&link->sender, length, SHMRING_NEVER, &place), 0);
        message_write(place, number);
        CHECK(shmring_sender_commit(&link->sender, length, message_type(number)));
        shmring_store64_release(&progress->committed, number + 1);
    }
}

static void pause_for_ever(shmring_link *link)
{
    (void)link;
    shmring_store32_release(&progress->ready, 1);
    for (;;)
        pause();
}

static void close_at_once(shmring_link *link)
{
    CHECK_EQ(shmring_sender_send(&link->sender, "bye", 3, 0, SHMRING_NOW), 0);
}

static void send_when_continued(shmring_link *link)
{
    raise(SIGSTOP);
    CHECK_EQ(shmring_sender_send(&link->sender, "here", 4, 0, SHMRING_NOW), 0);
    pause_for_ever(link);
}

static void hang_up(shmring_link *link)
{
    shutdown(shmring_link_fd(link), SHUT_RDWR);
    pause_for_ever(link);
}

static void end(shmring_link *link, pid_t pid, int status)
{
    shmring_link_close(link);
    CHECK_EQ(check_wait(pid), status);
}

static void a_killed_sender_loses_nothing(uint64_t random)
{
    const struct timespec moment = {.tv_nsec = (long)(random % 3000000)};
    uint64_t number = 0, length;
    const void *message;
    shmring_link link;
    uint32_t type;
    int error;
    pid_t pid = begin(&link, send_for_ever);

    nanosleep(&moment, NULL);
    CHECK(kill(pid, SIGKILL) == 0);
    while ((error = shmring_receiver_peek(&link.receiver, soon(), &message, &length, &type)) == 0) {
        CHECK(message_is(message, length, type, number));
        shmring_receiver_release(&link.receiver);
        number++;
    }
    CHECK_EQ(error, -EOWNERDEAD);
    CHECK_EQ(shmring_receiver_peek(&link.receiver, soon(), &message, &length, &type), -EOWNERDEAD);
    uint64_t committed = shmring_load64_acquire(&progress->committed);

    CHECK(number == committed || number == committed + 1);
    end(&link, pid, -SIGKILL);
}

static void a_sender_learns_of_a_dead_receiver_when_it_is_full(void)
{
    shmring_link link;
    pid_t pid = begin(&link, pause_for_ever);
    int error;

    CHECK(kill(pid, SIGKILL) == 0);
    while ((error = shmring_sender_send(&link.sender, "message", 8, 0, soon())) == 0)
        continue;
    CHECK_EQ(error, -EOWNERDEAD);
    end(&link, pid, -SIGKILL);
}

static void a_sender_learns_that_a_receiver_has_closed_when_it_is_full(void)
{
    shmring_link link;
    pid_t pid = begin(&link, close_at_once);
    char text[8];
    int error;

    CHECK_EQ(shmring_receiver_recv(&link.receiver, text, sizeof text, NULL, NULL, soon()), 0);
    CHECK_EQ(shmring_receiver_recv(&link.receiver, text, sizeof text, NULL, NULL, soon()), -EPIPE);
    while ((error = shmring_sender_send(&link.sender, "message", 8, 0, soon())) == 0)
        continue;
    CHECK_EQ(error, -EPIPE);
    end(&link, pid, 0);
}

static void a_stopped_peer_is_alive(void)
{
    shmring_link link;
    pid_t pid = begin(&link, send_when_continued);
    char text[8];
    int status;

    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    CHECK_EQ(shmring_receiver_recv(&link.receiver, text, sizeof text, NULL, NULL,
                                   shmring_deadline(INT64_C(400000000))),
             -ETIMEDOUT);
    CHECK(kill(pid, SIGCONT) == 0);
    CHECK_EQ(shmring_receiver_recv(&link.receiver, text, sizeof text, NULL, NULL, soon()), 0);
    CHECK(kill(pid, SIGKILL) == 0);
    end(&link, pid, -SIGKILL);
}

static void who_hangs_up_is_gone_although_it_lives(void)
{
    shmring_link link;
    pid_t pid = begin(&link, hang_up);
    struct pollfd one = {.fd = shmring_link_fd(&link), .events = POLLIN};
    char byte;

    CHECK_EQ(poll(&one, 1, 30000), 1);
    CHECK_EQ(shmring_receiver_recv(&link.receiver, &byte, 1, NULL, NULL, soon()), -EOWNERDEAD);
    CHECK(kill(pid, SIGKILL) == 0);
    end(&link, pid, -SIGKILL);
}

/* Another child, of the server: what it may do with the link that it has inherited. */
static int in_a_child(shmring_link *link, void (*act)(shmring_link *link))
{
    pid_t pid = check_fork();

    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL); /* a sanitizer would print */
        act(link);
        _exit(0);
    }
    return check_wait(pid);
}

static void use_it(shmring_link *link)
{
    shmring_sender_send(&link->sender, "child", 5, 0, SHMRING_NOW);
}

static void a_child_can_close_a_link_but_not_use_it(void)
{
    shmring_link link;
    pid_t pid = begin(&link, send_for_ever);
    char text[MESSAGE_MAX];

    CHECK_EQ(in_a_child(&link, use_it), -SIGSEGV);
    CHECK_EQ(in_a_child(&link, shmring_link_close), 0);
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(shmring_receiver_recv(&link.receiver, text, sizeof text, NULL, NULL, soon()), 0);
    CHECK(kill(pid, SIGKILL) == 0);
    end(&link, pid, -SIGKILL);
}

int main(int argc, char **argv)
{
    bool scale = argc > 2 && strcmp(argv[argc - 2], "--scale") == 0;
    int rounds = scale ? atoi(argv[argc - 1]) : 30;
    uint64_t random = test_seed(scale ? argc - 2 : argc, argv);

    progress =
        mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(progress != MAP_FAILED);
    struct held before = count_held();

    for (int i = 0; i < rounds; i++)
        a_killed_sender_loses_nothing(test_random(&random));
    a_sender_learns_of_a_dead_receiver_when_it_is_full();
    a_sender_learns_that_a_receiver_has_closed_when_it_is_full();
    a_stopped_peer_is_alive();
    who_hangs_up_is_gone_although_it_lives();
    a_child_can_close_a_link_but_not_use_it();
    check_held(before, rounds);
    return 0;
}
