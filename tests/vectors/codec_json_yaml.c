/*
 * vectors_codec_json_yaml FOLDER: the published suites for JSON parsers and for YAML, as
 * fetch-json-yaml unpacks them. Their files are JavaScript modules that hold one JSON value each.
 * What we decide otherwise on purpose, or libyaml (YAML 1.1) otherwise than YAML 1.2, is listed
 * with its reason; an exception that is not needed any more is a failure too.
 */
#include "codec/json.h"
#include "codec/yaml.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct exception {
    const char *name, *reason;
    bool met;
};

static struct exception json_exceptions[] = {
    {"y_object_duplicated_key.json", "duplicate keys are refused", false},
    {"y_object_duplicated_key_and_value.json", "duplicate keys are refused", false},
    {"y_object_escaped_null_in_key.json", "no NUL in strings", false},
    {"y_string_null_escape.json", "no NUL in strings", false},
};

/* Why a case of the YAML suite comes out otherwise. */
#define TAG "tags other than the core ones are refused"
#define PLAIN_TAG "the tag ! alone is an empty string, not null"
#define STRICT "libyaml refuses what YAML 1.2 allows"
#define LAX "libyaml takes what YAML 1.2 forbids"
#define OTHER "libyaml reads anchors, ? and the last blank line as YAML 1.1"

static struct exception yaml_exceptions[] = {
    {"2LFX/0", STRICT, false},    {"2SXE/0", STRICT, false},  {"2XXW/0", TAG, false},    {"4MUZ/0", STRICT, false},
    {"4MUZ/2", STRICT, false},    {"565N/0", TAG, false},     {"58MP/0", STRICT, false}, {"5MUD/0", STRICT, false},
    {"5T43/0", STRICT, false},    {"5TYM/0", TAG, false},     {"652Z/0", OTHER, false},  {"6BCT/0", STRICT, false},
    {"6CA3/0", STRICT, false},    {"6CK3/0", TAG, false},     {"6LVF/0", STRICT, false}, {"6WLZ/0", TAG, false},
    {"7FWL/0", TAG, false},       {"7Z25/0", STRICT, false},  {"8XYN/0", STRICT, false}, {"96NN/0", STRICT, false},
    {"9C9N/0", LAX, false},       {"9JBA/0", LAX, false},     {"9SA2/0", STRICT, false}, {"9WXW/0", TAG, false},
    {"A2M4/0", STRICT, false},    {"BEC7/0", STRICT, false},  {"C4HZ/0", TAG, false},    {"CC74/0", TAG, false},
    {"CUP7/0", TAG, false},       {"CVW2/0", LAX, false},     {"DBG4/0", STRICT, false}, {"DK3J/0", STRICT, false},
    {"DK95/0", STRICT, false},    {"DK95/1", LAX, false},     {"DK95/3", STRICT, false}, {"DK95/4", STRICT, false},
    {"EB22/0", LAX, false},       {"FP8R/0", STRICT, false},  {"G5U8/0", LAX, false},    {"HM87/0", STRICT, false},
    {"HM87/1", OTHER, false},     {"HWV9/0", STRICT, false},  {"J7PZ/0", TAG, false},    {"K3WX/0", STRICT, false},
    {"L24T/1", OTHER, false},     {"M5C3/0", TAG, false},     {"M7A3/0", STRICT, false}, {"MUS6/0", LAX, false},
    {"MUS6/1", LAX, false},       {"NJ66/0", STRICT, false},  {"P76L/0", TAG, false},    {"Q5MG/0", STRICT, false},
    {"QB6E/0", LAX, false},       {"QT73/0", STRICT, false},  {"R4YG/0", STRICT, false}, {"RHX7/0", LAX, false},
    {"S98Z/0", LAX, false},       {"SM9W/1", STRICT, false},  {"SU5Z/0", LAX, false},    {"UGM3/0", TAG, false},
    {"UKK6/2", PLAIN_TAG, false}, {"UT92/0", STRICT, false},  {"VJP3/1", STRICT, false}, {"W4TN/0", STRICT, false},
    {"W5VH/0", STRICT, false},    {"X4QW/0", LAX, false},     {"Y2GN/0", OTHER, false},  {"Y79Y/1", STRICT, false},
    {"Y79Y/3", LAX, false},       {"Y79Y/10", STRICT, false}, {"YJV2/0", LAX, false},    {"Z67P/0", TAG, false},
    {"Z9M4/0", TAG, false},
};

static int passed, failed, excepted;

static bool is_excepted(struct exception *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].name, name) == 0) {
            list[i].met = true;
            return true;
        }
    }
    return false;
}

static void check_all_met(const struct exception *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].met)
            continue;
        printf("%s: listed as an exception (%s), but it holds\n", list[i].name, list[i].reason);
        failed++;
    }
}

/* A NUL cannot be in a document; while in one it is written as U+E000, which no case uses. */
#define NUL_ESCAPE "\\u0000"
#define STAND_IN_ESCAPE "\\ue000"
#define STAND_IN "\xee\x80\x80"

static void hide_nuls(struct buf *text)
{
    for (size_t i = 0; i < text->len; i++) {
        if (text->ptr[i] != '\\')
            continue;
        if (strncmp(text->ptr + i, NUL_ESCAPE, strlen(NUL_ESCAPE)) == 0)
            memcpy(text->ptr + i, STAND_IN_ESCAPE, strlen(STAND_IN_ESCAPE));
        i++;
    }
}

static void add_with_nuls(struct buf *out, struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool hidden = view_starts((struct view){text.ptr + i, text.len - i}, STAND_IN);

        buf_add_char(out, hidden ? '\0' : text.ptr[i]);
        i += hidden ? strlen(STAND_IN) - 1 : 0;
    }
}

/* The value of a module; ends the program when it cannot be read: then nothing was tested. */
static struct doc *load(const char *path)
{
    static const char before[] = "export default";
    struct err err = ERR_INIT;
    FILE *file = fopen(path, "rb");
    struct doc *doc = NULL;
    struct buf text;
    char bytes[65536];
    const char *start;
    size_t len;

    buf_init(&text, SIZE_MAX);
    while (file && (len = fread(bytes, 1, sizeof(bytes), file)) > 0)
        buf_add(&text, bytes, len);
    hide_nuls(&text);
    start = strstr(buf_text(&text), before);
    if (start)
        doc = json_parse(view_of(start + strlen(before)), &err);
    if (!file || !doc) {
        printf("%s: cannot be read: %s\n", path, err.message);
        exit(1);
    }
    fclose(file);
    buf_free(&text);
    return doc;
}

static void judge(struct exception *list, size_t count, const char *name, bool good, const char *what)
{
    if (good) {
        passed++;
    } else if (is_excepted(list, count, name)) {
        excepted++;
    } else {
        failed++;
        printf("%s: %s\n", name, what);
    }
}

static void run_json(const char *folder)
{
    const size_t count = sizeof(json_exceptions) / sizeof(json_exceptions[0]);
    char *path = mem_printf("%s/json/data/parsing.js", folder);
    struct doc *cases = load(path);

    for (size_t i = 0; i < doc_size(cases); i++) {
        const char *name = doc_path_text(doc_at(cases, i), "name", NULL);
        struct err err = ERR_INIT;
        struct doc *doc;
        struct buf input;

        buf_init(&input, SIZE_MAX);
        add_with_nuls(&input, doc_as_view(doc_get(doc_at(cases, i), "input")));
        doc = json_parse(buf_view(&input), &err);

        /* i_: a parser may do either */
        judge(json_exceptions, count, name, name[0] == 'i' || !doc == (name[0] == 'n'), doc ? "taken" : err.message);
        doc_unref(doc);
        buf_free(&input);
    }
    check_all_met(json_exceptions, count);
    doc_unref(cases);
    free(path);
}

/* Equal as JSON: an integer and a real of the same value are. */
static bool same(const struct doc *a, const struct doc *b)
{
    bool numbers = (doc_is(a, DOC_INT) || doc_is(a, DOC_REAL)) && (doc_is(b, DOC_INT) || doc_is(b, DOC_REAL));

    if (numbers)
        return !(doc_as_real(a, 0) < doc_as_real(b, 0)) && !(doc_as_real(a, 0) > doc_as_real(b, 0));
    if (!a || !b || doc_type(a) != doc_type(b) || doc_size(a) != doc_size(b))
        return false;
    if (!doc_is(a, DOC_ARRAY) && !doc_is(a, DOC_OBJECT))
        return doc_equal(a, b);
    DOC_EACH(iter, a)
    {
        if (!same(iter.value, doc_get(b, iter.key)))
            return false;
    }
    for (size_t i = 0; doc_is(a, DOC_ARRAY) && i < doc_size(a); i++) {
        if (!same(doc_at(a, i), doc_at(b, i)))
            return false;
    }
    return true;
}

/* The suite writes one JSON value after the other, each ending at a line's end. Null documents are left out. */
static struct doc *split_json(struct view text)
{
    struct doc *values = doc_array(), *value;
    struct err err = ERR_INIT;
    size_t start = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '\n' && i + 1 < text.len)
            continue;
        value = json_parse((struct view){text.ptr + start, i + 1 - start}, &err);
        if (!value)
            continue;
        start = i + 1;
        if (!doc_is(value, DOC_NULL))
            doc_push(values, doc_ref(value));
        doc_unref(value);
    }
    return values;
}

static struct doc *all_docs(const struct yaml_file *file)
{
    struct doc *docs = doc_array();

    for (size_t i = 0; i < yaml_count(file); i++) {
        if (!doc_is(yaml_doc(file, i), DOC_NULL))
            doc_push(docs, doc_ref(yaml_doc(file, i)));
    }
    return docs;
}

/* A case without "json" and without "fail" only must not crash: it has tags or keys that JSON lacks. */
static void run_yaml_case(const char *name, const struct doc *one)
{
    const size_t count = sizeof(yaml_exceptions) / sizeof(yaml_exceptions[0]);
    struct err err = ERR_INIT;
    struct yaml_file *file = yaml_parse(name, doc_as_view(doc_get(one, "yaml")), &err);
    const struct doc *json = doc_get(one, "json");
    struct doc *want, *got;

    if (doc_as_bool(doc_get(one, "fail"), false)) {
        judge(yaml_exceptions, count, name, !file, "taken, though it is wrong");
    } else if (json && !file) {
        judge(yaml_exceptions, count, name, false, err.message);
    } else if (json) {
        want = split_json(doc_as_view(json));
        got = all_docs(file);
        judge(yaml_exceptions, count, name, same(want, got), "read as something else");
        doc_unref(want);
        doc_unref(got);
    }
    yaml_free(file);
}

static int is_case(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 3 && strcmp(entry->d_name + len - 3, ".js") == 0 && strcmp(entry->d_name, "index.js") != 0;
}

static void run_yaml(const char *folder)
{
    char *data = mem_printf("%s/yaml/data", folder);
    struct dirent **entries = NULL;
    int count = scandir(data, &entries, is_case, alphasort);

    for (int i = 0; i < count; i++) {
        char *path = mem_printf("%s/%s", data, entries[i]->d_name);
        struct doc *test = load(path), *cases = doc_get(test, "cases");

        for (size_t k = 0; k < doc_size(cases); k++) {
            char *name = mem_printf("%s/%zu", doc_path_text(test, "id", NULL), k);

            run_yaml_case(name, doc_at(cases, k));
            free(name);
        }
        doc_unref(test);
        free(path);
        free(entries[i]);
    }
    free(entries);
    free(data);
    check_all_met(yaml_exceptions, sizeof(yaml_exceptions) / sizeof(yaml_exceptions[0]));
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: vectors_codec_json_yaml FOLDER\n");
        return 64;
    }
    run_json(argv[1]);
    run_yaml(argv[1]);
    printf("%d exceptions with a reason\n%d passed, %d failed\n", excepted, passed, failed);
    return failed || !passed;
}
