# SPDX-License-Identifier: MIT
"""The runs whose counts docs/verification.md gives: what each claims, and what it counts."""


class Soak:
    """program: in the build folder. arguments: with {seed} and {amount}. counts: what is counted,
    by the expression that finds its number in what the program prints. Of several such lines the
    last one says the sum. aims: what was set out to be reached, of those."""

    def __init__(self, claim, program, arguments, counts, aims=None, amount=0):
        self.claim = claim
        self.program = program
        self.arguments = arguments
        self.counts = counts
        self.aims = aims or {}
        self.amount = amount


SOAKS = {
    "crash_mpmc": Soak(
        "claim ring: what a crash leaves between any two verbs, of recovery too, can be recovered",
        "tests/crash_mpmc", "{seed} {amount}", {"crash images": r"(\d+) crash images"},
        {"crash images": 10**8}, 10**6),
    "crash_spsc": Soak(
        "SPSC ring: what a crash leaves between any two verbs can be gone on with",
        "tests/crash_spsc", "{seed} {amount}", {"crash images": r"(\d+) crash images"},
        {"crash images": 10**8}, 10**7),
    "kill_step_O2": Soak(
        "claim ring: a kill or a stop at any instruction, optimized, blocks nobody, loses nothing",
        "tests/process_kill_step_O2", "{seed} --scale {amount}",
        {"exact kills": r"(\d+) kills, \d+ stops", "stops": r"\d+ kills, (\d+) stops"},
        {"exact kills": 10**6, "stops": 10**6}, 2),
    "kill_step_O0": Soak(
        "the same, not optimized",
        "tests/process_kill_step_O0", "{seed} --scale {amount}",
        {"exact kills": r"(\d+) kills, \d+ stops", "stops": r"\d+ kills, (\d+) stops"},
        {"exact kills": 10**6, "stops": 10**6}, 1),
    "kill_pairs_O2": Soak(
        "the same if who recovers is killed, too, at any instruction, optimized",
        "tests/process_kill_pairs_O2", "{seed} --scale {amount}",
        {"pairs of kills": r"(\d+) kills, 0 stops"}, {}, 1),
    "kill_pairs_O0": Soak(
        "the same, not optimized",
        "tests/process_kill_pairs_O0", "{seed} --scale {amount}",
        {"pairs of kills": r"(\d+) kills, 0 stops"}, {}, 1),
    "kill_soak": Soak(
        "claim ring: kills at random moments block nobody, lose nothing",
        "tests/process_kill_soak", "{seed} {amount}", {"random kills": r"(\d+) kills in"},
        {"random kills": 10**7}, 250000),
    "wait_soak": Soak(
        "no wake is lost, also when the waker is killed, and with signals",
        "tests/process_wait_soak", "{seed} {amount}",
        {"sleeps": r"(\d+) sleeps ended by a wake"}, {"sleeps": 10**8}, 10**6),
    # Of a build with sanitizers: --build build/dev.
    "hostile_link": Soak(
        "a link stands any peer", "tests/hostile_link", "{seed} --scale {amount}",
        {"hostile stores": r"(\d+) hostile stores", "victim calls": r"(\d+) calls;"},
        {"victim calls": 10**8}, 150),
    "hostile_queue": Soak(
        "a queue stands any member", "tests/hostile_queue", "{seed} --scale {amount}",
        {"hostile stores": r"(\d+) hostile stores", "victim calls": r"(\d+) calls;"},
        {"hostile stores": 10**10}, 150),
    "hostile_channel": Soak(
        "a channel stands any member", "tests/hostile_channel", "{seed} --scale {amount}",
        {"hostile stores": r"(\d+) hostile stores", "victim calls": r" 0 holes\n.*\n(\d+) calls;"},
        amount=60),
    "hostile_hub": Soak(
        "a hub stands any client", "tests/hostile_hub", "{seed} --scale {amount}",
        {"hostile stores": r"(\d+) hostile stores", "victim calls": r"(\d+) calls;"}, {}, 150),
    "link_bytes": Soak(
        "a changed byte of a handshake is noticed", "tests/process_link_bytes", "--scale",
        {"handshakes": r"(\d+) handshakes with a changed byte"}),
}


# The fuzzers, by what they feed: targets of fuzz/run, and the aim in executions.
FUZZ = {
    "header, descriptor, attach, whatever they say": ("attach_spsc attach_mpmc", 10**8),
    "a ring that says anything at each load, to calls and to waits, or changes under them":
        ("hostile_spsc hostile_mpmc hostile_wait scribble", 10**8),
    "both halves of a handshake, and the link after it": ("link_server link_client", 10**8),
    "strings of calls against models": ("ops_spsc ops_array ops_mpmc", 10**8),
    "what the command reads": ("cli_framing cli_options", 0),
}
