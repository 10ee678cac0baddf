/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include <inttypes.h>
#include <stdio.h>

enum { COLUMNS = 7 };

static int start(struct cli_table *table, bool json)
{
    static const struct cli_column columns[COLUMNS] = {
        {"ID", CLI_NUMBER, 0},      {"PID", CLI_NUMBER, 0},     {"ROLE", CLI_TEXT, 0},
        {"STATE", CLI_TEXT, 0},     {"WRITING", CLI_NUMBER, 0}, {"READING", CLI_NUMBER, 0},
        {"HELD_NS", CLI_NUMBER, 0},
    };
    int status = cli_table_start(table, "members", json);

    for (int i = 0; i < COLUMNS && status == CLI_OK; i++) {
        bool last = i == COLUMNS - 1;
        status =
            cli_table_column(table, last && !json ? "HELD" : columns[i].title, columns[i].cell);
    }
    return status;
}

/* 0.3s, 12.0s, 5m07s, 3h20m */
static void format_time(uint64_t ns, char *ret_text, size_t size)
{
    uint64_t seconds = ns / 1000000000;

    if (seconds < 60)
        snprintf(ret_text, size, "%" PRIu64 ".%" PRIu64 "s", seconds, ns % 1000000000 / 100000000);
    else if (seconds < 3600)
        snprintf(ret_text, size, "%" PRIu64 "m%02" PRIu64 "s", seconds / 60, seconds % 60);
    else
        snprintf(ret_text, size, "%" PRIu64 "h%02" PRIu64 "m", seconds / 3600, seconds / 60 % 60);
}

static int add_member(struct cli_table *table, const struct cli_ring *ring,
                      const struct cli_member *member, uint64_t now)
{
    bool many = ring->geometry.kind == SHMRING_KIND_MPMC;
    char id[24], pid[24], writing[24], reading[24], held[24];
    uint64_t since = member->held_since;
    uint64_t time = since < now ? now - since : 0;

    snprintf(id, sizeof id, "%" PRIu32, member->id);
    snprintf(pid, sizeof pid, "%" PRIu32, member->pid);
    snprintf(writing, sizeof writing, "%" PRIu32, member->writing);
    snprintf(reading, sizeof reading, "%" PRIu32, member->reading);
    if (table->json)
        snprintf(held, sizeof held, "%" PRIu64, time);
    else
        format_time(time, held, sizeof held);
    const char *cells[COLUMNS] = {
        id,
        member->pid != 0 ? pid : NULL,
        member->role == SHMRING_ROLE_PRODUCER ? "producer" : "consumer",
        member->dead      ? "dead"
        : member->stopped ? "stopped"
                          : "alive",
        many ? writing : NULL,
        many ? reading : NULL,
        /* A note may be left over from what is given back by now. */
        since != 0 && member->writing + member->reading != 0 ? held : NULL,
    };
    return cli_table_line(table, cells, COLUMNS);
}

int cli_who(const struct cli_options *options)
{
    const char *name = options->arguments[0];
    struct cli_table table;
    struct cli_ring ring;
    int status = cli_check_name(name);

    if (status != CLI_OK)
        return status;
    int error = cli_inspect_named(name, &ring);
    if (error != 0)
        return cli_fail(name, error, NULL);
    uint64_t now = (uint64_t)shmring_clock();
    status = start(&table, options->json);
    for (uint32_t i = 0; i < ring.members_count && status == CLI_OK; i++)
        status = add_member(&table, &ring, &ring.members[i], now);
    if (status == CLI_OK)
        status = cli_table_print(&table, "shmring.who/1");
    cli_table_end(&table);
    return status;
}
