/* A plan: only changes, grouped by risk, each field old -> new with its owner; one line of counts. */
#include "cli/render.h"

#include "codec/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { GROUPS_MAX = 16, KEY_INDENT = 4, FIELD_INDENT = 6 };

/* From harmless to final; other words stand before the last two, in the order in which they came. */
static const char *const known_groups[] = {"reversible", "low", "compensable", "medium", "until", "high", "pivot"};
enum { KNOWN_GROUPS = sizeof(known_groups) / sizeof(known_groups[0]), KNOWN_LAST = 2 };

static const char *group_of(const struct doc *would)
{
    const char *risk = event_text(would, "risk", "class");

    return !risk || !*risk ? "reversible" : strncmp(risk, "until", 5) == 0 ? "until" : risk;
}

static const char *title_of(const char *group)
{
    return strcmp(group, "pivot") == 0         ? "drops data, asked for first (pivot)"
           : strcmp(group, "until") == 0       ? "reversible until a time"
           : strcmp(group, "compensable") == 0 ? "can be made good, not undone (compensable)"
                                               : group;
}

void value_add(const struct output *output, struct buf *out, const struct doc *value)
{
    struct buf text;

    if (!value) {
        buf_add_text(out, "(nothing)");
        return;
    }
    buf_init(&text, RENDER_TEXT_MAX);
    json_add(&text, value, JSON_COMPACT);
    text_escape_add(out, buf_view(&text), output->options.utf8 ? TEXT_UTF8 : 0);
    buf_free(&text);
}

static void line_add(struct buf *out, struct buf *line, int indent, int columns)
{
    text_blanks_add(out, indent);
    text_wrap_add(out, buf_view(line), indent, indent + 2, columns);
    buf_add_char(out, '\n');
    buf_reset(line);
}

static void field_add(const struct output *output, struct buf *out, const struct doc *field, int columns)
{
    const struct doc *old = doc_get(field, "old"), *new = doc_get(field, "new");
    const char *owner = event_text(field, "owner", NULL);
    struct buf line;

    buf_init(&line, RENDER_TEXT_MAX);
    escaped_add(output, &line, doc_as_text(doc_get(field, "path"), ""));
    buf_add_text(&line, ": ");
    if (old) {
        value_add(output, &line, old);
        buf_add_text(&line, output->options.utf8 ? " → " : " -> ");
    }
    if (new)
        value_add(output, &line, new);
    else
        buf_add_text(&line, "(removed)");
    if (owner && *owner) {
        buf_add_text(&line, "  (owner ");
        escaped_add(output, &line, owner);
        buf_add_char(&line, ')');
    }
    line_add(out, &line, FIELD_INDENT, columns);
    buf_free(&line);
}

static char sign_of(const struct doc *would)
{
    const char *sign = doc_as_text(doc_get(would, "sign"), "");

    return *sign && strchr("+~-", *sign) ? *sign : '~';
}

static void change_add(const struct output *output, struct buf *out, const struct doc *would, int columns, bool color)
{
    const struct doc *fields = doc_get(would, "fields");
    const char *key = event_text(would, "key", NULL), *step = event_text(would, "step", NULL);
    const char *note = event_text(would, "note", NULL), *class = event_text(would, "class", NULL);
    const char sign[] = {sign_of(would), '\0'};
    bool undo = doc_as_bool(doc_get(would, "undo"), !class || strcmp(class, "pivot") != 0);
    struct buf line;

    buf_init(&line, RENDER_TEXT_MAX);
    buf_add_text(out, "  ");
    styled_add(out, color, *sign == '+' ? STYLE_GOOD : *sign == '-' ? STYLE_BAD : STYLE_WARN, sign);
    buf_add_char(out, ' ');
    escaped_add(output, &line, key ? key : "a change");
    if (step) {
        buf_add_text(&line, "  in step ");
        escaped_add(output, &line, step);
    }
    buf_add_text(&line, undo ? "  (can be undone)" : "  (no undo)");
    text_wrap_add(out, buf_view(&line), KEY_INDENT, FIELD_INDENT, columns);
    buf_add_char(out, '\n');
    buf_reset(&line);
    if (note) {
        escaped_add(output, &line, note);
        line_add(out, &line, FIELD_INDENT, columns);
    }
    for (size_t i = 0; i < doc_size(fields); i++)
        field_add(output, out, doc_at(fields, i), columns);
    buf_free(&line);
}

static bool has(const char *const *groups, size_t count, const char *group)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(groups[i], group) == 0)
            return true;
    return false;
}

/* The groups in the order in which they are printed; what is beyond the maximum joins the last one. */
static size_t order_groups(const struct output *output, const char *groups[GROUPS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < KNOWN_GROUPS - KNOWN_LAST; i++)
        groups[count++] = known_groups[i];
    for (size_t i = 0; i < doc_size(output->woulds) && count < GROUPS_MAX - KNOWN_LAST; i++) {
        const char *group = group_of(doc_at(output->woulds, i));

        if (!has(groups, count, group) && !has(known_groups, KNOWN_GROUPS, group))
            groups[count++] = group;
    }
    for (size_t i = KNOWN_GROUPS - KNOWN_LAST; i < KNOWN_GROUPS; i++)
        groups[count++] = known_groups[i];
    return count;
}

void plan_add(const struct output *output, struct buf *out, int columns, bool color)
{
    const char *groups[GROUPS_MAX];
    size_t count = order_groups(output, groups), total = doc_size(output->woulds);
    int64_t same = doc_as_int(doc_get(output->run_end, "same"), 0);
    int added = 0, changed = 0, deleted = 0;

    for (size_t g = 0; g < count; g++) {
        bool titled = false;

        for (size_t i = 0; i < total; i++) {
            const struct doc *would = doc_at(output->woulds, i);
            bool here =
                strcmp(group_of(would), groups[g]) == 0 || (g + 1 == count && !has(groups, count, group_of(would)));
            char sign = sign_of(would);

            if (!here)
                continue;
            if (!titled) {
                struct buf title;

                buf_init(&title, RENDER_TEXT_MAX);
                escaped_add(output, &title, title_of(groups[g]));
                styled_add(out, color, STYLE_BOLD, buf_text(&title));
                buf_add_char(out, '\n');
                buf_free(&title);
            }
            titled = true;
            change_add(output, out, would, columns, color);
            added += sign == '+';
            changed += sign == '~';
            deleted += sign == '-';
        }
    }
    if (total)
        buf_addf(out, "%d to add, %d to change, %d to delete", added, changed, deleted);
    else
        buf_add_text(out, "nothing to change");
    if (same > 0)
        buf_addf(out, ", %" PRId64 " as wanted already", same);
    last_note_add(output, out);
    buf_add_char(out, '\n');
}

void drift_add(const struct output *output, struct buf *out, const struct doc *event, int columns, bool color)
{
    const struct doc *list = doc_get(event, "list");
    struct buf line;

    buf_init(&line, RENDER_TEXT_MAX);
    for (size_t i = 0; i < doc_size(list); i++) {
        const struct doc *item = doc_at(list, i);

        buf_add_text(out, "  ");
        styled_add(out, color, STYLE_WARN, "~");
        buf_add_char(out, ' ');
        escaped_add(output, &line, doc_as_text(doc_get(item, "what"), "something"));
        buf_add_text(&line, ": ");
        value_add(output, &line, doc_get(item, "found"));
        buf_add_text(&line, ", wanted ");
        value_add(output, &line, doc_get(item, "want"));
        text_wrap_add(out, buf_view(&line), KEY_INDENT, FIELD_INDENT, columns);
        buf_add_char(out, '\n');
        buf_reset(&line);
    }
    buf_addf(out, "%zu difference%s\n", doc_size(list), doc_size(list) == 1 ? "" : "s");
    buf_free(&line);
}
