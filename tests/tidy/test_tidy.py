#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each rule of tidy.py must report its bad snippet, and nothing in a good tree."""
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import tidy  # noqa: E402

C = "/* SPDX-License-Identifier: MIT */\n"
HASH = "# SPDX-License-Identifier: MIT\n"
SPSC = "include/shmring/spsc.h"
TABLE = C + """/*
 *   [spsc.A] load head acquire    [spsc.B] store head release
 */
"""
GET = """inline int shmring_spsc_get(const int *word)
{
    /* [spsc.A] pairs with [spsc.B] */
    return shmring_load_acquire(word);
}
"""
PUT = """inline void shmring_spsc_put(int *word)
{
    /* relaxed: ours alone. */
    int value = shmring_load_relaxed(word);
    /* Why, at some length,
     * over several lines,
     * as one does: [spsc.B] pairs
     * with [spsc.A] */
    shmring_store_release(word, value);
}
"""
GOOD = {
    "CMakeLists.txt": HASH,
    "include/shmring/atomic.h": C + """#define SHMRING_ATOMIC(type) _Atomic(type)
int shmring_load_relaxed(const int *word);
int shmring_load_acquire(const int *word);
void shmring_store_release(int *word, int value);
void shmring_fence_seq_cst(void);
""",
    "include/shmring/layout.h": C + '#include "shmring/atomic.h"\n',
    "include/shmring/wait.h": C + "/* Returns 0, -EPIPE or -EINTR. */\n",
    SPSC: TABLE + '#include "shmring/layout.h"\n' + GET + PUT,
    "src/error.c": C + 'text(-EPIPE, "its end"), text(-EINTR, "a signal");\n',
    "src/inline.c": C + "extern inline int shmring_load_acquire(const int *word);\n",
    "src/spsc.c": C + """#include "shmring/spsc.h"
/* volatile in a comment, and a verb of another unit that only sounds like an order */
const char *text = "atomic_load(x) volatile";
void give(void *c)
{
    shmring_spsc_release(c);
}
""",
    "src/cli/main.c": C + """#include "cli.h"
static volatile sig_atomic_t stopped;
struct __attribute__((packed)) {
    int raw;
} options;
int raw = options.raw;
""",
    "src/cli/cli.h": C + "#include <shmring/spsc.h>\n",
    "include/shmring/hub.h": C + '#include "shmring/spsc.h"\n',
    "src/hub/hub.c": C + '#include "parts.h"\n#include "shmring/hub.h"\n',
    "src/hub/parts.h": C + "#include <shmring/layout.h>\n",
    "tests/check.h": C + "#define CHECK(x) ((void)(x))\n#define SKIP(why) ((void)(why))\n",
    "tests/process/kill.c": C + '#include "check.h"\n#include "shmring/spsc.h"\n',
    "bench/run": "#!/usr/bin/env bash\n" + HASH,
    "fuzz/cli_options.c": C + '#include "cli.h"\n',
}
LONG_FUNCTION = "void f(void)\n{\n" + "    g();\n" * 61 + "}\n"
MARKERS = ["TO" "DO", "FIX" "ME", "XX" "X"]

# name: (file, text that is added to it, what the finding must say)
ADDED = {
    "tab": (SPSC, "\tint x;\n", "tab or trailing blank"),
    "trailing": (SPSC, "int x; \n", "tab or trailing blank"),
    "columns": ("bench/run", "x" * 101 + "\n", "longer than 100 columns"),
    "file length": (SPSC, "\n" * 400, "more than 400"),
    "function length": ("tests/process/kill.c", LONG_FUNCTION, "function of 61 lines"),
    "brace": ("src/cli/main.c", "int f(void) {\n    return 0;\n}\n", "alone in column 0"),
    "macro in src": ("src/spsc.c", "#define MIN(a, b) 0\n", "function-like macro MIN"),
    "macro in bench": ("bench/a.h", C + "#define MIN(a, b) 0\n", "function-like macro MIN"),
    "macro in check.h": ("tests/check.h", "#define MIN(a, b) 0\n", "function-like macro MIN"),
    "builtin": ("src/spsc.c", "int x = __atomic_load_n(p, 0);\n", "__atomic_load_n: use a verb"),
    "order": ("src/spsc.c", "int x = memory_order_relaxed;\n", "memory_order_relaxed: use a verb"),
    "sync": ("src/cli/main.c", "void f() { __sync_synchronize(); }\n", "__sync_synchronize: use"),
    "atomic call": (SPSC, "int x = atomic_load(p);\n", "use a verb"),
    "raw": ("src/spsc.c", "int x = word->raw;\n", "->raw: use a verb"),
    "volatile": ("src/spsc.c", "volatile int x;\n", "volatile: use a shmring_word"),
    "untagged": ("src/spsc.c", "int x = shmring_load_acquire(p);\n", "name the partner"),
    "untagged fence": ("src/spsc.c", "shmring_fence_seq_cst();\n", "name the partner"),
    "tag of the neighbour": (
        SPSC, "/* [spsc.A] pairs with [spsc.B] */\nint x = shmring_load_acquire(p);\n"
        "int y = shmring_load_acquire(p);\n", "name the partner"),
    "relaxed": ("src/spsc.c", "int x = shmring_load_relaxed(p);\n", "why that is enough"),
    "relaxed, far": (
        "src/spsc.c", "/* relaxed: ours */\n\n\n\n\nint x = shmring_load_relaxed(p);\n",
        "why that is enough"),
    "partner nowhere": (
        "src/spsc.c", "/* [spsc.A] pairs with [spsc.Z] */\nint x = shmring_load_acquire(p);\n",
        "[spsc.A] pairs with [spsc.Z], which stands at no site"),
    "one-sided": (
        "src/spsc.c", "/* [spsc.B] pairs with [spsc.B] */\nint x = shmring_load_acquire(p);\n"
        "/* [spsc.A] pairs with [spsc.A] */\nint y = shmring_load_acquire(p);\n"
        "/* [spsc.C] pairs with [spsc.A] */\nint z = shmring_load_acquire(p);\n",
        "[spsc.C] pairs with [spsc.A], which does not name [spsc.C] back"),
    "not in the table": (
        "src/spsc.c", "/* [spsc.C] pairs with [spsc.C] */\nint x = shmring_load_acquire(p);\n",
        "[spsc.C] is in no table"),
    "layer, header": (SPSC, '#include "shmring/wait.h"\n', "may not include shmring/wait.h"),
    "layer, source": ("src/spsc.c", "#include <shmring/wait.h>\n", "only: atomic, layout, member"),
    "layer, atomic": ("include/shmring/atomic.h", '#include "shmring/layout.h"\n', "none of ours"),
    "layer, new unit": ("include/shmring/broadcast.h", C + '#include "shmring/atomic.h"\n',
                        "broadcast.h has no layer"),
    "private header": ("src/spsc.c", '#include "util.h"\n', "add it to PRIVATE"),
    "no such header": ("tests/process/kill.c", "#include <shmring/secret.h>\n", "no public header"),
    "error without a text": (SPSC, "/* or -EPERM */\n", "-EPERM has no text"),
    "text without an error": ("src/error.c", 'text(-EXDEV, "");\n', "-EXDEV is documented in no"),
    "foreign header": ("bench/main.c", C + '#include "../tests/check.h"\n', "is not under bench"),
    "layer, apart": (SPSC, '#include "shmring/hub.h"\n', "may not include shmring/hub.h"),
    "layer, of apart": ("src/hub/hub.c", '#include "shmring/queue.h"\n', "may not include"),
    "foreign header, apart": ("src/hub/hub.c", '#include "../cli/cli.h"\n', "under src/hub"),
    "foreign header, fuzz": ("fuzz/hostile.c", C + '#include "cli.h"\n', "is not under fuzz"),
    "foreign header, cli": ("src/cli/main.c", '#include "../../tests/check.h"\n', "under src/cli"),
}
ADDED.update({f"marker {m}": ("CMakeLists.txt", f"# {m} later\n", f"{m}: do it") for m in MARKERS})

# name: (file, its new text, what the finding must say)
REPLACED = {
    "SPDX in C": ("src/spsc.c", "int x;\n", "line 1 must be: /* SPDX"),
    "SPDX in CMake": ("CMakeLists.txt", "project(x)\n", "line 1 must be: # SPDX"),
    "SPDX in a script": ("bench/run", "#!/usr/bin/env bash\nset -e\n", "line 2 must be: # SPDX"),
    "SPDX in an empty file": ("src/spsc.c", "", "line 1 must be"),
    "table without site": (SPSC, TABLE + GET, "the table names [spsc.B], but no site"),
    "other end dropped": (SPSC, TABLE + GET, "[spsc.B], which stands at no site"),
}


class TidyTest(unittest.TestCase):
    def findings(self, changes=None):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory).resolve()
            for name, text in {**GOOD, **(changes or {})}.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            checked = tidy.Tidy(root)
            checked.run()
            self.pairs = checked.pairs
            return [f"{name}:{line}: {message}" for name, line, message in checked.findings]

    def expect(self, file, text, message):
        findings = self.findings({file: text})
        self.assertTrue(any(message in f and f.startswith(file) for f in findings),
                        f"{message!r} not among {findings}")

    def test_good_tree(self):
        self.assertEqual(self.findings(), [])
        self.assertEqual(sorted(self.pairs), ["spsc.A", "spsc.B"])

    def test_added(self):
        for name, (file, text, message) in ADDED.items():
            with self.subTest(name):
                self.expect(file, GOOD.get(file, "") + text, message)

    def test_replaced(self):
        for name, (file, text, message) in REPLACED.items():
            with self.subTest(name):
                self.expect(file, text, message)


if __name__ == "__main__":
    unittest.main()
