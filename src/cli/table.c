/* SPDX-License-Identifier: MIT */
/* Lines of cells, by libsmartcols. */
#include "cli.h"

#include <ctype.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(void)
{
    return cli_say(CLI_FAILED, "out of memory");
}

int cli_table_start(struct cli_table *table, const char *name, bool json)
{
    *table = (struct cli_table){.table = scols_new_table(), .json = json};
    if (table->table == NULL || scols_table_enable_json(table->table, json) != 0 ||
        scols_table_set_name(table->table, name) != 0)
        return no_memory();
    return CLI_OK;
}

int cli_table_column(struct cli_table *table, const char *title, enum cli_cell cell)
{
    static const int types[] = {SCOLS_JSON_STRING, SCOLS_JSON_NUMBER, SCOLS_JSON_BOOLEAN};
    struct libscols_column *column = scols_table_new_column(
        table->table, title != NULL ? title : "", 0, cell == CLI_NUMBER ? SCOLS_FL_RIGHT : 0);

    if (column == NULL || scols_column_set_json_type(column, types[cell]) != 0)
        return no_memory();
    if (title == NULL && scols_table_enable_noheadings(table->table, 1) != 0)
        return no_memory();
    return CLI_OK;
}

void cli_spell_title(const char *title, char ret_title[CLI_TITLE_SIZE])
{
    int length = snprintf(ret_title, CLI_TITLE_SIZE, "%s", title);

    for (int i = 0; i < length; i++)
        ret_title[i] = (char)(title[i] == '_' ? ' ' : tolower((unsigned char)title[i]));
}

int cli_table_line(struct cli_table *table, const char *const *cells, int count)
{
    struct libscols_line *line = scols_table_new_line(table->table, NULL);

    if (line == NULL)
        return no_memory();
    for (int i = 0; i < count; i++) {
        const char *text = cells[i] != NULL || table->json ? cells[i] : "-";
        if (text != NULL && scols_line_set_data(line, (size_t)i, text) != 0)
            return no_memory();
    }
    return CLI_OK;
}

/* The library has no place for the schema: it comes before the rest of the outermost object. */
int cli_table_print(struct cli_table *table, const char *schema)
{
    char *text = NULL;

    if (!table->json)
        return scols_print_table(table->table) != 0 ? no_memory() : CLI_OK;
    if (scols_print_table_to_string(table->table, &text) != 0)
        return no_memory();
    const char *rest = strchr(text, '{');
    if (rest != NULL)
        printf("{\n   \"schema\": \"%s\",%s", schema, rest + 1);
    else
        printf("{\n   \"schema\": \"%s\",\"%s\": []}\n", schema,
               scols_table_get_name(table->table));
    free(text);
    return CLI_OK;
}

void cli_table_end(struct cli_table *table)
{
    scols_unref_table(table->table);
}
