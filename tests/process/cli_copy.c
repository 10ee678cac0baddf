/* SPDX-License-Identifier: MIT */
/* Claim: what goes in comes out, bit by bit, in each framing, whichever side is there first. */
#include "cli_run.h"

static void raw_copies_files(void)
{
    printf("raw: files of 0 bytes, 1 byte, 1 MiB, either side first, both policies\n");
    cli_expect(0, NULL, "cd $T && : > f0 && printf x > f1 && head -c 1M /dev/urandom > f2");
    cli_expect(0, NULL,
               "cd $T; for f in f0 f1 f2; do for w in block spin; do\n"
               "  $S send --framing raw --wait $w $N $f &&\n"
               "  $S recv --framing raw $N > out && cmp out $f || exit 9\n"
               "  { sleep 0.02; $S send --framing raw --wait $w $N < $f; } &\n"
               "  $S recv --framing raw --wait $w $N > out && cmp out $f || exit 9\n"
               "  wait $! || exit 9\n"
               "  $S rm $N\n"
               "  $S send --framing raw --capacity 4K $N < $f &\n"
               "  $S recv --framing raw $N > out && cmp out $f || exit 9\n"
               "  wait $! || exit 9\n"
               "  $S rm $N\n"
               "done; done");
    cli_expect(0, NULL,
               "cd $T; $S create $N; $S send --framing raw --max-message 7 $N f1\n"
               "$S send --framing raw --max-message 1M $N - < f2\n"
               "cat f1 f2 > both; $S recv --framing raw $N | cmp - both && $S rm $N");
}

/* No file of that size is written: the bytes are summed as they pass. */
static void raw_copies_a_gigabyte(void)
{
    printf("raw: up to 1 GiB of real data, a tar of /usr, has the same sha256 behind the ring\n");
    cli_expect(0, NULL,
               "cd $T; mkfifo sums; sha256sum < sums > before &\n"
               "tar c -C / usr 2> tar | head -c 1G | tee sums | $S send --framing raw $N &\n"
               "$S recv --framing raw $N | sha256sum > after; wait\n"
               "$S info $N | grep '^head'; cmp before after && $S rm $N");
}

static void lines_come_back(void)
{
    printf("line: lines, the last one without a newline, empty ones, zero bytes, long ones\n");
    cli_expect(0, NULL,
               "printf 'a\\n\\nb\\000c\\nlast' | $S send $N && $S recv $N > $T/out &&\n"
               "printf 'a\\n\\nb\\000c\\nlast\\n' | cmp - $T/out");
    cli_expect(0, NULL, "cd $T; seq 300000 > l1; $S send $N < l1 & $S recv $N | cmp - $T/l1");
    cli_expect(0, NULL,
               "cd $T; head -c 1M /dev/urandom > l2; echo >> l2; $S send $N l2 &\n"
               "$S recv $N | cmp - $T/l2");
    cli_expect(0, NULL,
               "cd $T; { head -c 2097144 /dev/zero; echo; seq 9; } > l3\n"
               "dd if=l3 bs=100 status=none | $S send $N & $S recv $N | cmp - $T/l3");
    cli_expect(1, "line 3 is longer",
               "cd $T; { echo a; echo b; head -c 2097145 /dev/zero; } |\n"
               "$S send $N");
    cli_expect(0, NULL, "test \"$($S recv $N)\" = \"$(printf 'a\\nb')\"");
    cli_expect(1, "line 1 is longer", "echo abcdef | $S send $N --max-message 5");
    cli_expect(0, NULL, "echo abcde | $S send $N --max-message 5 --type 7");
    cli_expect(0, NULL, "test $($S recv $N) = abcde");
    cli_expect(1, "at most 2097144",
               "$S send $N --max-message 2M < /dev/null; s=$?\n"
               "$S recv $N; exit $s");
    cli_expect(0, NULL, "$S rm $N");
}

static void lengths_come_back(void)
{
    printf("len32: the same bytes again; an end in the middle of a message fails\n");
    cli_expect(0, NULL,
               "cd $T; { seq 10000; head -c 200000 /dev/urandom; } > in\n"
               "$S send $N in & $S recv $N > lines || exit 9\n"
               "$S send $N in & $S recv --framing len32 $N > framed || exit 9\n"
               "$S send --framing len32 $N framed &\n"
               "$S recv --framing len32 $N | cmp - framed || exit 9\n"
               "$S send --framing len32 $N < framed & $S recv $N | cmp - lines");
    cli_expect(0, NULL,
               "printf '\\003\\000\\000\\000a\\nb\\000\\000\\000\\000' > $T/two\n"
               "$S send --framing len32 $N $T/two && $S recv $N > $T/out\n"
               "printf 'a\\nb\\n\\n' | cmp - $T/out");
    for (int bytes = 1; bytes < 7; bytes++) {
        char line[256];

        snprintf(line, sizeof line,
                 "head -c %d $T/two | $S send --framing len32 $N; s=$?\n"
                 "$S recv $N > $T/out; test -s $T/out && exit 9; exit $s",
                 bytes);
        cli_expect(1, "in the middle of message 1", line);
    }
    cli_expect(1, "message 1 is longer",
               "printf '\\377\\377\\377\\377' |\n"
               "$S send --framing len32 $N");
    cli_expect(0, NULL, "$S recv $N && $S rm $N");
}

static void senders_follow_each_other(void)
{
    printf("two sends before one recv are one stream; a recv takes each end once\n");
    cli_expect(0, NULL, "echo a | $S send $N && echo b | $S send $N");
    cli_expect(0, NULL, "test \"$($S recv $N)\" = \"$(printf 'a\\nb')\"");
    cli_expect(4, "timed out", "$S recv $N --timeout 10ms");
    cli_expect(0, NULL, ": | $S send $N && $S recv $N | cmp - /dev/null && $S rm $N");
}

static void nothing_is_lost_on_the_way_out(void)
{
    printf("a message that could not be written stays: /dev/full, closed, broken pipe, limit\n");
    cli_expect(0, NULL, "seq -f line-%05g 1000 > $T/in && $S send $N $T/in");
    cli_expect(1, "No space left", "$S recv $N > /dev/full");
    cli_expect(1, "standard output", "$S recv $N >&-");

    char path[256];
    int pipes[2];
    CHECK(pipe2(pipes, O_CLOEXEC) == 0);
    close(pipes[0]);
    CHECK_EQ(check_wait(cli_start("$S recv $N 2> $T/quiet", CLI_SAME, pipes[1])), 1);
    close(pipes[1]);
    snprintf(path, sizeof path, "%s/quiet", getenv("T"));
    CHECK_EQ(*cli_read_file(path), 0);

    printf("after a write in part, the next recv begins with the message that was cut\n");
    cli_expect(1, "File too large", "ulimit -f 1; $S recv $N > $T/out");
    cli_expect(0, NULL,
               "cd $T; test $(wc -c < out) = 512; sed '$d' out > whole\n"
               "$S recv $N >> whole && cmp whole in && $S rm $N");
}

static void test(void)
{
    raw_copies_files();
    raw_copies_a_gigabyte();
    lines_come_back();
    lengths_come_back();
    senders_follow_each_other();
    nothing_is_lost_on_the_way_out();
}

int main(void)
{
    return cli_main(test);
}
