/* SPDX-License-Identifier: MIT */
/* What the errors of this library mean to who uses a ring. */
#ifndef SHMRING_ERROR_H
#define SHMRING_ERROR_H

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/*
 * A short text for an error (-errno) that a call of this library documents, such as "the other side
 * died" for -EOWNERDEAD; without a capital letter or a full stop. 0 is "no error", any other number
 * "unknown error". Never NULL; the text is constant and must not be freed. Thread-safe,
 * async-signal-safe; leaves errno alone.
 */
const char *shmring_error_text(int error);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif
