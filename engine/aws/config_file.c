/*
 * One ini file, line by line, by the rules of Python's RawConfigParser, because that is what the aws CLI reads it with:
 * comments are whole lines; a line that is indented deeper than its setting goes on with it, whatever it looks like; a
 * section or a setting stands once. A value that begins with a line break holds settings of its own, one level deep.
 */
#include "aws/config_inside.h"

#include "base/secret.h"
#include "codec/utf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A line of the value that is being read. */
struct piece {
    struct view text;
    int line;
};

struct reading {
    struct ini *ini;
    struct err *err;
    int line;
    bool open;               /* a section has begun */
    struct ini_section rest; /* [DEFAULT]: what every section has unless it says otherwise */
    bool rest_open;
    char *name; /* of the setting whose value is being read; NULL: none */
    int name_line;
    size_t indent;
    struct piece *pieces;
    size_t pieces_len, pieces_cap;
};

static void text_free(char *text)
{
    if (text)
        secret_wipe(text, strlen(text));
    free(text);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

static struct view trim(struct view text)
{
    while (text.len && is_blank(text.ptr[0]))
        text.ptr++, text.len--;
    while (text.len && is_blank(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

static int ini_error(const struct reading *reading, int line, const char *what, const char *name)
{
    err_set(reading->err, ERR_USAGE, "%s:%d: %s%s", reading->ini->path, line, what, name ? name : "");
    err_explain(reading->err, "A201");
    return -1;
}

/* ---- sections and settings ---- */

static struct ini_section *section_now(struct reading *reading)
{
    return reading->rest_open ? &reading->rest : &reading->ini->sections[reading->ini->len - 1];
}

static void setting_add(const struct ini *ini, struct ini_section *section, char *name, char *value, int line)
{
    if (section->len == section->cap) {
        section->cap = section->cap ? 2 * section->cap : 8;
        section->settings = mem_grow(section->settings, section->cap, sizeof(section->settings[0]));
    }
    section->settings[section->len++] = (struct ini_setting){name, value, mem_printf("%s:%d", ini->path, line), line};
}

static void section_clear(struct ini_section *section)
{
    for (size_t i = 0; i < section->len; i++) {
        free(section->settings[i].name);
        text_free(section->settings[i].value);
        free(section->settings[i].place);
    }
    free(section->settings);
    free(section->name);
    free(section->word);
}

static int section_begin(struct reading *reading, struct view name)
{
    struct ini *ini = reading->ini;
    char *text = mem_view(name);

    reading->open = true;
    reading->rest_open = strcmp(text, "DEFAULT") == 0;
    if (reading->rest_open) {
        free(text);
        return 0;
    }
    if (ini_section_find(ini, text)) {
        ini_error(reading, reading->line, "this section stands in the file twice: ", text);
        free(text);
        return -1;
    }
    if (ini->len == ini->cap) {
        ini->cap = ini->cap ? 2 * ini->cap : 8;
        ini->sections = mem_grow(ini->sections, ini->cap, sizeof(ini->sections[0]));
    }
    ini->sections[ini->len++] = (struct ini_section){.name = text, .line = reading->line};
    return 0;
}

/* ---- values ---- */

static void piece_add(struct reading *reading, struct view text)
{
    if (reading->pieces_len == reading->pieces_cap) {
        reading->pieces_cap = reading->pieces_cap ? 2 * reading->pieces_cap : 8;
        reading->pieces = mem_grow(reading->pieces, reading->pieces_cap, sizeof(reading->pieces[0]));
    }
    reading->pieces[reading->pieces_len++] = (struct piece){text, reading->line};
}

static int nested_add(struct reading *reading, const struct piece *piece)
{
    const char *equals = memchr(piece->text.ptr, '=', piece->text.len);
    struct ini_section *section = section_now(reading);
    struct view name, value;
    struct ini_setting *twin;
    char *full;

    if (!equals)
        return ini_error(reading, piece->line, "this line below a setting is not \"name = value\"", NULL);
    name = trim((struct view){piece->text.ptr, (size_t)(equals - piece->text.ptr)});
    value = trim((struct view){equals + 1, piece->text.len - (size_t)(equals - piece->text.ptr) - 1});
    full = mem_printf("%s.%.*s", reading->name, (int)name.len, name.ptr);
    twin = ini_setting_find(section, full);
    if (twin) { /* the last one counts */
        free(full);
        text_free(twin->value);
        twin->value = mem_view(value);
    } else {
        setting_add(reading->ini, section, full, mem_view(value), piece->line);
    }
    return 0;
}

/* The setting that was being read is whole. */
static int setting_end(struct reading *reading)
{
    size_t len = reading->pieces_len;
    int result = 0;

    if (!reading->name)
        return 0;
    while (len && !reading->pieces[len - 1].text.len)
        len--;
    if (len > 1 && !reading->pieces[0].text.len) {
        setting_add(reading->ini, section_now(reading), mem_text(reading->name), mem_text(""), reading->name_line);
        for (size_t i = 1; i < len && result == 0; i++)
            if (reading->pieces[i].text.len)
                result = nested_add(reading, &reading->pieces[i]);
    } else {
        struct buf value;

        buf_init(&value, SIZE_MAX);
        for (size_t i = 0; i < len; i++) {
            if (i)
                buf_add_char(&value, '\n');
            buf_add_view(&value, reading->pieces[i].text);
        }
        setting_add(reading->ini, section_now(reading), mem_text(reading->name), mem_text(buf_text(&value)),
                    reading->name_line);
        if (value.ptr)
            secret_wipe(value.ptr, value.len);
        buf_free(&value);
    }
    free(reading->name);
    reading->name = NULL;
    reading->pieces_len = 0;
    return result;
}

static int setting_begin(struct reading *reading, struct view text)
{
    size_t at = 0;

    while (at < text.len && text.ptr[at] != '=' && text.ptr[at] != ':')
        at++;
    struct view name = trim((struct view){text.ptr, at});
    if (at == text.len || !name.len)
        return ini_error(reading, reading->line,
                         "this line is neither [section] nor \"name = value\" nor a comment that begins with #", NULL);
    reading->name = mem_view(name);
    for (char *c = reading->name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    reading->name_line = reading->line;
    if (ini_setting_find(section_now(reading), reading->name))
        return ini_error(reading, reading->line, "this setting stands in its section twice: ", reading->name);
    piece_add(reading, trim((struct view){text.ptr + at + 1, text.len - at - 1}));
    return 0;
}

/* ---- lines ---- */

static int line_read(struct reading *reading, struct view raw)
{
    struct view text = trim(raw);
    size_t indent = (size_t)(text.ptr - raw.ptr);
    const char *bracket;

    if (text.len && (text.ptr[0] == '#' || text.ptr[0] == ';'))
        return 0;
    if (!text.len) {
        if (reading->name)
            piece_add(reading, text);
        return 0;
    }
    if (reading->name && indent > reading->indent) {
        piece_add(reading, text);
        return 0;
    }
    reading->indent = indent;
    if (setting_end(reading) != 0)
        return -1;
    bracket = text.ptr[0] == '[' ? memrchr(text.ptr, ']', text.len) : NULL;
    if (bracket && bracket - text.ptr > 1)
        return section_begin(reading, (struct view){text.ptr + 1, (size_t)(bracket - text.ptr) - 1});
    if (!reading->open)
        return ini_error(reading, reading->line, "a setting stands before the first [section]", NULL);
    return setting_begin(reading, text);
}

/* The section has this setting, or the one that it is nested in, of its own. */
static bool has_own(const struct ini_section *section, size_t own, const char *name)
{
    size_t outer = strcspn(name, ".");

    for (size_t i = 0; i < own; i++) {
        const char *there = section->settings[i].name;

        if (strcmp(there, name) == 0 || (strlen(there) == outer && memcmp(there, name, outer) == 0))
            return true;
    }
    return false;
}

/* [DEFAULT] fills in what sections leave out. */
static void rest_share(struct reading *reading)
{
    for (size_t i = 0; i < reading->ini->len; i++) {
        struct ini_section *section = &reading->ini->sections[i];
        size_t own = section->len;

        for (size_t j = 0; j < reading->rest.len; j++) {
            const struct ini_setting *setting = &reading->rest.settings[j];

            if (!has_own(section, own, setting->name))
                setting_add(reading->ini, section, mem_text(setting->name), mem_text(setting->value), setting->line);
        }
    }
}

static int text_read(struct reading *reading, struct view text)
{
    size_t at = 0;

    while (at < text.len) {
        size_t end = at;

        reading->line++;
        while (end < text.len && text.ptr[end] != '\n' && text.ptr[end] != '\r')
            end++;
        struct view line = {text.ptr + at, end - at};
        if (!utf8_is_clean(line))
            return ini_error(reading, reading->line, "this line is not UTF-8 text", NULL);
        if (line_read(reading, line) != 0)
            return -1;
        at = end + (end + 1 < text.len && text.ptr[end] == '\r' && text.ptr[end + 1] == '\n' ? 2 : 1);
    }
    if (setting_end(reading) != 0)
        return -1;
    rest_share(reading);
    return 0;
}

struct ini *ini_parse(const char *path, struct view text, struct err *err)
{
    struct reading reading = {.ini = mem_alloc(sizeof(*reading.ini)), .err = err};
    int result;

    reading.ini->path = mem_text(path);
    result = text_read(&reading, text);
    section_clear(&reading.rest);
    free(reading.name);
    free(reading.pieces);
    if (result == 0)
        return reading.ini;
    ini_free(reading.ini);
    return NULL;
}

void ini_free(struct ini *ini)
{
    if (!ini)
        return;
    for (size_t i = 0; i < ini->len; i++)
        section_clear(&ini->sections[i]);
    free(ini->sections);
    free(ini->path);
    free(ini);
}

struct ini_section *ini_section_find(const struct ini *ini, const char *name)
{
    for (size_t i = 0; ini && i < ini->len; i++)
        if (strcmp(ini->sections[i].name, name) == 0)
            return &ini->sections[i];
    return NULL;
}

struct ini_setting *ini_setting_find(const struct ini_section *section, const char *name)
{
    for (size_t i = 0; section && i < section->len; i++)
        if (strcmp(section->settings[i].name, name) == 0)
            return &section->settings[i];
    return NULL;
}
