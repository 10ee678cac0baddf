/* SPDX-License-Identifier: MIT */
/* A user's program: compiles against what was installed, links it, runs it. */
#include <shmring/shmring.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    printf("shmring %s\n", SHMRING_VERSION_STRING);
    return strcmp(shmring_version(), SHMRING_VERSION_STRING) != 0;
}
