#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every function that the library calls can be made to fail, or cannot fail: calls.py LIBRARY

LIBRARY is libshmring.a. What it does not define itself must have a row in calls.c, or stand below.
"""
import pathlib
import re
import subprocess
import sys

# Those that cannot fail with the arguments that they get, by why.
CANNOT_FAIL = {
    "touch memory only": """memcmp memcpy memmove memset stpcpy strchr strcmp strcpy strlen strncmp
        bcmp strnlen strrchr strspn snprintf secure_getenv __errno_location __cmsg_nxthdr""",
    "have no error": "geteuid getpid sysconf",
    "have only errors of wrong arguments": "clock_gettime getrlimit sysinfo",
    "of whole mappings, which are not split": "munmap",
    "process-shared, which Linux has": "sem_init",
    "has only errors of wrong arguments, of one's own timer": "timerfd_settime",
}
SANITIZERS = re.compile(r"__(asan|msan|ubsan|tsan|sanitizer)_"
                        r"|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_")


def main():
    rows = set(re.findall(r'^    \{"(\w+)",', pathlib.Path(__file__).with_name("calls.c")
                          .read_text(encoding="utf-8"), re.M))
    listed = {name for names in CANNOT_FAIL.values() for name in names.split()}
    nm = subprocess.run(["nm", sys.argv[1]], check=True, capture_output=True, text=True).stdout
    own = set(re.findall(r" [A-TV-Za-z] (\S+)$", nm, re.M))
    called = {n for n in re.findall(r"^ +U (\S+)$", nm, re.M) if not SANITIZERS.match(n)} - own
    wrong = 0
    for names, what in ((called - rows - listed, "called, and neither in calls.c nor listed"),
                        (rows & listed, "in calls.c, and listed as what cannot fail"),
                        (rows - called, "in calls.c, and not called")):
        for name in sorted(names):
            print(f"{name}: {what}")
            wrong = 1
    print(f"{len(called)} functions are called, {len(called & rows)} are made to fail")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
