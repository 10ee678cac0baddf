/* SPDX-License-Identifier: MIT */
/*
 * The other side sends, leaves or dies while it is being looked at whether it lives: at each of the
 * looks at a lock that such a question is made of. These are calls of fcntl(), in whose place there
 * is one of our own.
 */
#define _GNU_SOURCE
#include "../backends.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

enum {
    CALLS = 3000, /* of polls, of which every 256th asks; or of a millisecond each */
    LOOKS = 6,    /* of two questions at least */
};

static backend_ring ring;
static shmring_sender tx;
static shmring_receiver rx;
static shmring_queue_sender queue_tx;
static shmring_queue_receiver queue_rx, other_rx;
static pid_t child;

/* What is done before a look at a lock, once, and before which one. */
static struct {
    void (*deed)(void);
    int looks;
} meanwhile;

int fcntl(int fd, int command, ...)
{
    static int (*libc)(int, int, ...);
    va_list arguments;

    if (libc == NULL)
        *(void **)(void *)&libc = dlsym(RTLD_NEXT, "fcntl");
    if (command == F_OFD_GETLK && meanwhile.deed != NULL && meanwhile.looks-- == 0) {
        void (*deed)(void) = meanwhile.deed;

        meanwhile.deed = NULL;
        deed();
    }
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);

    va_end(arguments);
    return libc(fd, command, argument);
}

static void clean_up(void)
{
    backend_rings_remove_of(getpid());
}

TestSuite(ends, .fini = clean_up, .timeout = 100);

/* How the receiver calls, in a ring of either kind. */
struct way {
    bool is_queue, takes; /* takes: in place */
    bool polls;
    enum shmring_wait_policy wait;
};

static void begin(const struct way *way)
{
    shmring_channel_options options = {.capacity = way->is_queue ? 4 : 4096, .slot_size = 8};
    shmring_channel_options own = {.size = sizeof own, .wait = way->wait};

    cr_assert_eq(backend_ring_create(&ring, SHMRING_BACKEND_FUTEX, way->is_queue, options), 0);
    if (way->is_queue)
        cr_assert_eq(backend_queue_receiver_open(&queue_rx, &ring, &own), 0);
    else
        cr_assert_eq(backend_receiver_open(&rx, &ring, &own), 0);
}

static void end(void)
{
    shmring_sender_close(&tx);
    shmring_receiver_close(&rx);
    shmring_queue_sender_close(&queue_tx);
    shmring_queue_receiver_close(&queue_rx);
    shmring_queue_receiver_close(&other_rx);
    backend_ring_remove(&ring);
}

static int receive_once(const struct way *way, char *ret_byte)
{
    int64_t deadline = way->polls ? SHMRING_NOW : shmring_deadline(1000000);
    shmring_mpmc_slot slot;

    if (!way->is_queue)
        return shmring_receiver_recv(&rx, ret_byte, 1, NULL, NULL, deadline);
    if (!way->takes)
        return shmring_queue_recv(&queue_rx, ret_byte, 1, &slot, deadline);
    int error = shmring_queue_take(&queue_rx, deadline, &slot);

    if (error != 0)
        return error;
    *ret_byte = *(const char *)slot.data;
    return shmring_queue_release(&queue_rx, &slot);
}

/* Until there is something: 0, or an end. */
static int receive(const struct way *way, char *ret_byte)
{
    int error = -ETIMEDOUT;

    for (int i = 0; i < CALLS && error == -ETIMEDOUT; i++)
        error = receive_once(way, ret_byte);
    return error;
}

static const struct way ways[] = {
    {.is_queue = false, .polls = true},
    {.is_queue = false, .wait = SHMRING_WAIT_BLOCK},
    {.is_queue = false, .wait = SHMRING_WAIT_SPIN},
    {.is_queue = true, .polls = true},
    {.is_queue = true, .wait = SHMRING_WAIT_BLOCK},
    {.is_queue = true, .wait = SHMRING_WAIT_SPIN},
    {.is_queue = true, .wait = SHMRING_WAIT_ADAPTIVE},
    {.is_queue = true, .takes = true, .polls = true},
    {.is_queue = true, .takes = true, .wait = SHMRING_WAIT_BLOCK},
};
enum { WAYS = sizeof ways / sizeof *ways };

static int open_sender(bool is_queue)
{
    return is_queue ? backend_queue_sender_open(&queue_tx, &ring, NULL)
                    : backend_sender_open(&tx, &ring, NULL);
}

static int send(void)
{
    return ring.is_queue ? shmring_queue_send(&queue_tx, "m", 1, 0, SHMRING_NOW)
                         : shmring_sender_send(&tx, "m", 1, 0, SHMRING_NOW);
}

/* That deed before each look, in a round each: what does the receiver get then, and what in the
 * call after that? */
static void expect(const struct way *way, void (*set_up)(void), void (*deed)(void), int first,
                   int second)
{
    for (int look = 0; look < LOOKS; look++) {
        char byte = 0;

        begin(way);
        set_up();
        meanwhile.looks = look;
        meanwhile.deed = deed;
        int error = receive(way, &byte);

        cr_assert_null(meanwhile.deed, "way %d, look %d", (int)(way - ways), look);
        cr_expect_eq(error, first, "way %d, look %d: %d", (int)(way - ways), look, error);
        cr_expect(first != 0 || byte == 'm');
        error = receive_once(way, &byte);
        cr_expect_eq(error, second, "way %d, look %d: then %d", (int)(way - ways), look, error);
        end();
    }
}

static void have_sender(void)
{
    cr_assert_eq(open_sender(ring.is_queue), 0);
}

static void leave(void)
{
    shmring_sender_close(&tx);
    shmring_queue_sender_close(&queue_tx);
}

static void send_and_leave(void)
{
    cr_assert_eq(send(), 0);
    leave();
}

Test(ends, a_message_that_comes_while_the_end_is_looked_at_is_not_lost)
{
    for (int i = 0; i < WAYS; i++)
        expect(&ways[i], have_sender, send_and_leave, 0, -EPIPE);
}

Test(ends, a_sender_that_leaves_while_it_is_looked_at_has_left)
{
    for (int i = 0; i < WAYS; i++)
        expect(&ways[i], have_sender, leave, -EPIPE, -ETIMEDOUT);
}

/* A sender in a process of its own. */
static void have_child(void)
{
    int ready[2];
    char byte;

    cr_assert_eq(pipe(ready), 0);
    child = fork();
    if (child == 0) {
        if (open_sender(ring.is_queue) != 0 || write(ready[1], "r", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
}

static void kill_child(void)
{
    kill(child, SIGKILL);
    cr_assert_eq(waitpid(child, NULL, 0), child);
}

Test(ends, a_sender_that_dies_while_it_is_looked_at_has_died)
{
    for (int i = 0; i < WAYS; i++)
        expect(&ways[i], have_child, kill_child, -EOWNERDEAD, -ETIMEDOUT);
}

static void have_child_and_another_receiver(void)
{
    have_child();
    cr_assert_eq(backend_queue_receiver_open(&other_rx, &ring, NULL), 0);
}

static void kill_and_bury_child(void)
{
    kill_child();
    cr_assert_eq(shmring_mpmc_recover(&other_rx.consumer.side), 1);
}

Test(ends, a_sender_that_others_bury_meanwhile_has_died)
{
    for (int i = 0; i < WAYS; i++)
        if (ways[i].is_queue)
            expect(&ways[i], have_child_and_another_receiver, kill_and_bury_child, -EOWNERDEAD,
                   -ETIMEDOUT);
}

static pid_t first;

static void have_two_children_and_another_receiver(void)
{
    have_child();
    first = child;
    have_child_and_another_receiver();
}

/* As one does who buries them, and is not done. */
static void kill_both_and_bury_the_second(void)
{
    const shmring_mpmc_side *side = &other_rx.consumer.side;
    uint32_t id = 0;

    kill_child();
    int lock_fd = shmring_member_seize(side->member.fd, side->records, &id);

    cr_assert_geq(lock_fd, 0);
    shmring_add32_release(&side->control->died[SHMRING_ROLE_PRODUCER], 1);
    shmring_member_bury(side->records, id, lock_fd);
    child = first;
    kill_child();
}

Test(ends, each_death_is_counted_once)
{
    for (int i = 0; i < WAYS; i++) {
        if (!ways[i].is_queue)
            continue;
        for (int look = 0; look < LOOKS; look++) {
            char byte;

            begin(&ways[i]);
            have_two_children_and_another_receiver();
            meanwhile.looks = look;
            meanwhile.deed = kill_both_and_bury_the_second;
            cr_expect_eq(receive(&ways[i], &byte), -EOWNERDEAD, "way %d, look %d", i, look);
            have_sender();
            leave();
            cr_expect_eq(receive(&ways[i], &byte), -EPIPE, "way %d, look %d", i, look);
            end();
        }
    }
}
