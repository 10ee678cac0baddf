/* SPDX-License-Identifier: MIT */
/* Claim: ls, info and rm tell rings from what is none, whatever lies in /dev/shm, and the others
 * refuse what is none with 5 or 7. */
#include "cli_run.h"

#include "shmring/shmring.h"

static void ring_path(const char *suffix, char ret_path[256])
{
    snprintf(ret_path, 256, "/dev/shm/%s%s", getenv("N"), suffix);
}

static void lists_rings(void)
{
    printf("ls and info: a table, and JSON with a schema and numbers\n");
    cli_expect(0, NULL, "$S ls --json | grep -q '\"schema\": \"shmring.ls/1\"'");
    cli_expect(0, NULL, "$S create $N --capacity 64K && printf 'abc\\n' | $S send $N");
    cli_expect(0, NULL,
               "$S ls | head -n 1 | tr -s ' ' | grep -q "
               "'^NAME KIND CAPACITY USED SENDER RECEIVER MODE OWNER STATE$'");
    cli_expect(0, NULL,
               "$S ls | tr -s ' ' | "
               "grep -q \"^$N spsc 64K 16 - - 0600 $(id -un) idle\"");
    cli_expect(0, NULL,
               "$S ls --json | tr -d ' \\n' | grep -q \"\\\"name\\\":\\\"$N\\\",\\\"kind"
               "\\\":\\\"spsc\\\",\\\"capacity\\\":65536,\\\"used\\\":16,"
               "\\\"sender\\\":null,\"");
    cli_expect(0, NULL,
               "$S info --json $N | tr -d ' \\n' | grep -q "
               "'{\"schema\":\"shmring.info/1\",.*\"max_message\":32760,\"tail\":16,'");
    cli_expect(0, NULL, "$S info $N | grep -q '^sender state *free$'");
    cli_expect(0, NULL,
               "if command -v jq > $T/no; then $S ls --json | jq -e '.rings[] |\n"
               "  select(.name == env.N) | .capacity == 65536' > $T/no &&\n"
               "  $S info --json $N | jq -e '.rings[0].size == 77824' > $T/no; fi");
    cli_expect(0, NULL, "$S rm $N");
}

static void knows_element_rings(void)
{
    shmring_geometry geometry;
    shmring_segment segment;

    printf("a ring of elements is listed, and refused by send and recv: 7\n");
    CHECK_EQ(shmring_layout_plan(SHMRING_KIND_SPSC, 24, 1024, &geometry), 0);
    CHECK_EQ(shmring_segment_create(&segment, getenv("N"), &geometry, NULL), 0);
    CHECK_EQ(shmring_segment_publish(&segment), 0);
    shmring_segment_close(&segment);
    cli_expect(0, NULL, "$S ls | tr -s ' ' | grep -q \"^$N spsc:24 1K 0 - - 0600\"");
    cli_expect(0, NULL, "$S info $N | grep -q '^element size *24$'");
    cli_expect(7, "elements", "$S recv $N");
    cli_expect(7, "elements", "echo a | $S send $N");
    cli_expect(0, NULL, "$S rm $N");
}

static void refuses_others(const char *make, int status, const char *text)
{
    char line[512];

    cli_expect(0, NULL, make);
    snprintf(line, sizeof line, "$S recv --timeout 0 $N > $T/out");
    cli_expect(status, text, line);
    cli_expect(status, text, "$S send $N < /dev/null");
    cli_expect(status, text, "$S info $N");
    cli_expect(status, "--force", "$S rm $N");
    cli_expect(0, NULL, "test -e /dev/shm/$N || test -L /dev/shm/$N");
    cli_expect(0, NULL, "$S rm --force $N; test ! -e /dev/shm/$N");
}

static void refuses_what_is_no_ring(void)
{
    printf("no ring: 7, and rm only with --force; half made or damaged: 5\n");
    refuses_others("seq 10000 > /dev/shm/$N; chmod 600 /dev/shm/$N", 7, "not a ring");
    refuses_others("mkfifo -m 600 /dev/shm/$N", 7, "not a ring");
    refuses_others("ln -s /etc/passwd /dev/shm/$N", 7, "not a ring");
    refuses_others("umask 077; : > /dev/shm/$N", 5, "half made");
    refuses_others("umask 077; truncate -s 64K /dev/shm/$N", 5, "half made");
    refuses_others("$S create $N; truncate -s 8K /dev/shm/$N", 5, "damaged");
    refuses_others("$S create $N; truncate -s 8M /dev/shm/$N", 5, "damaged");
    refuses_others("$S create $N; printf '\\002' |\n"
                   "dd of=/dev/shm/$N bs=1 seek=8 conv=notrunc status=none",
                   7, "layout");
    refuses_others("$S create $N; printf '\\002' |\n"
                   "dd of=/dev/shm/$N bs=1 seek=41 conv=notrunc status=none",
                   5, "damaged");
    refuses_others("$S create $N; printf '\\002' |\n"
                   "dd of=/dev/shm/$N bs=1 seek=8200 conv=notrunc status=none;\n"
                   "printf '\\377' | dd of=/dev/shm/$N bs=1 seek=8198 conv=notrunc status=none",
                   5, "damaged");
}

static void lists_the_damaged(void)
{
    printf("ls shows a damaged ring as such, and leaves out what is none\n");
    cli_expect(0, NULL,
               "cd /dev/shm; seq 9 > $N.text; : > $N.empty; mkdir $N.dir; mkfifo $N.fifo\n"
               "ln -s $N.text $N.link; truncate -s 8K $N.zero; printf x > $N.one\n"
               "$S create $N.good; $S create $N.bad; truncate -s 100 $N.bad\n"
               "$S create $N.cut; truncate -s 50 $N.cut");
    cli_expect(0, NULL,
               "$S ls > $T/ls && grep -q \"^$N.bad .* damaged\" $T/ls &&\n"
               "grep -q \"^$N.cut .* damaged\" $T/ls &&\n"
               "grep -q \"^$N.good .* idle\" $T/ls\n"
               "test $(grep -c $N $T/ls) = 3");
    cli_expect(0, NULL, "$S ls --json | grep -q '\"state\": \"damaged\"'");
    cli_expect(0, NULL,
               "$S rm --force $N.bad $N.cut $N.text && $S rm $N.good\n"
               "rm -r /dev/shm/$N.*");
}

static void every_flipped_byte_is_noticed(void)
{
    char path[256];
    uint8_t byte;

    printf("each byte of the header flipped: 5 or 7, and ls goes on\n");
    cli_expect(0, NULL, "$S create --capacity 4K $N");
    ring_path("", path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0);
    for (off_t at = 0; at < (off_t)sizeof(struct shmring_header); at++) {
        CHECK_EQ(pread(fd, &byte, 1, at), 1);
        byte ^= 0xff;
        CHECK_EQ(pwrite(fd, &byte, 1, at), 1);
        int status = cli_sh("$S recv --timeout 0 $N > $T/out 2> $T/err");
        CHECK(status == 5 || status == 7);
        CHECK_EQ(cli_sh("$S ls > $T/ls"), 0);
        byte ^= 0xff;
        CHECK_EQ(pwrite(fd, &byte, 1, at), 1);
    }
    close(fd);
    cli_expect(0, NULL, "echo a | $S send $N && test $($S recv $N) = a && $S rm $N");
}

static void test(void)
{
    lists_rings();
    knows_element_rings();
    refuses_what_is_no_ring();
    lists_the_damaged();
    every_flipped_byte_is_noticed();
}

int main(void)
{
    return cli_main(test);
}
