/* SPDX-License-Identifier: MIT */
/* Claim: send and recv pass a stream with every backend, fence and policy; a timeout and a signal
 * end every wait; what belongs to a ring beside its file is shown, and goes with it. */
#include "cli_run.h"

#include <sys/sem.h>

static const char *const backends[] = {"futex", "sem", "named-sem", "sysv-sem"};
static const char *const policies[] = {"block", "spin", "adaptive"};
static const char *const kinds[] = {"spsc --capacity 4K", "mpmc --slots 16 --slot-size 64"};

enum { BACKENDS = 4, POLICIES = 3, KINDS = 2 };

static int64_t now_ms(void)
{
    struct timespec now;

    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void sleep_ms(long ms)
{
    struct timespec time = {.tv_nsec = ms * 1000000};

    nanosleep(&time, NULL);
}

static bool knows_light_fence(void)
{
    bool known = cli_sh("$S create $N --fence light 2> $T/no && $S rm $N") == 0;

    if (!known)
        printf("this kernel has no light fence: skipped\n");
    return known;
}

static void end_to_end(void)
{
    static const char *const fences[] = {"symmetric", "light"};
    int fences_count = knows_light_fence() ? 2 : 1;
    char line[1024];

    printf("each backend, fence, kind and policy: a stream arrives whole, and rm leaves nothing\n");
    cli_expect(0, NULL, "seq 1000 > $T/in");
    for (int i = 0; i < BACKENDS * KINDS * POLICIES; i++) {
        const char *policy = policies[i % POLICIES], *kind = kinds[i / POLICIES % KINDS];
        int backend = i / POLICIES / KINDS;

        snprintf(line, sizeof line,
                 "cd $T; w=%s; $S create $N --kind %s --backend %s --fence %s || exit 9\n"
                 "{ head -n 300 in; sleep 0.01; tail -n +301 in; } | $S send $N --wait $w &\n"
                 "$S recv $N --wait $w > out || exit 8\n"
                 "wait $! && cmp in out && $S rm $N && ! ls /dev/shm | grep \"$N\"",
                 policy, kind, backends[backend], fences[(i + backend) % fences_count]);
        cli_expect(0, NULL, line);
    }
}

/* The line ends with 4, not before its 150 ms, and not by hanging. */
static void expect_timeout(const char *format, const char *policy)
{
    char line[256];
    int64_t begin = now_ms();

    snprintf(line, sizeof line, format, policy);
    cli_expect(4, "timed out", line);
    int64_t took = now_ms() - begin;
    CHECK(took >= 150 && took < 10000);
}

static void timeouts(void)
{
    char line[256];

    printf("--timeout ends a wait for a message and one for room: 4\n");
    for (int i = 0; i < BACKENDS * KINDS; i++) {
        snprintf(line, sizeof line, "$S create $N --kind %s --backend %s", kinds[i % KINDS],
                 backends[i / KINDS]);
        cli_expect(0, NULL, line);
        const char *policy = policies[(i + i / KINDS) % POLICIES];
        expect_timeout("$S recv $N --timeout 150ms --wait %s > $T/out", policy);
        expect_timeout("seq 1000 | $S send $N --timeout 150ms --wait %s", policy);
        cli_expect(0, NULL, "$S rm $N");
    }
}

/* Does it sleep, as block and adaptive do, or keep a processor busy? */
static void await_policy(pid_t pid, const char *policy)
{
    char line[128];

    if (strcmp(policy, "spin") != 0) {
        snprintf(line, sizeof line, "grep -q '^State:.S' /proc/%ld/status", (long)pid);
        cli_await(line);
        return;
    }
    snprintf(line, sizeof line, "grep -q '^State:.R' /proc/%ld/status", (long)pid);
    for (int i = 0; i < 3; i++)
        cli_expect(0, NULL, line);
}

/* Starts a command that will wait for ever, and interrupts it, as soon as it has attached or once
 * it waits. Returns how long it took to end. */
static int64_t interrupt(const char *line, int number, const char *policy)
{
    char looks[128];
    int status = 0;

    pid_t pid = cli_start(line, CLI_SAME, CLI_SAME);
    snprintf(looks, sizeof looks, "$S who $N | grep -q '^ *[0-9]* *%ld .* alive '", (long)pid);
    cli_await(looks);
    if (policy != NULL)
        await_policy(pid, policy);
    int64_t begin = now_ms();
    kill(pid, number);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        CHECK(now_ms() - begin < 10000);
        sleep_ms(1);
    }
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 128 + number);
    int64_t took = now_ms() - begin;
    cli_expect(0, NULL, "test $($S who $N | wc -l) = 0");
    return took;
}

static void interrupts(void)
{
    enum { ROUNDS = BACKENDS * KINDS * POLICIES };
    char line[256];
    int slow = 0;

    printf("SIGINT and SIGTERM end each wait at once, with 130 and 143, and nobody stays behind\n");
    cli_expect(0, NULL, "seq 1000 > $T/in");
    for (int i = 0; i < ROUNDS; i++) {
        const char *policy = policies[i % POLICIES];

        snprintf(line, sizeof line, "$S create $N --kind %s --backend %s",
                 kinds[i / POLICIES % KINDS], backends[i / POLICIES / KINDS]);
        cli_expect(0, NULL, line);
        snprintf(line, sizeof line, "exec $S recv $N --wait %s > $T/out", policy);
        slow += interrupt(line, SIGINT, policy) > 900;
        slow += interrupt(line, SIGTERM, NULL) > 900;
        cli_expect(0, NULL, "test ! -s $T/out");
        snprintf(line, sizeof line, "exec $S send $N $T/in --wait %s", policy);
        slow += interrupt(line, SIGTERM, policy) > 900;
        slow += interrupt(line, SIGINT, NULL) > 900;
        cli_expect(0, NULL, "$S recv $N | head -n 1 | grep -q '^1$' && $S rm $N");
    }
    /* The signal comes again after a second, for what else missed it; and machines can be busy. */
    CHECK(slow < ROUNDS / 4);
    cli_expect(0, NULL, "! ls /dev/shm | grep \"$N\"");
}

/* The System V sets of the ring. */
static void read_sets(int ret_sets[2])
{
    char path[256];

    cli_expect(0, NULL, "$S info $N | sed -n 's/^.* semaphore  *//p' > $T/sets");
    snprintf(path, sizeof path, "%s/sets", getenv("T"));
    CHECK_EQ(sscanf(cli_read_file(path), "%d %d", &ret_sets[0], &ret_sets[1]), 2);
}

static void check_sets(const int sets[2], bool there)
{
    for (int i = 0; i < 2; i++)
        CHECK((semctl(sets[i], 0, GETVAL) >= 0) == there);
}

static void what_is_shown(void)
{
    printf("info, ls --long and ls --json show backend, fence and semaphores; ls no semaphore\n");
    cli_expect(0, NULL, "$S create $N --fence symmetric && $S info $N | tr -s ' ' > $T/info");
    cli_expect(0, NULL,
               "printf 'backend futex\\nfence symmetric\\nmessages semaphore -\\n"
               "room semaphore -\\n' > $T/want\n"
               "grep '^backend\\|^fence\\|semaphore' $T/info | cmp - $T/want && $S rm $N");
    cli_expect(0, NULL, "$S create $N --backend named-sem --kind mpmc --mode 0640");
    cli_expect(0, NULL,
               "$S info $N | tr -s ' ' | grep -q \"^messages semaphore sem.$N.messages$\" &&\n"
               "$S info $N | tr -s ' ' | grep -q \"^room semaphore sem.$N.room$\"");
    cli_expect(0, NULL, "test $(stat -c %a /dev/shm/sem.$N.room) = 640");
    cli_expect(0, NULL, "test $($S ls --all | grep -c \"$N\") = 1");
    cli_expect(0, NULL,
               "$S ls --long | tr -s ' ' | grep -q \"^$N .* idle named-sem [a-z]* sem.$N.messages "
               "sem.$N.room$\" && $S ls --long | head -n 1 | grep -q ' BACKEND  *FENCE '");
    cli_expect(0, NULL,
               "$S ls --json | tr -d ' \\n' | grep -q '\"backend\":\"named-sem\",\"fence\":\"[a-z]*"
               "\",\"messages_semaphore\":\"sem.[^\"]*.messages\",\"room_semaphore\":'");
    cli_expect(0, NULL, "$S rm $N && ! ls /dev/shm | grep \"$N\"");
    cli_expect(0, NULL,
               "n=$N.$(printf %0200d 0 | head -c $((199 - ${#N}))); test ${#n} = 200 &&\n"
               "$S create $n --backend named-sem && test $($S ls --all | grep -c \"$N\") = 1 &&\n"
               "rm /dev/shm/$n && test $($S ls --all | grep -c \"$N\") = 2 &&\n"
               "$S rm --force $n && ! ls /dev/shm | grep $n");
}

static void sysv_sets(void)
{
    int sets[2];

    printf(
        "rm removes System V sets; also of a damaged ring; a ring without them is said to be so\n");
    for (int i = 0; i < KINDS; i++) {
        char line[256];

        snprintf(line, sizeof line, "$S create $N --kind %s --backend sysv-sem", kinds[i]);
        cli_expect(0, NULL, line);
        read_sets(sets);
        check_sets(sets, true);
        cli_expect(0, NULL, "$S rm $N");
        check_sets(sets, false);

        cli_expect(0, NULL, line);
        read_sets(sets);
        cli_expect(0, NULL, "printf x | dd of=/dev/shm/$N bs=1 seek=40 conv=notrunc status=none");
        cli_expect(5, "--force", "$S rm $N");
        check_sets(sets, true);
        cli_expect(0, NULL, "$S rm --force $N");
        check_sets(sets, false);

        cli_expect(0, NULL, line);
        read_sets(sets);
        pid_t pid = cli_start("exec $S recv $N 2> $T/err", CLI_SAME, CLI_SAME);
        cli_await("$S who $N | grep -q ' consumer  *alive '");
        CHECK(semctl(sets[0], 0, IPC_RMID) == 0);
        CHECK_EQ(check_wait(pid), 5);
        cli_expect(0, NULL, "grep -q 'its semaphores were removed' $T/err");
        cli_expect(5, "its semaphores were removed", "echo a | $S send $N");
        cli_expect(5, "its semaphores were removed", "$S recv $N --timeout 10ms");
        cli_expect(0, NULL, "$S ls | grep -q \"^$N .* no-semaphore$\" && $S rm $N");
        check_sets(sets, false);
    }
}

/* Only root can remove what is another's in /dev/shm. */
static void semaphores_of_another_user(void)
{
    int sets[2];

    if (geteuid() != 0 || cli_sh("$AS_OTHER $S --help > /dev/null 2>&1") != 0)
        return;
    printf("rm by root removes the semaphores of another user's ring, too\n");
    for (int i = 0; i < KINDS; i++) {
        char line[256];

        for (int j = 2; j < BACKENDS; j++) {
            /* Another user cannot write the counters of a build for coverage, which says so. */
            snprintf(line, sizeof line,
                     "$AS_OTHER $S create $N --kind %s --backend %s 2> /dev/null", kinds[i],
                     backends[j]);
            cli_expect(0, NULL, line);
            if (strcmp(backends[j], "sysv-sem") == 0)
                read_sets(sets);
            cli_expect(6, "another user's", "$S recv $N --timeout 10ms");
            cli_expect(0, NULL, "$S rm $N && ! ls /dev/shm | grep \"$N\"");
        }
        check_sets(sets, false);
    }
}

static void named_semaphores(void)
{
    printf("rm --force removes named semaphores of a damaged ring, and of one that is gone\n");
    cli_expect(0, NULL, "$S create $N --backend named-sem && truncate -s 8K /dev/shm/$N");
    cli_expect(0, NULL, "test $($S ls --all | grep -c \"$N\") = 1"); /* they may be its own */
    cli_expect(5, "--force", "$S rm $N");
    cli_expect(0, NULL, "ls /dev/shm | grep -q \"^sem.$N.room\" && $S rm --force $N");
    cli_expect(0, NULL, "! ls /dev/shm | grep \"$N\"");

    cli_expect(0, NULL,
               "$S create $N --backend named-sem && rm /dev/shm/$N\n"
               "test $($S ls | grep -c \"$N\") = 0 && $S ls --all | tr -s ' ' > $T/ls\n"
               "grep -q \"^sem.$N.messages - - - - - 0600 .* leftover$\" $T/ls &&\n"
               "grep -q \"^sem.$N.room .* leftover$\" $T/ls");
    cli_expect(0, NULL,
               "cp /dev/shm/sem.$N.room /dev/shm/sem.$N.other\n" /* somebody else's */
               "test $($S ls --all | grep -c \"$N\") = 2");
    printf("those of a program that has something else of that name are its own\n");
    cli_expect(0, NULL,
               "echo something else > /dev/shm/$N && test $($S ls --all | grep -c \"$N\") = 0");
    cli_expect(0, NULL, "$S rm --force $N && test -e /dev/shm/sem.$N.room");
    cli_expect(3, "no such ring", "$S rm $N");
    cli_expect(0, NULL, "$S create $N && test $($S ls --all | grep -c \"$N\") = 3 && $S rm $N");
    cli_expect(0, NULL, "$S rm --force $N && ls /dev/shm | grep \"$N\" > $T/ls");
    cli_expect(0, NULL, "test $(cat $T/ls) = sem.$N.other && rm /dev/shm/sem.$N.other");
    cli_expect(3, "no such ring", "$S rm --force $N");

    printf("a ring whose semaphore is gone: 5, and ls says so\n");
    cli_expect(0, NULL, "$S create $N --backend named-sem && rm /dev/shm/sem.$N.room");
    cli_expect(5, "its semaphores were removed", "echo a | $S send $N");
    cli_expect(5, "its semaphores were removed", "$S recv $N --timeout 10ms");
    cli_expect(0, NULL, "$S ls | grep -q \"^$N .* no-semaphore$\" && $S rm $N");
    cli_expect(0, NULL, "! ls /dev/shm | grep \"$N\"");
}

static void wrong_values(void)
{
    static const char *const lines[][2] = {
        {"an eventfd has no name", "$S create $N --backend eventfd"},
        {"an eventfd has no name", "$S create $N --kind mpmc --backend eventfd"},
        {"--backend cannot be 'pipe'", "$S create $N --backend pipe"},
        {"--backend cannot be ''", "$S create $N --backend ''"},
        {"--fence cannot be 'heavy'", "$S create $N --fence heavy"},
        {"--fence cannot be ''", "$S create $N --fence ''"},
        {"--wait cannot be 'adapt'", "$S recv $N --wait adapt"},
        {"--wait cannot be ''", "$S send $N --wait ''"},
        {"no option --backend", "$S send $N --backend sem"},
        {"no option --fence", "$S recv $N --fence light"},
        {"no option --all", "$S info $N --all"},
        {"no argument belongs", "$S ls --long=yes"},
    };

    printf("wrong values: 2, and no ring\n");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        cli_expect(2, lines[i][0], lines[i][1]);
    cli_expect(0, NULL, "! ls /dev/shm | grep \"$N\"");
}

static void test(void)
{
    end_to_end();
    timeouts();
    interrupts();
    what_is_shown();
    sysv_sets();
    CHECK(setenv("AS_OTHER", "setpriv --reuid 65534 --regid 65534 --clear-groups", 1) == 0);
    semaphores_of_another_user();
    named_semaphores();
    wrong_values();
}

int main(void)
{
    return cli_main(test);
}
