/* SPDX-License-Identifier: MIT */
/* A listener, and both ends of a link, in one thread. */
#ifndef SHMRING_TESTS_FAULT_LINK_PAIR_H
#define SHMRING_TESTS_FAULT_LINK_PAIR_H

#include "scenario.h"

#include <shmring/link.h>

/* The variants of a scenario: whether it is pollable, brings its own lane, or asks who comes. */
enum { PLAIN, POLLABLE, OWNED, ASKED, HOW_MANY };

extern shmring_link link_server, link_client;

void link_pair_start(const struct scenario *scenario);   /* listens */
void link_pair_connect(const struct scenario *scenario); /* and makes both ends */
void link_pair_use(const struct scenario *scenario);     /* passes messages, and stops */
void link_pair_stop(const struct scenario *scenario);

/* What is done with a link once it is there. */
void scenarios_link_use(int how);

#endif
