/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* F_DUPFD_CLOEXEC */
#include "channel_open.h"

#include "bell_backends.h"
#include "options.h"
#include "shmring/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* To remove a ring, it need not be one that we would trust. */
enum { ALL_BITS = 0666 };

/* What is wrong with the options, whoever uses them? */
static bool are_wrong(const shmring_channel_options *own)
{
    return (unsigned)own->wait > SHMRING_WAIT_ADAPTIVE ||
           (unsigned)own->fence > SHMRING_FENCE_LIGHT ||
           (unsigned)own->backend >= SHMRING_BACKENDS || own->gather_ns < 0 ||
           own->gather_ns > SHMRING_GATHER_NS_MAX ||
           (own->gather_count == 0) != (own->gather_ns == 0);
}

static bool are_without_size(const shmring_channel_options *options)
{
    return options != NULL && options->size == 0 &&
           (options->capacity != 0 || options->wait != 0 || options->create ||
            options->segment.size != 0 || options->backend != 0 || options->fence != 0 ||
            options->gather_count != 0 || options->slot_size != 0 || options->gather_ns != 0 ||
            options->redeliver);
}

/* The caller's options in our own struct, with the defaults of that kind filled in. */
static int read_options(const shmring_channel_options *options, uint32_t kind,
                        shmring_channel_options *ret_own)
{
    int error =
        are_without_size(options) ? -EINVAL : options_read(ret_own, sizeof *ret_own, options);

    if (error != 0)
        return error;
    if (kind == SHMRING_KIND_SPSC && ret_own->capacity == 0)
        ret_own->capacity = SHMRING_CHANNEL_CAPACITY;
    if (kind == SHMRING_KIND_MPMC && ret_own->capacity == 0)
        ret_own->capacity = SHMRING_QUEUE_SLOTS;
    if (kind == SHMRING_KIND_MPMC && ret_own->slot_size == 0)
        ret_own->slot_size = SHMRING_QUEUE_SLOT_SIZE;
    return are_wrong(ret_own) ? -EINVAL : 0;
}

static int plan(const shmring_channel_options *own, uint32_t kind, shmring_geometry *ret_geometry)
{
    enum shmring_fence fence = own->fence;
    int error = shmring_layout_plan(kind, kind == SHMRING_KIND_MPMC ? own->slot_size : 0,
                                    own->capacity, ret_geometry);

    if (error != 0)
        return error;
    if (fence == SHMRING_FENCE_DEFAULT)
        fence = shmring_fence_register() == 0 ? SHMRING_FENCE_LIGHT : SHMRING_FENCE_SYMMETRIC;
    else if (fence == SHMRING_FENCE_LIGHT && (error = shmring_fence_register()) != 0)
        return error;
    if (fence == SHMRING_FENCE_LIGHT)
        ret_geometry->options |= SHMRING_OPTION_LIGHT_WAKE;
    if (kind == SHMRING_KIND_MPMC && own->redeliver)
        ret_geometry->options |= SHMRING_OPTION_REDELIVER;
    ret_geometry->options |= (uint64_t)own->backend * SHMRING_OPTION_BACKEND;
    return 0;
}

static int create(const char *name, uint32_t kind, const shmring_channel_options *options)
{
    struct open_ring ring = {.place = {.name = name, .eventfds = {-1, -1}}};
    shmring_channel_options own;
    int error = read_options(options, kind, &own);

    if (error == 0 && name == NULL)
        error = -EINVAL;
    if (error == 0)
        error = plan(&own, kind, &ring.geometry);
    if (error == 0)
        error = shmring_segment_create(&ring.segment, name, &ring.geometry, &own.segment);
    if (error != 0)
        return error;
    ring.place.backend = own.backend;
    ring.place.segment_fd = ring.segment.fd;
    error = shmring_bells_create(ring.segment.base, &ring.geometry, &ring.place);
    if (error == 0) {
        error = shmring_segment_publish(&ring.segment);
        /* Semaphores of that name are those of the ring that was faster. */
        if (error != 0 && (error != -EEXIST || own.backend != SHMRING_BACKEND_NAMED_SEM))
            shmring_bells_remove(ring.segment.base, &ring.geometry, &ring.place);
    }
    shmring_segment_close(&ring.segment);
    return error;
}

void shmring_channel_close_fds(shmring_channel_fds *fds)
{
    int *const all[] = {&fds->segment, &fds->bells[0], &fds->bells[1]};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (*all[i] >= 0)
            close(*all[i]);
        *all[i] = -1;
    }
}

static int make_eventfds(int ret_fds[2])
{
    for (int i = 0; i < 2; i++) {
        ret_fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (ret_fds[i] < 0)
            return errno == ENOSYS || errno == EPERM ? -EOPNOTSUPP : -errno;
    }
    return 0;
}

static int create_fds(shmring_channel_fds *ret_fds, uint32_t kind,
                      const shmring_channel_options *options)
{
    struct open_ring ring = {.place = {.name = NULL}};
    shmring_channel_fds fds = {-1, {-1, -1}};
    shmring_channel_options own;
    int error = read_options(options, kind, &own);

    if (error == 0)
        error = plan(&own, kind, &ring.geometry);
    if (error == 0)
        error = shmring_segment_create(&ring.segment, NULL, &ring.geometry, &own.segment);
    if (error != 0)
        return error;
    ring.place.backend = own.backend;
    if (own.backend == SHMRING_BACKEND_EVENTFD)
        error = make_eventfds(fds.bells);
    memcpy(ring.place.eventfds, fds.bells, sizeof fds.bells);
    if (error == 0)
        error = shmring_bells_create(ring.segment.base, &ring.geometry, &ring.place);
    if (error == 0) {
        fds.segment = fcntl(ring.segment.fd, F_DUPFD_CLOEXEC, 0);
        error = fds.segment < 0 ? -errno : 0;
    }
    shmring_segment_close(&ring.segment);
    if (error != 0) {
        shmring_channel_close_fds(&fds);
        return error;
    }
    *ret_fds = fds;
    return 0;
}

static int open_named(struct open_ring *ring, const char *name, uint32_t kind,
                      const shmring_channel_options *own)
{
    int error = shmring_segment_open(&ring->segment, name, &own->segment, &ring->geometry);

    if (error != -ENOENT || !own->create)
        return error;
    error = create(name, kind, own);
    if (error != 0 && error != -EEXIST) /* somebody else was faster: as good */
        return error;
    return shmring_segment_open(&ring->segment, name, &own->segment, &ring->geometry);
}

int channel_open(struct open_ring *ret_ring, const char *name, const shmring_channel_fds *fds,
                 uint32_t kind, const shmring_channel_options *options)
{
    struct open_ring ring = {.place = {.name = name, .eventfds = {-1, -1}}};
    int error = read_options(options, kind, &ring.options);

    if (error == 0 && fds != NULL)
        error = shmring_segment_open_fd(&ring.segment, fds->segment, &ring.options.segment,
                                        &ring.geometry);
    else if (error == 0)
        error = open_named(&ring, name, kind, &ring.options);
    if (error != 0)
        return error;
    if (ring.geometry.kind != kind) {
        shmring_segment_close(&ring.segment);
        return -EPROTOTYPE;
    }
    ring.place.segment_fd = ring.segment.fd;
    ring.place.backend = shmring_layout_backend(ring.geometry.options);
    if (fds != NULL)
        memcpy(ring.place.eventfds, fds->bells, sizeof fds->bells);
    *ret_ring = ring;
    return 0;
}

int channel_link_end(const shmring_spsc_side *side, int socket)
{
    uint32_t session;
    /* First: who closes the socket in good order has ended its session before that. */
    bool hung_up = bell_socket_hung_up(socket);
    int end = shmring_spsc_peer(side, &session);

    if (end == 0 || end == -ENOTCONN)
        return hung_up ? -EOWNERDEAD : 0;
    return end;
}

int shmring_channel_create(const char *name, const shmring_channel_options *options)
{
    return create(name, SHMRING_KIND_SPSC, options);
}

int shmring_channel_create_fds(shmring_channel_fds *ret_fds, const shmring_channel_options *options)
{
    return create_fds(ret_fds, SHMRING_KIND_SPSC, options);
}

int shmring_queue_create(const char *name, const shmring_channel_options *options)
{
    return create(name, SHMRING_KIND_MPMC, options);
}

int shmring_queue_create_fds(shmring_channel_fds *ret_fds, const shmring_channel_options *options)
{
    return create_fds(ret_fds, SHMRING_KIND_MPMC, options);
}

int shmring_channel_unlink(const char *name, const shmring_segment_options *options)
{
    const shmring_segment_options any = {.size = sizeof any, .mode = ALL_BITS};
    struct open_ring ring = {.place = {.name = name, .eventfds = {-1, -1}}};
    int error =
        shmring_segment_open(&ring.segment, name, options != NULL ? options : &any, &ring.geometry);

    /* It may well be a ring: without its name, nobody would find its semaphores any more. */
    if (error == -EMFILE || error == -ENFILE || error == -ENOMEM)
        return error;
    /* What cannot be opened as a ring has no bells that we could know of. */
    if (error == 0) {
        ring.place.segment_fd = ring.segment.fd;
        ring.place.backend = shmring_layout_backend(ring.geometry.options);
        shmring_bells_remove(ring.segment.base, &ring.geometry, &ring.place);
        shmring_segment_close(&ring.segment);
    }
    return shmring_segment_unlink(name);
}
