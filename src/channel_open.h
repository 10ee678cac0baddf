/* SPDX-License-Identifier: MIT */
/* What channels and queues have in common before a role is taken. Private to the library. */
#ifndef SHMRING_CHANNEL_OPEN_H
#define SHMRING_CHANNEL_OPEN_H

#include "shmring/channel.h"

/* A ring that is open: its memory, its checked geometry, where its bells are, and the caller's
 * options, with the defaults filled in. */
struct open_ring {
    shmring_segment segment;
    shmring_geometry geometry;
    shmring_bell_place place;
    shmring_channel_options options;
};

/* Opens it by its name (and makes it before that, if options->create) or, if fds is not NULL, by
 * its descriptors. options may be NULL. -EINVAL: the options; -EPROTOTYPE: it is of another kind,
 * or holds elements. */
int channel_open(struct open_ring *ret_ring, const char *name, const shmring_channel_fds *fds,
                 uint32_t kind, const shmring_channel_options *options);

/* How the other side of a link has come to its end: 0, or as from shmring_spsc_peer(). A socket
 * that it has closed counts, too, for a peer may close that alone. */
int channel_link_end(const shmring_spsc_side *side, int socket);

#endif
