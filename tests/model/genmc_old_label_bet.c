/* SPDX-License-Identifier: MIT */
/* Who sees a claim does not take the label of the lap before for that of the claim. */
#define SLOTS 1
#define HINT_MASK 7
#include "genmc.h"

static void *recv_and_send(void *unused)
{
    (void)unused;
    assert(recv(&c[0]) == 1);
    send(&p[0], 2);
    return NULL;
}

static void *recv_2(void *unused)
{
    (void)unused;
    uint64_t value = recv(&c[1]);

    assert(value == 0 || value == 2);
    return NULL;
}

int main(void)
{
    assert(send(&p[0], 1));
    bet_on_head(&c[1], 1);
    run(recv_and_send, recv_2, NULL);
    return 0;
}
