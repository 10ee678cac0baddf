/* SPDX-License-Identifier: MIT */
/* How long does it take to set up a link, from connect() to the first answer over its rings? */
#include "hub_bench.h"

#include <errno.h>
#include <unistd.h>

enum { ROUNDS = 200, REST_US = 1000 }; /* the other side has closed the link before by then */

static void connect_often(struct hub_bench *bench, void *argument)
{
    const shmring_link_options options = {.size = sizeof options};
    static double times[ROUNDS];

    (void)argument;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t begin = shmring_clock();
        shmring_link link;
        char byte = 0;

        bench_check("connect", shmring_link_connect(&link, bench->path, &options, SHMRING_NEVER));
        bench_check("send", shmring_sender_send(&link.sender, &byte, 1, 0, SHMRING_NEVER));
        bench_check("recv",
                    shmring_receiver_recv(&link.receiver, &byte, 1, NULL, NULL, SHMRING_NEVER));
        times[i] = (double)(shmring_clock() - begin) * 1e-3;
        shmring_link_close(&link);
        usleep(REST_US);
    }
    shmring_store64_release(&bench->stage->made, (uint64_t)(bench_median(times, ROUNDS) * 1e3));
}

static void serve_often(shmring_listener *listener)
{
    for (int i = 0; i < ROUNDS; i++) {
        shmring_link link;
        char byte;

        bench_check("accept", shmring_link_accept(listener, &link, SHMRING_NEVER));
        bench_check("recv",
                    shmring_receiver_recv(&link.receiver, &byte, 1, NULL, NULL, SHMRING_NEVER));
        bench_check("send", shmring_sender_send(&link.sender, &byte, 1, 0, SHMRING_NEVER));
        shmring_link_close(&link);
    }
}

static void take_sample(struct hub_bench *bench, uint64_t capacity, struct figure *figure)
{
    const shmring_link_options options = {.size = sizeof options, .capacity = capacity};
    shmring_listener listener;

    bench_check("listen", shmring_link_listen(&listener, bench->path, &options));
    pid_t child = bench_start(bench, connect_often, NULL);
    uint32_t before = bench_probe(bench);

    serve_often(&listener);
    enum place place = bench_end(bench, child, before);

    figure_add(figure, place, (double)shmring_load64_acquire(&bench->stage->made) * 1e-3);
    shmring_listener_close(&listener);
}

void bench_setup(struct hub_bench *bench)
{
    static struct figure figures[] = {{.name = "rings of 64 KiB, median of 200", .unit = "us"},
                                      {.name = "rings of 4 KiB, median of 200", .unit = "us"}};

    for (unsigned sample = 0; sample < bench->samples; sample++) {
        take_sample(bench, SHMRING_LINK_CAPACITY, &figures[0]);
        take_sample(bench, 4096, &figures[1]);
    }
    figure_print(figures, sizeof figures / sizeof *figures);
}
