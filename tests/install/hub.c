/* SPDX-License-Identifier: MIT */
/* A user's program of libshmring-hub: a hub that nobody joins. */
#include <errno.h>
#include <shmring/hub.h>
#include <stdlib.h>
#include <unistd.h>

static void handle(shmring_hub *hub, const shmring_hub_event *event, void *argument)
{
    (void)hub;
    (void)event;
    (void)argument;
}

int main(void)
{
    char path[] = "/tmp/shmring-install-XXXXXX";
    shmring_hub *hub;

    if (mkdtemp(path) == NULL || chdir(path) != 0 || shmring_hub_open(&hub, "./hub", NULL) != 0)
        return 1;
    int error = shmring_hub_dispatch(hub, handle, NULL, SHMRING_NOW);

    shmring_hub_close(hub);
    rmdir(path);
    return error != -ETIMEDOUT;
}
