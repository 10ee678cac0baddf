/* SPDX-License-Identifier: MIT */
/* The same from C++. */
#include <cstdio>
#include <cstring>
#include <shmring/shmring.h>

static int pass_a_message()
{
    shmring_channel_fds fds = {-1, {-1, -1}};
    shmring_sender tx;
    shmring_receiver rx;
    int sent = 42, got = 0;

    if (shmring_channel_create_fds(&fds, nullptr) != 0 ||
        shmring_sender_open_fds(&tx, &fds, nullptr) != 0 ||
        shmring_receiver_open_fds(&rx, &fds, nullptr) != 0)
        return 1;
    if (shmring_sender_send(&tx, &sent, sizeof sent, 0, SHMRING_NOW) != 0 ||
        shmring_receiver_recv(&rx, &got, sizeof got, nullptr, nullptr, SHMRING_NOW) != 0)
        return 1;
    shmring_sender_close(&tx);
    shmring_receiver_close(&rx);
    shmring_channel_close_fds(&fds);
    return got != sent;
}

int main()
{
    std::printf("shmring %s, C++\n", SHMRING_VERSION_STRING);
    return std::strcmp(shmring_version(), SHMRING_VERSION_STRING) != 0 || pass_a_message();
}
