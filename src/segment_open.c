/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* F_GET_SEALS */
#include "segment_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MODE_BITS = 07777,
    OPEN_MODE = 0660,
};

/* Is what name led to a file that we may trust with that owner and mode? */
static int check_object(const struct stat *status, const shmring_segment_options *own)
{
    mode_t allowed = own->mode != 0 ? own->mode : OPEN_MODE;

    if (!S_ISREG(status->st_mode))
        return -EPROTO;
    if (status->st_uid != geteuid() && !(own->set_owner && status->st_uid == own->owner))
        return -EPERM;
    if ((status->st_mode & MODE_BITS & ~allowed) != 0 || status->st_nlink > 1)
        return -EPERM;
    return status->st_nlink == 0 ? -ENOENT : 0;
}

/* Reads the header through the file, which cannot fault, however short the file is. */
static int check_header(int fd, off_t size, shmring_geometry *ret_geometry)
{
    struct shmring_header header;
    ssize_t got = pread(fd, &header, sizeof header, 0);

    if (got < 0 || ((size_t)got < sizeof header && got != 0))
        return -EBADMSG;
    return shmring_layout_check(&header, got == 0 ? 0 : (size_t)size, ret_geometry);
}

/* Can nobody cut it short, or add to it? Files that know no seals cannot promise that. */
static bool is_sealed(int fd)
{
    const int needed = F_SEAL_SHRINK | F_SEAL_GROW;
    int seals = fcntl(fd, F_GET_SEALS);

    return seals >= 0 && (seals & needed) == needed;
}

/* The second half of opening: what segment->fd leads to was found good, but for its header. */
static int open_rest(shmring_segment *segment, const struct stat *status,
                     const shmring_segment_options *own, shmring_geometry *ret_geometry)
{
    int error = check_header(segment->fd, status->st_size, ret_geometry);

    if (error == 0 && ret_geometry->kind == SHMRING_KIND_LANE)
        error = -EPROTO;
    if (error != 0)
        return error;
    segment->size = (size_t)ret_geometry->total_size;
    error =
        segment_map(segment->fd, segment->size, (own->memory & SHMRING_MEMORY_HUGE) != 0, segment);
    if (error == 0)
        error = segment_populate(segment);
    if (error == 0)
        segment_improve(segment, own->memory);
    return error;
}

int shmring_segment_open(shmring_segment *ret_segment, const char *name,
                         const shmring_segment_options *options, shmring_geometry *ret_geometry)
{
    shmring_segment segment = {0};
    shmring_segment_options own;
    shmring_geometry geometry;
    struct stat status;
    char path[PATH_MAX];
    int error = segment_read_options(options, &own);

    if (error == 0)
        error = shmring_segment_check_name(name);
    if (error != 0)
        return error;
    segment_path(name, path);
    segment.fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (segment.fd < 0) /* a symbolic link, a directory, a socket or a device: no ring */
        return errno == ELOOP || errno == EISDIR || errno == ENXIO ? -EPROTO : -errno;
    error = fstat(segment.fd, &status) != 0 ? -errno : check_object(&status, &own);
    if (error == 0)
        error = open_rest(&segment, &status, &own, &geometry);
    if (error != 0) {
        segment_discard(&segment);
        return error;
    }
    *ret_segment = segment;
    if (ret_geometry != NULL)
        *ret_geometry = geometry;
    return 0;
}

int shmring_segment_open_fd(shmring_segment *ret_segment, int fd,
                            const shmring_segment_options *options, shmring_geometry *ret_geometry)
{
    shmring_segment segment = {0};
    shmring_segment_options own;
    shmring_geometry geometry;
    struct stat status;
    int error = segment_read_options(options, &own);

    if (error != 0)
        return error;
    segment.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (segment.fd < 0)
        return -errno;
    if (fstat(segment.fd, &status) != 0)
        error = -errno;
    else if (!S_ISREG(status.st_mode))
        error = -EPROTO;
    else if (!is_sealed(segment.fd))
        error = -EPERM;
    if (error == 0)
        error = open_rest(&segment, &status, &own, &geometry);
    if (error != 0) {
        segment_discard(&segment);
        return error;
    }
    *ret_segment = segment;
    if (ret_geometry != NULL)
        *ret_geometry = geometry;
    return 0;
}
