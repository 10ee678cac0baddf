/* SPDX-License-Identifier: MIT */
/* What a child has counted is lost with _exit(), which children of tests end with: kept here. What
 * is killed loses it all the same, so tests that only kill are left out (CMakePresets.json); and so
 * are those that count calls, limit descriptors of a flood, or run as another user, who may not
 * write the counters. */
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);
void __gcov_dump(void);

_Noreturn void __wrap__exit(int status)
{
    __gcov_dump();
    __real__exit(status);
}
