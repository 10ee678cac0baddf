/* SPDX-License-Identifier: MIT */
/* All is over, and one ring tells that: who sleeps comes to its end, and rings for the next. */
#include "hub.h"

static void *sleeper(void *unused)
{
    (void)unused;
    int error = shmring_hub_dispatch(&hub, stay, NULL, SHMRING_NEVER);

    assert(error == -ECANCELED);
    return NULL;
}

static void *canceller(void *unused)
{
    (void)unused;
    shmring_hub_cancel(&hub);
    return NULL;
}

int main(void)
{
    run_all(sleeper, canceller, NULL);
    assert(shmring_load32_relaxed(&news) != 0);
    return 0;
}
