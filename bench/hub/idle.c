/* SPDX-License-Identifier: MIT */
/* What do so many channels cost that have nothing to say? */
#include "hub_bench.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static const int64_t IDLE_NS = 10000000000;

static void be_clients(struct hub_bench *bench, void *argument)
{
    const shmring_link_options options = {.size = sizeof options, .timeout_ns = IDLE_NS};
    shmring_link *links = calloc(bench->links, sizeof *links);

    (void)argument;
    if (links == NULL)
        bench_fail("memory", ENOMEM);
    for (unsigned i = 0; i < bench->links; i++)
        bench_check("connect",
                    shmring_link_connect(&links[i], bench->path, &options, SHMRING_NEVER));
    shmring_store32_release(&bench->stage->ready, 1);
    while (!bench_is_stopped(bench))
        usleep(100000);
    free(links); /* the kernel closes them */
}

static void ignore(shmring_hub *hub, const shmring_hub_event *event, void *argument)
{
    (void)hub;
    (void)event;
    (void)argument;
}

void bench_idle(struct hub_bench *bench)
{
    shmring_hub *hub = bench_open_hub(bench, (shmring_hub_options){
                                                 .channels = bench->links,
                                                 .link = {.capacity = 4096, .timeout_ns = IDLE_NS},
                                             });
    pid_t child = bench_start(bench, be_clients, NULL);
    uint32_t before = bench_probe(bench);
    int64_t begin_ns = shmring_clock();

    while (shmring_load32_acquire(&bench->stage->ready) == 0)
        shmring_hub_dispatch(hub, ignore, NULL, shmring_deadline(10000000));
    printf("%u channels joined in %.3f s\n", bench->links,
           (double)(shmring_clock() - begin_ns) * 1e-9);
    shmring_hub_dispatch(hub, ignore, NULL, shmring_deadline(100000000));
    for (unsigned sample = 0; sample < bench->samples; sample++) {
        struct usage begin = usage_now();

        shmring_hub_dispatch(hub, ignore, NULL, shmring_deadline(IDLE_NS));
        struct usage used = usage_since(&begin);

        printf("%u idle channels, %.0f s: %.3f ms of processor time, %lld context switches\n",
               bench->links, (double)IDLE_NS * 1e-9, (double)used.cpu_ns * 1e-6,
               (long long)used.switches);
    }
    bench_end(bench, child, before);
    shmring_hub_close(hub);
}
