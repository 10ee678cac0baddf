/* SPDX-License-Identifier: MIT */
/*
 * A kernel for one process: one object that rings lie in, descriptors with their locks, pages, a
 * clock, and sleeps that end at once. Nothing of it calls the real one, so a target can do much in
 * little time, and the same each time. By choice of the target it refuses what the real one may
 * refuse, wakes for nothing, and interrupts.
 */
#ifndef SHMRING_FUZZ_KERNEL_H
#define SHMRING_FUZZ_KERNEL_H

#include "region.h"

/*
 * A new run: no descriptors but *ret_fd, of the object; no locks. header: what is read of it, as it
 * is not mapped (region_hide_header()); NULL: nothing is. choice: 0 to 7 for each call, 0: it
 * works, and a sleep lasts for as long as it may; NULL: always 0.
 */
void kernel_begin(const fuzz_region *object, const void *header, uint8_t (*choice)(void),
                  int *ret_fd);

/* Another descriptor of the same kind; of nothing, but that it can be closed, written and read. */
int kernel_eventfd(void);

/* A process dies that had this lock, and this page (or NULL): they are gone, and nobody was told.
 */
void kernel_die(int fd, void *page);

/* Another process locks that byte: of all objects, from now on. */
void kernel_lock_elsewhere(uint32_t byte);

/* What its clock says, without moving it. */
int64_t kernel_now(void);

/* Descriptors and pages that are in use. */
int kernel_descriptors(void);
int kernel_pages(void);

#endif
