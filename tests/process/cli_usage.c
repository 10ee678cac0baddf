/* SPDX-License-Identifier: MIT */
/* Claim: whatever is on the command line, the command answers with the documented exit status and
 * a sentence on standard error, and leaves nothing behind when it fails. */
#include "cli_run.h"

static void help_fits_one_screen(void)
{
    printf("-h is at most 24 lines of 80 columns, with three examples; each command has -h\n");
    cli_expect(0, NULL, "test $($S -h | wc -l) -le 24 && test $($S -h | wc -L) -le 80");
    cli_expect(0, NULL, "test $($S --help | grep -c '^  .*shmring ') -ge 3");
    cli_expect(0, NULL,
               "for c in create rm ls info who send recv serve help; do\n"
               "  $S $c -h | grep -q \"^usage: shmring $c\" || exit 1\n"
               "  $S help $c | grep -q \"^usage: shmring $c\" || exit 1\n"
               "  test $($S $c -h | wc -l) -le 24 || exit 1\n"
               "  test $($S $c -h | wc -L) -le 85 || exit 1\n"
               "done");
    cli_expect(0, NULL, "$S --version | grep -q '^shmring [0-9]'");
}

static void wrong_usage_is_2(void)
{
    static const char *const lines[][2] = {
        {"which command", "$S"},
        {"did you mean 'send'", "$S sned $N"},
        {"no command", "$S qwertyuiop"},
        {"no command ''", "$S ''"},
        {"no command", "$S help nothing"},
        {"NAME is missing", "$S create"},
        {"NAME is missing", "$S rm"},
        {"NAME is missing", "$S info"},
        {"NAME is missing", "$S send"},
        {"NAME is missing", "$S recv"},
        {"NAME is missing", "$S who"},
        {"too many arguments", "$S create $N $N"},
        {"too many arguments", "$S send $N a b"},
        {"too many arguments", "$S ls $N"},
        {"cannot name a ring", "$S create ''"},
        {"cannot name a ring", "$S create a/b"},
        {"cannot name a ring", "$S send .hidden < /dev/null"},
        {"cannot name a ring", "$S recv ../etc/passwd"},
        {"cannot name a ring", "$S info 'a b'"},
        {"cannot name a ring", "$S rm /$N"},
        {"is the file of a semaphore", "$S create sem.$N"},
        {"is the file of a semaphore", "$S rm --force sem.$N.room"},
        {"longer than 200", "$S create $(printf %0201d 0)"},
        {"no option --nothing", "$S create --nothing $N"},
        {"no option -q", "$S ls -q"},
        {"no option --json", "$S send --json $N"},
        {"needs an argument", "$S create $N --capacity"},
        {"no argument belongs", "$S ls --json=yes"},
        {"is no capacity", "$S create $N --capacity 0"},
        {"is no capacity", "$S create $N --capacity 4095"},
        {"is no capacity", "$S create $N --capacity 5000"},
        {"is no capacity", "$S create $N --capacity 2K"},
        {"is no capacity", "$S create $N --capacity 2T"},
        {"is no capacity", "$S create $N --capacity -4096"},
        {"is no capacity", "$S create $N --capacity +4096"},
        {"is no capacity", "$S create $N --capacity ' 4096'"},
        {"is no capacity", "$S create $N --capacity 4Kx"},
        {"is no capacity", "$S create $N --capacity 4Q"},
        {"is no capacity", "$S create $N --capacity ''"},
        {"is no capacity", "$S create $N --capacity 99999999999999999999"},
        {"is no capacity", "$S create $N --capacity 18014398509481988K"},
        {"--mode cannot be", "$S create $N --mode 0700"},
        {"--mode cannot be", "$S create $N --mode 1777"},
        {"--mode cannot be", "$S create $N --mode 0440"},
        {"--mode cannot be", "$S create $N --mode rw"},
        {"--timeout cannot be", "$S recv $N --timeout 5"},
        {"--timeout cannot be", "$S recv $N --timeout 5m"},
        {"--timeout cannot be", "$S recv $N --timeout -1s"},
        {"--timeout cannot be", "$S recv $N --timeout 9223372037s"},
        {"--wait cannot be", "$S recv $N --wait hard"},
        {"--framing cannot be", "$S send $N --framing csv"},
        {"--type cannot be", "$S send $N --type 4294967296"},
        {"--max-message cannot be", "$S send $N --max-message 0"},
    };

    printf("wrong usage: 2\n");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        cli_expect(2, lines[i][0], lines[i][1]);
    cli_expect(0, NULL, "! ls /dev/shm | grep -q \"$N\"");
}

static void wrong_usage_of_rings_of_many_is_2(void)
{
    static const char *const lines[][2] = {
        {"--kind cannot be", "$S create $N --kind many"},
        {"--kind cannot be", "$S create $N --kind ''"},
        {"no option --kind", "$S send $N --kind mpmc"},
        {"no option --slots", "$S recv $N --slots 4"},
        {"no option --redeliver", "$S recv $N --redeliver"},
        {"has --slots and --slot-size", "$S create $N --kind mpmc --capacity 4K"},
        {"--slots is for a ring of many: add --kind mpmc", "$S create $N --slots 4"},
        {"--slot-size is for", "$S create $N --kind spsc --slot-size 64"},
        {"--redeliver is for", "$S create $N --redeliver"},
        {"nearest are 512 and 1024", "$S create $N --kind mpmc --slots 1000"},
        {"nearest are 2 and 4", "$S create $N --kind mpmc --slots 3"},
        {"nearest is 2", "$S create $N --kind mpmc --slots 1"},
        {"nearest is 2", "$S create $N --kind mpmc --slots 0"},
        {"nearest is 1048576", "$S create $N --kind mpmc --slots 2M"},
        {"is no number of slots", "$S create $N --kind mpmc --slots -4"},
        {"is no number of slots", "$S create $N --kind mpmc --slots 4x"},
        {"is no number of slots", "$S create $N --kind mpmc --slots ''"},
        {"--slot-size cannot be '0'", "$S create $N --kind mpmc --slot-size 0"},
        {"--slot-size cannot be", "$S create $N --kind mpmc --slot-size 1025M"},
        {"--slot-size cannot be", "$S create $N --kind mpmc --slot-size big"},
        {"more than 1T", "$S create $N --kind mpmc --slots 1M --slot-size 1G"},
        {"--count cannot be '0'", "$S recv $N --count 0"},
        {"--count cannot be", "$S recv $N --count -1"},
        {"--type cannot be", "$S recv $N --type any"},
        {"--type-except cannot be", "$S recv $N --type-except -1"},
        {"--type-max cannot be", "$S recv $N --type-max 4294967296"},
        {"no argument belongs", "$S recv $N --by-priority=1"},
        {"only one of --type", "$S recv $N --type 1 --type-except 2"},
        {"only one of --type", "$S recv $N --by-priority --type-max 2"},
    };

    printf("wrong usage of what only rings of many know: 2, and what to do\n");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        cli_expect(2, lines[i][0], lines[i][1]);
    cli_expect(0, NULL, "! ls /dev/shm | grep -q \"$N\"");
}

static void wrong_usage_of_links_is_2(void)
{
    static const char *const lines[][2] = {
        {"PATH is missing", "$S serve"},
        {"too many arguments", "$S serve $T/s $T/t"},
        {"--once is not for --send", "$S serve --send --once $T/s"},
        {"--count is not for --send", "$S serve --send --count 1 $T/s"},
        {"--type is only for --send", "$S serve --type 1 $T/s"},
        {"--max-message is only for --send", "$S serve --max-message 1 $T/s"},
        {"--mode cannot be", "$S serve --mode 0777 $T/s"},
        {"power of two from 4K to 1G", "$S serve --capacity 2G $T/s"},
        {"power of two from 4K to 1G", "$S recv --link --capacity 2G $T/s"},
        {"have at most 1G", "$S send --link --capacity 2G $T/s"},
        {"--allow-uid cannot be", "$S serve --allow-uid no-such-user $T/s"},
        {"--allow-uid cannot be", "$S serve --allow-uid 4294967295 $T/s"},
        {"--allow-gid cannot be", "$S serve --allow-gid -1 $T/s"},
        {"--allow-uid is only for --link", "$S send --allow-uid 0 $N"},
        {"--client-owned is only for --link", "$S recv --client-owned $N"},
        {"--capacity is only for --link", "$S recv --capacity 4K $N"},
        {"--allow-gid is only for --link", "$S info --allow-gid 0 $N"},
        {"--no-create is not for --link", "$S send --link --no-create $T/s"},
        {"--follow is not for --link", "$S recv --link --follow $T/s"},
        {"--type is not for --link", "$S recv --link --type 1 $T/s"},
    };

    printf("wrong usage of links: 2\n");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        cli_expect(2, lines[i][0], lines[i][1]);
    cli_expect(0, NULL, "! ls $T | grep '^[st]$'");
}

static void good_values_are_taken(void)
{
    printf("sizes, durations, modes and names at their limits are taken\n");
    cli_expect(0, NULL, "$S create -- $N.a --capacity 4096 2> $T/x; test $? = 2");
    cli_expect(0, NULL,
               "$S create $N.a --capacity 4096 --mode 0640 && $S create $N.b "
               "--capacity=4k && $S create --mode 600 --capacity 1M -- $N.c");
    cli_expect(0, NULL, "$S info $N.a | grep -q '^mode  *0640$'");
    cli_expect(0, NULL, "umask 077; $S create $N.e --mode 0660; $S info $N.e | grep -q '0660$'");
    cli_expect(0, NULL,
               "n=$N.$(printf %0100d 0); n=$(echo $n$n$n | head -c 200);"
               "$S create $n && $S rm $n");
    cli_expect(0, NULL,
               "$S create $N.f --kind mpmc --slots 1M --slot-size 1 && $S create $N.g --kind mpmc\n"
               "$S create $N.h --kind=mpmc --slots 2 --slot-size 1M --redeliver --mode 0640\n"
               "$S create $N.i --kind spsc --capacity 4K");
    cli_expect(0, NULL, "$S info $N.f | grep -q '^slots  *1048576$'");
    cli_expect(0, NULL,
               "$S info $N.g | tr -s ' ' | grep -c '^slots 1024$\\|^slot size 4096$' | grep -q 2");
    cli_expect(0, NULL, "$S info --json $N.h | grep -q '\"redeliver\": *true'");
    cli_expect(0, NULL, "$S rm $N.a $N.b $N.c $N.e $N.f $N.g $N.h $N.i");
}

static void failures_have_their_status(void)
{
    printf("1 failed, 3 no such ring, 4 timeout, 6 permission\n");
    cli_expect(0, NULL, "$S create $N --capacity 4K");
    cli_expect(1, "exists already", "$S create $N");
    cli_expect(4, "timed out", "$S recv $N --timeout 20ms");
    cli_expect(4, "timed out", "$S recv $N --timeout 0 --wait spin");
    cli_expect(4, "timed out", "seq 1000 | $S send $N --timeout 20ms");
    cli_expect(4, "timed out", "seq 1000 | $S send $N --timeout 20ms --wait spin");
    cli_expect(0, NULL, "$S rm $N");
    cli_expect(3, "no such ring", "$S rm $N");
    cli_expect(3, "no such ring", "$S info $N");
    cli_expect(3, "no such ring", "$S recv $N --timeout 10ms");
    cli_expect(3, "no such ring", "$S recv $N");
    cli_expect(3, "no such ring", "$S who $N");
    cli_expect(3, "no such ring", "$S recv $N --type 1 --timeout 0");
    cli_expect(3, "no such ring", "$S send $N --no-create < /dev/null");
    cli_expect(3, "no such ring", "$S create $N && $S rm $N.no $N");
    cli_expect(3, "no such ring", "$S info $N");
    cli_expect(1, "no-file", "$S send $N $T/no-file");
    cli_expect(1, "standard input", "$S send $N.x <&-; s=$?; $S rm $N.x; exit $s");
    cli_expect(1, "Is a directory", "$S send $N.x /; s=$?; $S rm $N.x; exit $s");
    cli_expect(1, "no room", "$S create $N --capacity 1T");
    cli_expect(1, "no room", "$S send $N --capacity 512G < /dev/null");
    cli_expect(0, NULL, "! ls /dev/shm | grep -q \"$N\"");
    cli_expect(0, NULL, "$S create $N --mode 0666");
    cli_expect(6, "add --mode", "$S recv $N --timeout 0");
    cli_expect(6, "add --mode", "$S send $N < /dev/null");
    cli_expect(0, NULL, "echo a | $S send $N --mode 0666");
    cli_expect(0, NULL, "test $($S recv $N --mode 0666) = a && ln /dev/shm/$N /dev/shm/$N.x");
    cli_expect(6, "another name", "$S recv $N --mode 0666 --timeout 0");
    cli_expect(0, NULL, "$S rm $N $N.x && echo text > /dev/shm/$N && chmod 0644 /dev/shm/$N");
    cli_expect(7, "not a ring", "$S recv $N --timeout 0");
    cli_expect(7, "not a ring", "$S send $N < /dev/null");
    cli_expect(0, NULL, "$S rm --force $N");
}

static void output_that_fails_is_1(void)
{
    printf("an output that cannot be written: 1\n");
    cli_expect(0, NULL, "$S create $N");
    cli_expect(1, "No space left", "$S ls > /dev/full");
    cli_expect(1, "No space left", "$S info --json $N > /dev/full");
    cli_expect(1, "standard output", "$S ls >&-");
    cli_expect(1, "No space left", "$S -h > /dev/full");
    cli_expect(0, NULL, "$S rm $N");
}

static void test(void)
{
    help_fits_one_screen();
    wrong_usage_is_2();
    wrong_usage_of_rings_of_many_is_2();
    wrong_usage_of_links_is_2();
    good_values_are_taken();
    failures_have_their_status();
    output_that_fails_is_1();
}

int main(void)
{
    return cli_main(test);
}
