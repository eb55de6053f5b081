/* A text into words by the quoting rules of a POSIX shell (XCU 2.2), as Python's shlex.split does: no shell sees it. */
#include "aws/config_inside.h"

#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

struct words {
    char **list;
    size_t len, cap;
    struct buf word;
    bool begun; /* there is a word, perhaps an empty one: '' */
};

static void word_end(struct words *words)
{
    if (words->begun) {
        if (words->len + 1 >= words->cap) {
            words->cap = words->cap ? 2 * words->cap : 8;
            words->list = mem_grow(words->list, words->cap, sizeof(words->list[0]));
        }
        words->list[words->len++] = mem_text(buf_text(&words->word));
    }
    buf_reset(&words->word);
    words->begun = false;
}

/* From an opening quote to behind its closing one; 0 when there is none. */
static size_t quoted_read(struct words *words, struct view text, size_t at)
{
    char quote = text.ptr[at++];

    words->begun = true;
    for (; at < text.len && text.ptr[at] != quote; at++) {
        if (quote == '"' && text.ptr[at] == '\\' && at + 1 < text.len && strchr("\"\\", text.ptr[at + 1]))
            at++;
        buf_add_char(&words->word, text.ptr[at]);
    }
    return at < text.len ? at + 1 : 0;
}

char **words_split(struct view text, struct err *err)
{
    struct words words = {.cap = 8, .list = mem_array(8, sizeof(char *))};
    size_t at = 0;
    int result = 0;

    buf_init(&words.word, SIZE_MAX);
    while (at < text.len && result == 0) {
        char c = text.ptr[at];

        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            word_end(&words);
            at++;
        } else if (c == '\'' || c == '"') {
            at = quoted_read(&words, text, at);
            if (!at)
                result = err_set(err, ERR_USAGE, "a quote (%c) is not closed", c);
        } else {
            if (c == '\\' && ++at == text.len) {
                result = err_set(err, ERR_USAGE, "a backslash ends the text");
                break;
            }
            words.begun = true;
            buf_add_char(&words.word, text.ptr[at++]);
        }
    }
    word_end(&words);
    buf_free(&words.word);
    words.list[words.len] = NULL;
    if (result == 0)
        return words.list;
    words_free(words.list);
    return NULL;
}

void words_free(char **words)
{
    for (size_t i = 0; words && words[i]; i++) {
        secret_wipe(words[i], strlen(words[i]));
        free(words[i]);
    }
    free(words);
}
