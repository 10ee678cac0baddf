/* SPDX-License-Identifier: MIT */
/* The same from C++. */
#include <cstdio>
#include <cstring>
#include <shmring/shmring.h>

int main()
{
    std::printf("shmring %s, C++\n", SHMRING_VERSION_STRING);
    return std::strcmp(shmring_version(), SHMRING_VERSION_STRING) != 0;
}
