/* SPDX-License-Identifier: MIT */
/*
 * Included before all else where sources of the library are compiled for targets with a kernel of
 * their own (kernel.h): what these call, kernel.c defines, and the system's headers declare it
 * under the new name. No header may come before this one.
 */
#ifndef SHMRING_FUZZ_KERNEL_NAMES_H
#define SHMRING_FUZZ_KERNEL_NAMES_H

#define getpid kernel_getpid
#define open kernel_open
#define close kernel_close
#define fcntl kernel_fcntl
#define fstat kernel_fstat
#define pread kernel_pread
#define read kernel_read
#define write kernel_write
#define preadv2 kernel_preadv2
#define mmap kernel_mmap
#define munmap kernel_munmap
#define madvise kernel_madvise
#define poll kernel_poll
#define ppoll kernel_ppoll
#define clock_gettime kernel_clock_gettime
#define nanosleep kernel_nanosleep
#define syscall kernel_syscall
#define sem_getvalue kernel_sem_getvalue
#define sem_post kernel_sem_post
#define sem_trywait kernel_sem_trywait
#define sem_clockwait kernel_sem_clockwait
#define semctl kernel_semctl
#define semtimedop kernel_semtimedop
#define geteuid kernel_geteuid
#define memfd_create kernel_memfd_create
#define ftruncate kernel_ftruncate
#define fallocate kernel_fallocate
#define fchmod kernel_fchmod
#define fstatfs kernel_fstatfs
#define pwrite kernel_pwrite
#define getrandom kernel_getrandom
#define getsockopt kernel_getsockopt
#define setsockopt kernel_setsockopt
#define sendmsg kernel_sendmsg
#define recvmsg kernel_recvmsg
#define send kernel_send
#define recv kernel_recv

#endif
