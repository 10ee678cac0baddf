# SPDX-License-Identifier: MIT
"""The mutants of link_mutants.py: name, the test that notices, file, text that stands there once,
and text in its place."""

CLIENT, SERVER, LINK = "src/link_client.c", "src/link_server.c", "src/link.c"
LISTEN, ACCEPT = "src/link_listen.c", "src/link_accept.c"
WIRE, LANE = "src/link_wire.c", "src/lane.c"


class Mutant:
    """equivalent: why it makes no difference."""

    def __init__(self, name, test, *edit, equivalent=""):
        self.name = name
        self.test = test
        self.edits = [edit]
        self.equivalent = equivalent


MUTANTS = [
    Mutant("seal_future_write_left_out", "link_privileges", LANE,
           "F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0)", "F_SEAL_SEAL) != 0)"),
    Mutant("seal_seal_left_out", "link_privileges", LANE,
           "F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0)", "F_SEAL_FUTURE_WRITE) != 0)"),
    Mutant("seal_shrink_left_out", "link_privileges", LANE,
           "F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0", "F_ADD_SEALS, F_SEAL_GROW) != 0"),
    Mutant("seals_not_checked", "link_fds", LANE, "(has & seals) != seals", "false"),
    Mutant("size_not_checked", "link_fds", LANE, "(uint64_t)status.st_size != size ||", ""),
    Mutant("header_not_checked", "link_fds", CLIENT,
           "        error = lane_check_header(theirs, &handshake->geometry);",
           "        error = 0;"),
    Mutant("header_not_checked_by_server", "link_fds", SERVER,
           "return error != 0 ? error : lane_check_header(lane, &handshake->geometry);",
           "return error;"),
    Mutant("same_file_accepted", "link_fds", LANE,
           "return a->st_dev == b->st_dev && a->st_ino == b->st_ino;", "return false;"),
    Mutant("foreign_lane_writable", "link_privileges", LANE,
           "writes ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED", "PROT_READ, MAP_SHARED"),
    Mutant("length_not_checked", "link_bytes", WIRE,
           "length == (ssize_t)size &&", "length >= 0 &&"),
    Mutant("cut_message_accepted", "link_fds", WIRE,
           "(flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)", "true)",
           equivalent="the buffer is longer than the message, and OFFER says how many descriptors "
                      "belong to it: but for that, -EPROTO instead of -EMFILE"),
    Mutant("unwanted_descriptors_kept", "link_fds", WIRE,
           "    for (int i = 0; i < received->count; i++)\n"
           "        link_close_fd(received->fds[i]);\n", "    (void)received;\n"),
    Mutant("lingering_closed_as_it_is", "link_fds", WIRE,
           "    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);"
           " /* fails if it is no socket */\n", "    (void)none;\n"),
    Mutant("queue_left_to_the_kernel", "link_fds", LINK,
           "    return link_drain(socket);", "    return 0;"),
    Mutant("nonce_not_checked", "link_bytes", CLIENT,
           "memcmp(offer->nonce, handshake->nonce, sizeof offer->nonce) == 0", "true"),
    Mutant("session_of_ack_not_checked", "link_bytes", SERVER,
           "memcmp(ack->session, handshake->session, sizeof ack->session) == 0", "true"),
    Mutant("session_of_go_not_checked", "link_bytes", CLIENT,
           "memcmp(go.session, handshake->session, sizeof go.session) != 0", "false"),
    Mutant("reserved_bytes_not_checked", "link_bytes", CLIENT,
           "go.slot != LINK_SLOT || go.reserved0 != 0 ||", "go.slot != LINK_SLOT ||"),
    Mutant("unknown_features_accepted", "link_bytes", CLIENT,
           "(offer->features & ~handshake->features) != 0", "false"),
    Mutant("lock_of_client_not_probed", "link_fds", SERVER,
           "        shmring_member_probe(handshake->lock, SHMRING_LINK_CLIENT) != 1 ||\n", ""),
    Mutant("anybody_welcome", "link_listen", LINK, "    return welcome ? 0 : -EPERM;",
           "    return 0;"),
    Mutant("groups_not_looked_at", "link_listen", LINK, "if (own->gids[i] == peer->gid)",
           "if (own->gids[i] == (gid_t)-1)"),
    Mutant("no_deadline", "link_listen", ACCEPT, "now >= listener->pending[i].deadline)", "false)"),
    Mutant("no_grace", "link_full", ACCEPT,
           "shmring_clock() < grace_end(listener, place)", "false"),
    Mutant("place_rests_too", "link_full", ACCEPT,
           "    (void)end_rest(listener);\n    return error;", "    return error;"),
    Mutant("told_once_only", "link_listen", ACCEPT,
           "            tell_again(listener, events + i + 1, count - i - 1);\n", ""),
    Mutant("directory_not_checked", "link_listen", LISTEN,
           "        error = check_directory(listener->path);", "        error = 0;"),
    Mutant("lock_not_taken", "link_listen", LISTEN,
           "            error = shmring_member_lock(fd, 0);", "            error = 0;"),
    Mutant("child_removes_socket", "link_listen", LISTEN,
           "    if (listener->owner == getpid()) {", "    if (listener->owner != 0) {"),
    Mutant("child_ends_link", "link_death", LINK,
           "    if (link->owner == getpid()) {\n        shmring_sender_close",
           "    if (link->owner != 0) {\n        shmring_sender_close"),
]
