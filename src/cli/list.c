/* SPDX-License-Identifier: MIT */
/* ls and info of rings: the same fields of many rings, a line each, or of one. */
#include "link.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A table with a column for each of the first fields. */
static int start(struct cli_table *table, bool json, int fields)
{
    int status = cli_table_start(table, "rings", json);

    for (int i = 0; i < fields && status == CLI_OK; i++)
        status = cli_table_column(table, cli_columns[i].title, cli_columns[i].cell);
    return status;
}

/* error: what cli_inspect() said of the ring. */
static int add_ring(struct cli_table *table, int fields, const struct cli_ring *ring, int error)
{
    char texts[CLI_FIELDS][CLI_CELL_SIZE];
    const char *cells[CLI_FIELDS];

    for (int i = 0; i < fields; i++)
        cells[i] =
            cli_format(ring, error, (enum cli_field)i, !table->json, texts[i]) ? texts[i] : NULL;
    return cli_table_line(table, cells, fields);
}

static int compare(const struct dirent **one, const struct dirent **other)
{
    return strcmp((*one)->d_name, (*other)->d_name);
}

/* Of a ring, or of a semaphore. */
static int is_name(const struct dirent *entry)
{
    return shmring_segment_check_name(entry->d_name) == 0 ||
           strncmp(entry->d_name, "sem.", strlen("sem.")) == 0;
}

/* A ring or what was one; with --all, a semaphore that it left. What we may not read, or is gone
 * meanwhile, is left out. */
static int add_file(struct cli_table *table, int fields, bool all, int directory, const char *file)
{
    struct cli_ring ring;
    int error = cli_inspect(directory, file, &ring);
    bool is_shown = shmring_segment_check_name(file) != 0
                        ? error == -EPROTO && all && cli_is_leftover(directory, file)
                        : error == 0 || error == -EBADMSG || error == -EPROTONOSUPPORT;

    return is_shown ? add_ring(table, fields, &ring, error) : CLI_OK;
}

static int add_all(struct cli_table *table, int fields, bool all)
{
    struct dirent **entries = NULL;
    int count = scandir(CLI_DIRECTORY, &entries, is_name, compare);
    int directory = open(CLI_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int status = CLI_OK;

    if (count < 0 || directory < 0)
        status = cli_say(CLI_FAILED, "%s: %s", CLI_DIRECTORY, strerror(errno));
    for (int i = 0; i < count; i++) {
        if (status == CLI_OK)
            status = add_file(table, fields, all, directory, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    if (directory >= 0)
        close(directory);
    return status;
}

int cli_ls(const struct cli_options *options)
{
    struct cli_table table;
    int fields = options->json || options->is_long ? CLI_LS_LONG_FIELDS : CLI_LS_FIELDS;
    int status = start(&table, options->json, fields);

    if (status == CLI_OK)
        status = add_all(&table, fields, options->all);
    if (status == CLI_OK)
        status = cli_table_print(&table, "shmring.ls/1");
    cli_table_end(&table);
    return status;
}

/* For people: a line for each field that this kind of ring has. */
static int describe(struct cli_table *table, const struct cli_ring *ring)
{
    int status = cli_table_start(table, "rings", false);

    for (int i = 0; i < 2 && status == CLI_OK; i++)
        status = cli_table_column(table, NULL, CLI_TEXT);
    for (int i = 0; i < CLI_FIELDS && status == CLI_OK; i++) {
        const struct cli_column *column = &cli_columns[i];
        char title[CLI_TITLE_SIZE], text[CLI_CELL_SIZE];
        const char *cells[] = {title, text};

        if (column->kind != 0 && column->kind != ring->geometry.kind)
            continue;
        cli_spell_title(column->title, title);
        if (!cli_format(ring, 0, (enum cli_field)i, false, text))
            cells[1] = NULL;
        status = cli_table_line(table, cells, 2);
    }
    return status;
}

int cli_info(const struct cli_options *options)
{
    const char *name = options->arguments[0];
    struct cli_table table = {0};
    struct cli_ring ring;
    bool is_link = options->link || strchr(name, '/') != NULL;
    int status = is_link ? CLI_OK : cli_check_link("info", options);

    if (is_link)
        return cli_link_info(options);
    if (status == CLI_OK)
        status = cli_check_name(name);
    if (status != CLI_OK)
        return status;
    int error = cli_inspect_named(name, &ring);
    if (error != 0)
        return cli_fail(name, error, NULL);
    if (options->json) {
        status = start(&table, true, CLI_FIELDS);
        if (status == CLI_OK)
            status = add_ring(&table, CLI_FIELDS, &ring, 0);
    } else {
        status = describe(&table, &ring);
    }
    if (status == CLI_OK)
        status = cli_table_print(&table, "shmring.info/1");
    cli_table_end(&table);
    return status;
}
