/* SPDX-License-Identifier: MIT */
/* Segments and members, without a ring in them. */
#include "../check.h"

#include "scenario.h"

#include <string.h>
#include <sys/mman.h>

static const int create_errors[] = {EINVAL,     ENAMETOOLONG, EEXIST,  ENOSPC, EFBIG,  EPERM,
                                    EACCES,     EMFILE,       ENFILE,  ENOMEM, ENOENT, EROFS,
                                    EOPNOTSUPP, EDQUOT,       EBADMSG, 0};
static const int publish_errors[] = {EEXIST, EACCES, EDQUOT, ENOENT, ENOMEM,
                                     ENOSPC, EPERM,  EROFS,  0};
static const int open_errors[] = {EINVAL, ENAMETOOLONG, ENOENT,          EPERM,  EACCES, EPROTO,
                                  EAGAIN, EBADMSG,      EPROTONOSUPPORT, ENOSPC, EMFILE, ENFILE,
                                  ENOMEM, EROFS,        EBADF,           0};
static const int unlink_errors[] = {ENOENT, EACCES, EPERM, EBUSY, ENOMEM, EROFS, 0};
static const int join_errors[] = {EBUSY,  EOPNOTSUPP, EBADF,  EACCES, EMFILE, ENFILE,
                                  ENOMEM, ENOLCK,     EUSERS, ENOENT, 0};
static const int no_errors[] = {0};

enum { PLAIN, NAMELESS, WISHES };

static char name[64];
static shmring_geometry geometry;
static shmring_segment made, opened;

static shmring_segment_options options_of(const struct scenario *scenario)
{
    shmring_segment_options options = {.size = sizeof options};

    if (scenario->variant != WISHES)
        return options;
    options.set_group = true;
    options.group = getegid();
    options.memory = SHMRING_MEMORY_HUGE | SHMRING_MEMORY_LOCK | SHMRING_MEMORY_NUMA;
    return options;
}

static const char *name_of(const struct scenario *scenario)
{
    return scenario->variant == NAMELESS ? NULL : name;
}

static void plan_ring(const struct scenario *scenario)
{
    /* Huge pages are wished for where there is a whole one. */
    const uint64_t capacity = scenario->variant == WISHES ? (uint64_t)2 << 20 : 4096;

    CHECK_EQ(shmring_layout_plan(SHMRING_KIND_SPSC, 0, capacity, &geometry), 0);
}

static int create(const struct scenario *scenario)
{
    shmring_segment_options options = options_of(scenario);

    scenario_mark(&made, sizeof made);
    fault_arm();
    int error = shmring_segment_create(&made, name_of(scenario), &geometry, &options);

    fault_disarm();
    if (error != 0) {
        scenario_check_marked(&made, sizeof made);
        memset(&made, 0, sizeof made);
    }
    return error;
}

static void remove_all(const struct scenario *scenario)
{
    (void)scenario;
    shmring_segment_close(&opened);
    shmring_segment_close(&made);
    shmring_segment_unlink(name);
}

static void make(const struct scenario *scenario)
{
    shmring_segment_options options = options_of(scenario);

    plan_ring(scenario);
    CHECK_EQ(shmring_segment_create(&made, name_of(scenario), &geometry, &options), 0);
}

static void make_published(const struct scenario *scenario)
{
    make(scenario);
    CHECK_EQ(shmring_segment_publish(&made), 0);
}

static int publish(const struct scenario *scenario)
{
    (void)scenario;
    fault_arm();
    int error = shmring_segment_publish(&made);

    fault_disarm();
    return error;
}

static int open_segment(const struct scenario *scenario)
{
    shmring_segment_options options = options_of(scenario);
    shmring_geometry found;
    int error;

    scenario_mark(&opened, sizeof opened);
    scenario_mark(&found, sizeof found);
    fault_arm();
    if (scenario->variant == NAMELESS)
        error = shmring_segment_open_fd(&opened, made.fd, &options, &found);
    else
        error = shmring_segment_open(&opened, name, &options, &found);
    fault_disarm();
    if (error != 0) {
        scenario_check_marked(&opened, sizeof opened);
        scenario_check_marked(&found, sizeof found);
        memset(&opened, 0, sizeof opened);
    }
    return error;
}

static int unlink_segment(const struct scenario *scenario)
{
    (void)scenario;
    fault_arm();
    int error = shmring_segment_unlink(name);

    fault_disarm();
    return error;
}

static int close_segment(const struct scenario *scenario)
{
    (void)scenario;
    errno = ERANGE;
    fault_arm();
    shmring_segment_close(&made);
    fault_disarm();
    CHECK_EQ(errno, ERANGE);
    return 0;
}

/* Members. One of them is dead: its descriptor was closed behind its back. */
static struct shmring_member_record records[SHMRING_MEMBER_RECORDS];
static shmring_member dead, member;
static int memory_fd;

static void make_members(const struct scenario *scenario)
{
    (void)scenario;
    memset(records, 0, sizeof records);
    memory_fd = memfd_create("shmring", MFD_CLOEXEC);
    CHECK(memory_fd >= 0);
    CHECK_EQ(shmring_member_enroll(&dead, memory_fd, records, SHMRING_ROLE_PRODUCER), 0);
    CHECK_EQ(close(dead.fd), 0);
}

static int enroll(const struct scenario *scenario)
{
    (void)scenario;
    scenario_mark(&member, sizeof member);
    fault_arm();
    int error = shmring_member_enroll(&member, memory_fd, records, SHMRING_ROLE_CONSUMER);

    fault_disarm();
    if (error != 0) {
        scenario_check_marked(&member, sizeof member);
        memset(&member, 0, sizeof member);
    }
    return error;
}

static int seize(const struct scenario *scenario)
{
    uint32_t id = 0;

    (void)scenario;
    fault_arm();
    int lock_fd = shmring_member_seize(memory_fd, records, &id);

    fault_disarm();
    if (lock_fd < 0) {
        CHECK_EQ(id, 0);
        return lock_fd;
    }
    CHECK_EQ(id, 1);
    fault_arm();
    shmring_member_bury(records, id, lock_fd);
    fault_disarm();
    return 0;
}

static void make_and_enroll(const struct scenario *scenario)
{
    make_members(scenario);
    CHECK_EQ(shmring_member_enroll(&member, memory_fd, records, SHMRING_ROLE_CONSUMER), 0);
}

static int resign(const struct scenario *scenario)
{
    (void)scenario;
    fault_arm();
    shmring_member_resign(&member);
    fault_disarm();
    return 0;
}

static void remove_members(const struct scenario *scenario)
{
    (void)scenario;
    shmring_member_resign(&member);
    dead.fd = -1;
    shmring_member_resign(&dead);
    CHECK_EQ(close(memory_fd), 0);
}

void scenarios_segment(void)
{
    snprintf(name, sizeof name, "shmring-test-%d-segment", (int)getpid());
    for (int variant = PLAIN; variant <= WISHES; variant++) {
        scenario_try(&(struct scenario){.name = "create",
                                        .act = create,
                                        .prepare = plan_ring,
                                        .clean = remove_all,
                                        .errors = create_errors,
                                        .variant = variant});
        scenario_try(&(struct scenario){.name = "publish",
                                        .act = publish,
                                        .prepare = make,
                                        .clean = remove_all,
                                        .errors = publish_errors,
                                        .variant = variant});
        scenario_try(&(struct scenario){.name = "open",
                                        .act = open_segment,
                                        .prepare = make_published,
                                        .clean = remove_all,
                                        .errors = open_errors,
                                        .variant = variant});
        scenario_try(&(struct scenario){.name = "close",
                                        .act = close_segment,
                                        .prepare = make_published,
                                        .clean = remove_all,
                                        .errors = no_errors,
                                        .variant = variant});
    }
    scenario_try(&(struct scenario){.name = "unlink",
                                    .act = unlink_segment,
                                    .prepare = make_published,
                                    .clean = remove_all,
                                    .errors = unlink_errors});
    scenario_try(&(struct scenario){.name = "enroll",
                                    .act = enroll,
                                    .prepare = make_members,
                                    .clean = remove_members,
                                    .errors = join_errors});
    scenario_try(&(struct scenario){.name = "seize",
                                    .act = seize,
                                    .prepare = make_members,
                                    .clean = remove_members,
                                    .errors = join_errors});
    scenario_try(&(struct scenario){.name = "resign",
                                    .act = resign,
                                    .prepare = make_and_enroll,
                                    .clean = remove_members,
                                    .errors = no_errors});
}
