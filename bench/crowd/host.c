/* SPDX-License-Identifier: MIT */
/* The process that makes the members of one sample. If it ends early, the sample has failed; if it
 * is killed, so are they. */
#include "control.h"
#include "crowd/conduct.h"
#include "sample.h"
#include "work.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct post {
    const struct bench_case *bench_case;
    void *const *channels;
    struct crowd_member *member;
};

_Static_assert(2 + CROWD_MEMBERS_MAX <= DEADLINE_MEMBERS_MAX, "a place behind the two sides");

static void *join_channel(const struct post *post, enum role role)
{
    void *side = post->bench_case->transport->crowd->join(post->channels[0], role);

    if (side == NULL)
        sample_fail("join: %s", strerror(errno));
    return side;
}

/* Asleep: the others may need this processor to get ready. sched_yield() in a loop, by all of a
 * processor, has kept kernel threads from it for minutes (Linux 6.18), one of which held the lock
 * that the fork of the next member waited for. */
static void await_start(const struct crowd *crowd)
{
    while (shmring_load32_acquire(&crowd->phase) == CROWD_GATHER)
        clock_sleep(CROWD_NAP_NS);
}

/* No member leaves the channel while others use it: some end with all that they have made. */
static void end(struct crowd_member *self, const struct usage *begin)
{
    struct crowd *crowd = self->crowd;

    self->usage = usage_since(begin);
    if (self->role == ROLE_PRODUCER)
        shmring_add32_release(&crowd->producers_gone, 1);
    shmring_add32_release(&crowd->gone, 1);
    while (shmring_load32_acquire(&crowd->gone) != crowd_member_count(crowd))
        clock_sleep(CROWD_NAP_NS);
}

static void play(const struct post *post, struct crowd_member *self)
{
    const struct crowd_kind *kind = post->bench_case->transport->crowd;
    struct crowd *crowd = self->crowd;
    void *side = join_channel(post, self->role);

    shmring_add32_release(&crowd->ready, 1);
    await_start(crowd);
    struct usage begin = usage_now();

    (self->role == ROLE_PRODUCER ? kind->loops->produce : kind->loops->consume)(side, self);
    end(self, &begin);
    kind->leave(side, self->role);
}

static void play_fan(const struct post *post, struct crowd_member *self)
{
    const struct bench_case *bench_case = post->bench_case;
    const struct loops *loops = bench_case->transport->loops[bench_case->shape.policy];
    void *const *sides = post->channels + self->first_side;
    struct crowd *crowd = self->crowd;

    for (uint32_t i = 0; i < self->side_count; i++)
        work_attach_side(bench_case, sides[i], self->role);
    shmring_add32_release(&crowd->ready, 1);
    await_start(crowd);
    struct usage begin = usage_now();

    (self->role == ROLE_PRODUCER ? loops->fan_send : loops->fan_take)(sides, self);
    end(self, &begin);
}

static void play_solo(const struct post *post, struct crowd_member *self)
{
    const struct crowd_kind *kind = post->bench_case->transport->crowd;
    void *out = join_channel(post, ROLE_PRODUCER), *in = join_channel(post, ROLE_CONSUMER);

    shmring_add32_release(&self->crowd->ready, 1);
    await_start(self->crowd);
    struct usage begin = usage_now();

    kind->loops->solo(out, in, self);
    self->usage = usage_since(&begin);
    shmring_add32_release(&self->crowd->gone, 1);
    kind->leave(in, ROLE_CONSUMER);
    kind->leave(out, ROLE_PRODUCER);
}

static void *run_member(void *opaque)
{
    const struct post *post = opaque;

    deadline_join(&the_control->members, 2 + (uint32_t)(post->member - the_crowd->members));
    if (sampler_pin(post->member->cpu) != 0)
        sample_fail("cannot run on processor %d", post->member->cpu);
    if (post->bench_case->workload == WORKLOAD_SOLO)
        play_solo(post, post->member);
    else if (case_is_fan(post->bench_case))
        play_fan(post, post->member);
    else
        play(post, post->member);
    return NULL;
}

static void run_threads(struct post *posts, uint32_t count)
{
    pthread_t threads[CROWD_MEMBERS_MAX];

    for (uint32_t i = 0; i < count; i++) {
        int error = pthread_create(&threads[i], NULL, run_member, &posts[i]);

        if (error != 0)
            sample_fail("pthread_create: %s", strerror(error));
    }
    for (uint32_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

/* Ends only this way: what the host inherited is not the member's to clean up. */
static _Noreturn void run_process(struct post *post, pid_t host)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != host)
        _exit(1);
    run_member(post);
    _exit(0);
}

static void run_processes(struct post *posts, uint32_t count)
{
    pid_t host = getpid();

    for (uint32_t i = 0; i < count; i++) {
        pid_t pid = fork();

        if (pid == 0)
            run_process(&posts[i], host);
        if (pid < 0)
            sample_fail("fork: %s", strerror(errno));
    }
    for (uint32_t i = 0; i < count; i++) {
        int status = 0;

        if (wait(&status) < 0)
            sample_fail("wait: %s", strerror(errno));
        if (status != 0)
            sample_fail("a member died (status %d)", status); /* and the others with us */
    }
}

void crowd_host(const struct bench_case *bench_case, void *const *channels)
{
    uint32_t count = crowd_member_count(the_crowd);
    struct post posts[CROWD_MEMBERS_MAX];

    for (uint32_t i = 0; i < count; i++)
        posts[i] = (struct post){bench_case, channels, &the_crowd->members[i]};
    if (bench_case->shape.processes)
        run_processes(posts, count);
    else
        run_threads(posts, count);
}
