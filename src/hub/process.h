/* SPDX-License-Identifier: MIT */
/* The process that hubs belong to: the one that opened the first. */
#ifndef SHMRING_HUB_PROCESS_H
#define SHMRING_HUB_PROCESS_H

/* Makes the calling process that one. 0; -EOWNERDEAD: it is a child of it; -ENOMEM, -EOPNOTSUPP. */
int hub_process_open(void);

/* 0, or -EOWNERDEAD in a child after fork(). */
int hub_process_check(void);

#endif
