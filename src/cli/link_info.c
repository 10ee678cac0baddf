/* SPDX-License-Identifier: MIT */
/* info --link: what a server gives, by asking it for a link. */
#include "link.h"

#include <pwd.h>
#include <stdio.h>

enum field {
    PATH,
    KIND,
    PEER_USER,
    PEER_UID,
    PEER_GID,
    PEER_PID,
    CAPACITY,
    MAX_MESSAGE,
    SEALS,
    WAKE,
    FENCE,
    CLIENT_OWNED,
    PROTOCOL,
    FIELDS,
};

/* In lower case, the keys of the JSON: they are for good. */
static const struct cli_column columns[FIELDS] = {
    [PATH] = {"PATH", CLI_TEXT, 0},           [KIND] = {"KIND", CLI_TEXT, 0},
    [PEER_USER] = {"PEER_USER", CLI_TEXT, 0}, [PEER_UID] = {"PEER_UID", CLI_NUMBER, 0},
    [PEER_GID] = {"PEER_GID", CLI_NUMBER, 0}, [PEER_PID] = {"PEER_PID", CLI_NUMBER, 0},
    [CAPACITY] = {"CAPACITY", CLI_NUMBER, 0}, [MAX_MESSAGE] = {"MAX_MESSAGE", CLI_NUMBER, 0},
    [SEALS] = {"SEALS", CLI_TEXT, 0},         [WAKE] = {"WAKE", CLI_TEXT, 0},
    [FENCE] = {"FENCE", CLI_TEXT, 0},         [CLIENT_OWNED] = {"CLIENT_OWNED", CLI_BOOLEAN, 0},
    [PROTOCOL] = {"PROTOCOL", CLI_NUMBER, 0},
};

static bool format_number(uint64_t number, char ret_cell[CLI_CELL_SIZE])
{
    snprintf(ret_cell, CLI_CELL_SIZE, "%llu", (unsigned long long)number);
    return true;
}

static bool format_text(const char *text, char ret_cell[CLI_CELL_SIZE])
{
    snprintf(ret_cell, CLI_CELL_SIZE, "%s", text);
    return true;
}

/* False: there is nothing to say. */
static bool format(const shmring_link *link, const struct cli_options *options, enum field field,
                   char ret_cell[CLI_CELL_SIZE])
{
    const shmring_spsc_side *side = &link->sender.producer.side;
    const struct passwd *user;

    switch (field) {
    case PATH:
        return format_text(options->arguments[0], ret_cell);
    case KIND:
        return format_text("link", ret_cell);
    case PEER_USER:
        user = getpwuid(link->peer.uid);
        return user != NULL && format_text(user->pw_name, ret_cell);
    case PEER_UID:
        return format_number(link->peer.uid, ret_cell);
    case PEER_GID:
        return format_number(link->peer.gid, ret_cell);
    case PEER_PID: /* 0: one of another namespace */
        return format_number((uint64_t)link->peer.pid, ret_cell) && link->peer.pid != 0;
    case CAPACITY:
        return format_number(side->capacity, ret_cell);
    case MAX_MESSAGE:
        return format_number(shmring_spsc_max_message(side), ret_cell);
    case SEALS: /* of what the server writes: there is no link that lacks one of them */
        return format_text("shrink,grow,future-write,seal", ret_cell);
    case WAKE: /* what the server sleeps on */
        return format_text(link->sender.waiter.ours.backend == SHMRING_BACKEND_FUTEX ? "futex"
                                                                                     : "socket",
                           ret_cell);
    case FENCE:
        return format_text(link->sender.waiter.light ? "light" : "symmetric", ret_cell);
    case CLIENT_OWNED:
        return format_text(options->client_owned ? "yes" : "no", ret_cell);
    default:
        return format_number(SHMRING_LINK_PROTOCOL, ret_cell);
    }
}

/* For people a line for each field, as JSON a column. */
static int start(struct cli_table *table, bool json)
{
    int status = cli_table_start(table, "links", json);

    for (int i = 0; i < (json ? FIELDS : 2) && status == CLI_OK; i++)
        status = cli_table_column(table, json ? columns[i].title : NULL,
                                  json ? columns[i].cell : CLI_TEXT);
    return status;
}

static int add(struct cli_table *table, const shmring_link *link, const struct cli_options *options)
{
    char texts[FIELDS][CLI_CELL_SIZE];
    const char *cells[FIELDS];
    int status = CLI_OK;

    for (int i = 0; i < FIELDS; i++)
        cells[i] = format(link, options, (enum field)i, texts[i]) ? texts[i] : NULL;
    if (table->json)
        return cli_table_line(table, cells, FIELDS);
    for (int i = 0; i < FIELDS && status == CLI_OK; i++) {
        char title[CLI_TITLE_SIZE];
        const char *pair[] = {title, cells[i]};

        cli_spell_title(columns[i].title, title);
        status = cli_table_line(table, pair, 2);
    }
    return status;
}

/* The link is left as it is, without an end: an end would be that of an empty stream. */
int cli_link_info(const struct cli_options *options)
{
    struct cli_table table = {0};
    shmring_link link;
    int error = cli_link_connect(options, 0, &link);

    if (error != 0)
        return cli_link_fail(options->arguments[0], error, NULL);
    int status = start(&table, options->json);

    if (status == CLI_OK)
        status = add(&table, &link, options);
    if (status == CLI_OK)
        status = cli_table_print(&table, "shmring.link/1");
    cli_table_end(&table);
    return status;
}
