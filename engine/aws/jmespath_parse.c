/*
 * Text to tree: a scanner and a parser by binding powers. A projection takes what binds to its right, up to the first
 * token that binds less than a projection does.
 */
#include "aws/jmespath_inside.h"

#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

enum token_type {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_QUOTED,
    TOKEN_LITERAL,
    TOKEN_NUMBER,
    TOKEN_CURRENT,
    TOKEN_EXPRESSION,
    TOKEN_COMMA,
    TOKEN_COLON,
    TOKEN_RIGHT_BRACKET,
    TOKEN_RIGHT_PAREN,
    TOKEN_RIGHT_BRACE,
    TOKEN_PIPE,
    TOKEN_OR,
    TOKEN_AND,
    TOKEN_COMPARE,
    TOKEN_FLATTEN,
    TOKEN_STAR,
    TOKEN_FILTER,
    TOKEN_DOT,
    TOKEN_NOT,
    TOKEN_LEFT_BRACE,
    TOKEN_LEFT_BRACKET,
    TOKEN_LEFT_PAREN,
};

/* How strongly a token binds what is left of it; 0: it ends an expression. */
enum {
    BIND_PIPE = 1,
    BIND_OR,
    BIND_AND,
    BIND_COMPARE = 5,
    BIND_FLATTEN = 9,
    BIND_PROJECTION = 10,
    BIND_STAR = 20,
    BIND_FILTER,
    BIND_DOT = 40,
    BIND_NOT = 45,
    BIND_BRACE = 50,
    BIND_BRACKET = 55,
    BIND_PAREN = 60
};

static const int binding[] = {
    [TOKEN_PIPE] = BIND_PIPE,
    [TOKEN_OR] = BIND_OR,
    [TOKEN_AND] = BIND_AND,
    [TOKEN_COMPARE] = BIND_COMPARE,
    [TOKEN_FLATTEN] = BIND_FLATTEN,
    [TOKEN_STAR] = BIND_STAR,
    [TOKEN_FILTER] = BIND_FILTER,
    [TOKEN_DOT] = BIND_DOT,
    [TOKEN_NOT] = BIND_NOT,
    [TOKEN_LEFT_BRACE] = BIND_BRACE,
    [TOKEN_LEFT_BRACKET] = BIND_BRACKET,
    [TOKEN_LEFT_PAREN] = BIND_PAREN,
};

struct token {
    enum token_type type;
    size_t at;
    struct view text;
    enum compare operation;
    int64_t number;
    struct doc *value; /* LITERAL, QUOTED; owned by the parser until a node takes it */
};

struct parser {
    struct view text;
    size_t at;
    struct token token, next;
    int depth;
    struct err *err;
};

/* ---- nodes ---- */

static void node_free(struct jmespath *node)
{
    if (!node)
        return;
    for (size_t i = 0; i < node->len; i++) {
        node_free(node->list[i]);
        if (node->names)
            free(node->names[i]);
    }
    free(node->list);
    free(node->names);
    free(node->text);
    doc_unref(node->literal);
    free(node);
}

static struct jmespath *node_new(enum node_type type)
{
    struct jmespath *node = mem_alloc(sizeof(*node));

    node->type = type;
    node->depth = 1;
    return node;
}

static int fail_at(struct parser *parser, size_t at, const char *what)
{
    size_t column = 1;

    for (size_t i = 0; i < at && i < parser->text.len; i++)
        column += ((unsigned char)parser->text.ptr[i] & 0xc0) != 0x80;
    return err_set(parser->err, ERR_USAGE, "JMESPath, column %zu: %s", column, what);
}

/* Takes the child, which may be NULL: an error that was met making it. */
static int node_add(struct parser *parser, struct jmespath *node, struct jmespath *child)
{
    if (!child)
        return -1;
    node->list = mem_grow(node->list, node->len + 1, sizeof(node->list[0]));
    node->list[node->len++] = child;
    if (node->depth <= child->depth)
        node->depth = child->depth + 1;
    if (node->depth > JMESPATH_DEPTH_MAX)
        return fail_at(parser, parser->token.at, "the expression is nested too deep");
    return 0;
}

/* Takes both, which may be NULL. */
static struct jmespath *node_of(struct parser *parser, enum node_type type, struct jmespath *left,
                                struct jmespath *right)
{
    struct jmespath *node = node_new(type);
    bool bad = node_add(parser, node, left) != 0;

    if (bad) {
        node_free(right);
    } else if (type != NODE_FLATTEN && type != NODE_NOT && type != NODE_EXPRESSION) {
        bad = node_add(parser, node, right) != 0;
    }
    if (!bad)
        return node;
    node_free(node);
    return NULL;
}

/* ---- the scanner ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Up to the closing quote, which a backslash before it hides. The place behind it; 0 with err. */
static size_t quote_end(struct parser *parser, size_t start)
{
    char quote = parser->text.ptr[start];

    for (size_t i = start + 1; i < parser->text.len; i++) {
        if (parser->text.ptr[i] == quote)
            return i + 1;
        if (parser->text.ptr[i] == '\\')
            i++;
    }
    fail_at(parser, start, "the closing quote is missing");
    return 0;
}

/* The inner text, with "\quote" as the quote alone. */
static void unquote(struct buf *out, struct view inner, char quote)
{
    for (size_t i = 0; i < inner.len; i++) {
        if (inner.ptr[i] == '\\' && i + 1 < inner.len && inner.ptr[i + 1] == quote)
            i++;
        else if (inner.ptr[i] == '\\' && i + 1 < inner.len)
            buf_add_char(out, inner.ptr[i++]);
        buf_add_char(out, inner.ptr[i]);
    }
}

static int scan_json(struct parser *parser, struct token *token, struct view json)
{
    struct err err = ERR_INIT;

    token->value = json_parse(json, &err);
    return token->value ? 0 : fail_at(parser, token->at, "this is not JSON");
}

static int scan_quoted(struct parser *parser, struct token *token)
{
    size_t end = quote_end(parser, token->at);
    char quote = parser->text.ptr[token->at];
    struct view inner;
    struct buf text;
    int result = 0;

    if (!end)
        return -1;
    inner = (struct view){parser->text.ptr + token->at + 1, end - token->at - 2};
    parser->at = end;
    token->type = quote == '"' ? TOKEN_QUOTED : TOKEN_LITERAL;
    if (quote == '"')
        return scan_json(parser, token, (struct view){inner.ptr - 1, inner.len + 2});
    buf_init(&text, SIZE_MAX);
    unquote(&text, inner, quote);
    if (quote == '\'')
        token->value = doc_string(buf_view(&text));
    else
        result = scan_json(parser, token, buf_view(&text));
    buf_free(&text);
    return result;
}

static int scan_number(struct parser *parser, struct token *token)
{
    bool minus = parser->text.ptr[parser->at] == '-';
    int64_t number = 0;
    size_t i = parser->at + minus;

    if (i >= parser->text.len || !is_digit(parser->text.ptr[i]))
        return fail_at(parser, token->at, "a digit must follow");
    for (; i < parser->text.len && is_digit(parser->text.ptr[i]); i++) {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, parser->text.ptr[i] - '0', &number))
            return fail_at(parser, token->at, "the number is too large");
    }
    token->type = TOKEN_NUMBER;
    token->number = minus ? -number : number;
    parser->at = i;
    return 0;
}

static const struct {
    char text[3];
    enum token_type type;
    enum compare operation;
} signs[] = {
    /* the longer ones first */
    {"[?", TOKEN_FILTER, 0},
    {"[]", TOKEN_FLATTEN, 0},
    {"||", TOKEN_OR, 0},
    {"&&", TOKEN_AND, 0},
    {"==", TOKEN_COMPARE, COMPARE_EQUAL},
    {"!=", TOKEN_COMPARE, COMPARE_UNEQUAL},
    {"<=", TOKEN_COMPARE, COMPARE_LESS_EQUAL},
    {">=", TOKEN_COMPARE, COMPARE_MORE_EQUAL},
    {"<", TOKEN_COMPARE, COMPARE_LESS},
    {">", TOKEN_COMPARE, COMPARE_MORE},
    {"[", TOKEN_LEFT_BRACKET, 0},
    {"]", TOKEN_RIGHT_BRACKET, 0},
    {"(", TOKEN_LEFT_PAREN, 0},
    {")", TOKEN_RIGHT_PAREN, 0},
    {"{", TOKEN_LEFT_BRACE, 0},
    {"}", TOKEN_RIGHT_BRACE, 0},
    {"|", TOKEN_PIPE, 0},
    {"&", TOKEN_EXPRESSION, 0},
    {"!", TOKEN_NOT, 0},
    {".", TOKEN_DOT, 0},
    {"*", TOKEN_STAR, 0},
    {",", TOKEN_COMMA, 0},
    {":", TOKEN_COLON, 0},
    {"@", TOKEN_CURRENT, 0},
};

static int scan_sign(struct parser *parser, struct token *token)
{
    struct view rest = {parser->text.ptr + parser->at, parser->text.len - parser->at};

    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (view_starts(rest, signs[i].text)) {
            token->type = signs[i].type;
            token->operation = signs[i].operation;
            parser->at += strlen(signs[i].text);
            return 0;
        }
    }
    return fail_at(parser, token->at, "this character has no meaning here");
}

static int scan(struct parser *parser, struct token *token)
{
    struct view text = parser->text;
    char c;

    while (parser->at < text.len && text.ptr[parser->at] && strchr(" \t\r\n", text.ptr[parser->at]))
        parser->at++;
    *token = (struct token){.type = TOKEN_END, .at = parser->at};
    if (parser->at == text.len)
        return 0;
    c = text.ptr[parser->at];
    if (c == '"' || c == '\'' || c == '`')
        return scan_quoted(parser, token);
    if (c == '-' || is_digit(c))
        return scan_number(parser, token);
    if (!is_name(c))
        return scan_sign(parser, token);
    while (parser->at < text.len && (is_name(text.ptr[parser->at]) || is_digit(text.ptr[parser->at])))
        parser->at++;
    token->type = TOKEN_NAME;
    token->text = (struct view){text.ptr + token->at, parser->at - token->at};
    return 0;
}

/* One token further: the one after the present one is always known. */
static int advance(struct parser *parser)
{
    doc_unref(parser->token.value);
    parser->token = parser->next;
    parser->next = (struct token){.type = TOKEN_END, .at = parser->at};
    return scan(parser, &parser->next);
}

static int unexpected(struct parser *parser, const char *wanted)
{
    char *what =
        mem_printf("%s%s is wanted here", parser->token.type == TOKEN_END ? "the expression ends: " : "", wanted);

    fail_at(parser, parser->token.at, what);
    free(what);
    return -1;
}

static int match(struct parser *parser, enum token_type type, const char *wanted)
{
    return parser->token.type == type ? advance(parser) : unexpected(parser, wanted);
}

/* ---- the parser; each returns NULL with err, and owns what is handed to it ---- */

static struct jmespath *expression(struct parser *parser, int bind);

static struct jmespath *freed(struct jmespath *node)
{
    node_free(node);
    return NULL;
}

static struct jmespath *multi_list(struct parser *parser)
{
    struct jmespath *node = node_new(NODE_LIST);

    for (;;) {
        if (node_add(parser, node, expression(parser, 0)) != 0)
            return freed(node);
        if (parser->token.type != TOKEN_COMMA)
            break;
        if (advance(parser) != 0)
            return freed(node);
    }
    return match(parser, TOKEN_RIGHT_BRACKET, "\",\" or \"]\"") == 0 ? node : freed(node);
}

static char *name_take(struct parser *parser)
{
    return parser->token.type == TOKEN_NAME ? mem_view(parser->token.text) : mem_view(doc_as_view(parser->token.value));
}

static bool at_name(const struct parser *parser)
{
    return parser->token.type == TOKEN_NAME || parser->token.type == TOKEN_QUOTED;
}

static struct jmespath *multi_hash(struct parser *parser)
{
    struct jmespath *node = node_new(NODE_HASH);

    for (;;) {
        size_t before = node->len;
        char *name;

        if (!at_name(parser)) {
            unexpected(parser, "a name");
            return freed(node);
        }
        name = name_take(parser);
        if (advance(parser) != 0 || match(parser, TOKEN_COLON, "\":\"") != 0) {
            free(name);
            return freed(node);
        }
        node->names = mem_grow(node->names, node->len + 1, sizeof(node->names[0]));
        node->names[node->len] = name;
        if (node_add(parser, node, expression(parser, 0)) != 0) {
            if (node->len == before)
                free(name); /* it has no value that it would be freed with */
            return freed(node);
        }
        if (parser->token.type != TOKEN_COMMA)
            break;
        if (advance(parser) != 0)
            return freed(node);
    }
    return match(parser, TOKEN_RIGHT_BRACE, "\",\" or \"}\"") == 0 ? node : freed(node);
}

static struct jmespath *dot_right(struct parser *parser, int bind)
{
    if (at_name(parser) || parser->token.type == TOKEN_STAR)
        return expression(parser, bind);
    if (parser->token.type == TOKEN_LEFT_BRACKET)
        return advance(parser) == 0 ? multi_list(parser) : NULL;
    if (parser->token.type == TOKEN_LEFT_BRACE)
        return advance(parser) == 0 ? multi_hash(parser) : NULL;
    unexpected(parser, "a name, \"*\", \"[\" or \"{\"");
    return NULL;
}

/* What is done with each element. */
static struct jmespath *projection_right(struct parser *parser, int bind)
{
    if (binding[parser->token.type] < BIND_PROJECTION)
        return node_new(NODE_CURRENT);
    if (parser->token.type == TOKEN_LEFT_BRACKET || parser->token.type == TOKEN_FILTER)
        return expression(parser, bind);
    if (parser->token.type == TOKEN_DOT)
        return advance(parser) == 0 ? dot_right(parser, bind) : NULL;
    unexpected(parser, "\".\" or \"[\"");
    return NULL;
}

/* The right is only looked for when the left is there. */
static struct jmespath *projection_of(struct parser *parser, enum node_type type, struct jmespath *left, int bind)
{
    return left ? node_of(parser, type, left, projection_right(parser, bind)) : NULL;
}

/* Behind "[": "0]", "1:2:3]". A slice is a projection. */
static struct jmespath *index_of(struct parser *parser, struct jmespath *left)
{
    struct jmespath *node = node_new(NODE_INDEX);
    int part = 0;

    while (parser->token.type == TOKEN_NUMBER || parser->token.type == TOKEN_COLON) {
        if (parser->token.type == TOKEN_COLON) {
            node->type = NODE_SLICE;
            part++;
        } else if (part < 3 && !node->given[part]) {
            node->number[part] = parser->token.number;
            node->given[part] = true;
        } else {
            part = 3;
        }
        if (part > 2)
            unexpected(parser, "\"]\"");
        if (part > 2 || advance(parser) != 0) {
            node_free(left);
            return freed(node);
        }
    }
    if (match(parser, TOKEN_RIGHT_BRACKET, "\"]\"") != 0) {
        node_free(left);
        return freed(node);
    }
    if (node->type == NODE_INDEX)
        return node_of(parser, NODE_SUB, left, node);
    return projection_of(parser, NODE_PROJECTION, node_of(parser, NODE_SUB, left, node), BIND_STAR);
}

static struct jmespath *filter_of(struct parser *parser, struct jmespath *left)
{
    struct jmespath *condition = advance(parser) == 0 ? expression(parser, 0) : NULL, *node;

    if (!condition || match(parser, TOKEN_RIGHT_BRACKET, "\"]\"") != 0) {
        node_free(left);
        return freed(condition);
    }
    node = projection_of(parser, NODE_FILTER_PROJECTION, left, BIND_FILTER);
    if (!node || node_add(parser, node, condition) != 0) {
        if (!node)
            node_free(condition);
        return freed(node);
    }
    return node;
}

static struct jmespath *flatten_of(struct parser *parser, struct jmespath *left)
{
    if (advance(parser) != 0)
        return freed(left);
    return projection_of(parser, NODE_PROJECTION, node_of(parser, NODE_FLATTEN, left, NULL), BIND_FLATTEN);
}

/* "[": an index, a slice, "*", or (with nothing left of it) a multi-select list. */
static struct jmespath *bracket_of(struct parser *parser, struct jmespath *left, bool alone)
{
    if (advance(parser) != 0)
        return freed(left);
    if (parser->token.type == TOKEN_NUMBER || parser->token.type == TOKEN_COLON)
        return index_of(parser, left);
    if (parser->token.type == TOKEN_STAR && (!alone || parser->next.type == TOKEN_RIGHT_BRACKET)) {
        if (advance(parser) != 0 || match(parser, TOKEN_RIGHT_BRACKET, "\"]\"") != 0)
            return freed(left);
        return projection_of(parser, NODE_PROJECTION, left, BIND_STAR);
    }
    node_free(left);
    if (alone)
        return multi_list(parser);
    unexpected(parser, "a number, \":\" or \"*\"");
    return NULL;
}

static struct jmespath *argument(struct parser *parser)
{
    struct jmespath *inner;

    if (parser->token.type != TOKEN_EXPRESSION)
        return expression(parser, 0);
    inner = advance(parser) == 0 ? expression(parser, 0) : NULL;
    return inner ? node_of(parser, NODE_EXPRESSION, inner, NULL) : NULL;
}

static struct jmespath *call_of(struct parser *parser)
{
    const struct function *function = jmespath_function(parser->token.text, parser->err);
    size_t at = parser->token.at;
    struct jmespath *node = node_new(NODE_CALL);
    char message[sizeof(parser->err->message)];

    node->function = function;
    if (!function)
        goto fail_here;
    if (advance(parser) != 0 || match(parser, TOKEN_LEFT_PAREN, "\"(\"") != 0)
        return freed(node);
    while (parser->token.type != TOKEN_RIGHT_PAREN) {
        if (node->len && match(parser, TOKEN_COMMA, "\",\" or \")\"") != 0)
            return freed(node);
        if (node_add(parser, node, argument(parser)) != 0)
            return freed(node);
    }
    if (jmespath_arity(function, node->len, parser->err) != 0)
        goto fail_here;
    return advance(parser) == 0 ? node : freed(node);
fail_here:
    memcpy(message, parser->err->message, sizeof(message));
    fail_at(parser, at, message);
    return freed(node);
}

static struct jmespath *field_of(struct parser *parser)
{
    struct jmespath *node;

    if (parser->next.type == TOKEN_LEFT_PAREN) {
        if (parser->token.type == TOKEN_NAME)
            return call_of(parser);
        unexpected(parser, "a function's name without quotes");
        return NULL;
    }
    node = node_new(NODE_FIELD);
    node->text = name_take(parser);
    return advance(parser) == 0 ? node : freed(node);
}

/* A token with nothing left of it. */
static struct jmespath *prefix(struct parser *parser)
{
    struct jmespath *node;

    switch (parser->token.type) {
    case TOKEN_NAME:
    case TOKEN_QUOTED:
        return field_of(parser);
    case TOKEN_LITERAL:
        node = node_new(NODE_LITERAL);
        node->literal = doc_ref(parser->token.value);
        return advance(parser) == 0 ? node : freed(node);
    case TOKEN_CURRENT:
        return advance(parser) == 0 ? node_new(NODE_CURRENT) : NULL;
    case TOKEN_STAR:
        if (advance(parser) != 0)
            return NULL;
        return projection_of(parser, NODE_VALUE_PROJECTION, node_new(NODE_CURRENT), BIND_STAR);
    case TOKEN_FILTER:
        return filter_of(parser, node_new(NODE_CURRENT));
    case TOKEN_FLATTEN:
        return flatten_of(parser, node_new(NODE_CURRENT));
    case TOKEN_LEFT_BRACKET:
        return bracket_of(parser, node_new(NODE_CURRENT), true);
    case TOKEN_LEFT_BRACE:
        return advance(parser) == 0 ? multi_hash(parser) : NULL;
    case TOKEN_LEFT_PAREN:
        node = advance(parser) == 0 ? expression(parser, 0) : NULL;
        return node && match(parser, TOKEN_RIGHT_PAREN, "\")\"") == 0 ? node : freed(node);
    case TOKEN_NOT:
        node = advance(parser) == 0 ? expression(parser, BIND_NOT) : NULL;
        return node ? node_of(parser, NODE_NOT, node, NULL) : NULL;
    default:
        unexpected(parser, "a value");
        return NULL;
    }
}

static struct jmespath *binary(struct parser *parser, enum node_type type, struct jmespath *left, int bind)
{
    enum compare operation = parser->token.operation;
    struct jmespath *node;

    if (advance(parser) != 0)
        return freed(left);
    node = node_of(parser, type, left, expression(parser, bind));
    if (node)
        node->operation = operation;
    return node;
}

/* A token with left before it; takes left. */
static struct jmespath *infix(struct parser *parser, struct jmespath *left)
{
    switch (parser->token.type) {
    case TOKEN_PIPE:
        return binary(parser, NODE_SUB, left, BIND_PIPE);
    case TOKEN_OR:
        return binary(parser, NODE_OR, left, BIND_OR);
    case TOKEN_AND:
        return binary(parser, NODE_AND, left, BIND_AND);
    case TOKEN_COMPARE:
        return binary(parser, NODE_COMPARE, left, BIND_COMPARE);
    case TOKEN_FLATTEN:
        return flatten_of(parser, left);
    case TOKEN_FILTER:
        return filter_of(parser, left);
    case TOKEN_LEFT_BRACKET:
        return bracket_of(parser, left, false);
    case TOKEN_DOT:
        if (advance(parser) != 0)
            return freed(left);
        if (parser->token.type != TOKEN_STAR)
            return node_of(parser, NODE_SUB, left, dot_right(parser, BIND_DOT));
        if (advance(parser) != 0)
            return freed(left);
        return projection_of(parser, NODE_VALUE_PROJECTION, left, BIND_STAR);
    default:
        unexpected(parser, "an operator");
        return freed(left);
    }
}

static struct jmespath *expression(struct parser *parser, int bind)
{
    struct jmespath *left;

    if (++parser->depth > JMESPATH_DEPTH_MAX) {
        fail_at(parser, parser->token.at, "the expression is nested too deep");
        return NULL;
    }
    left = prefix(parser);
    while (left && bind < binding[parser->token.type])
        left = infix(parser, left);
    parser->depth--;
    return left;
}

struct jmespath *jmespath_parse(struct view text, struct err *err)
{
    struct parser parser = {.text = text, .err = err};
    struct jmespath *node = NULL;

    if (text.len > JMESPATH_TEXT_MAX) {
        err_set(err, ERR_USAGE, "the JMESPath expression is longer than %d bytes", JMESPATH_TEXT_MAX);
        return NULL;
    }
    if (scan(&parser, &parser.next) == 0 && advance(&parser) == 0)
        node = expression(&parser, 0);
    if (node && parser.token.type != TOKEN_END) {
        unexpected(&parser, "an operator or the end");
        node = freed(node);
    }
    doc_unref(parser.token.value);
    doc_unref(parser.next.value);
    return node;
}

void jmespath_free(struct jmespath *path)
{
    node_free(path);
}
