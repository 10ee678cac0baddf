/* SPDX-License-Identifier: MIT */
/* As kernel_names.h, for parts of the command: the target itself is the file that it reads and
 * writes, and knows the users. */
#ifndef SHMRING_FUZZ_CLI_NAMES_H
#define SHMRING_FUZZ_CLI_NAMES_H

#define read stream_read
#define writev stream_writev
#define poll stream_poll
#define close stream_close
#define getpwnam users_getpwnam
#define getgrnam users_getgrnam

#endif
