#include "aws_lab.h"

#include "base/secret.h"
#include "codec/json.h"
#include "open_gate.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static void quotes(char *text)
{
    for (; *text; text++)
        *text = *text == '\'' ? '"' : *text == '~' ? '\'' : *text;
}

static void serve(void *ctx, const struct aws_world_ask *ask, struct aws_world_answer *answer)
{
    struct lab *lab = ctx;
    const char *target = aws_world_header(ask, "X-Amz-Target"), *dot = strrchr(target, '.');
    const char *operation = dot ? dot + 1 : target;

    buf_addf(&lab->asked, "%s %s\n", operation, ask->body);
    for (size_t i = 0; i < lab->rules_len; i++) {
        struct lab_rule *rule = &lab->rules[i];

        if (strcmp(rule->operation, operation) != 0 || rule->times < 0 ||
            (rule->with && !strstr(ask->body, rule->with)))
            continue;
        if (rule->times && --rule->times == 0)
            rule->times = -1;
        answer->status = rule->status;
        answer->body = mem_text(rule->body);
        quotes(answer->body);
        return;
    }
    unit_fail(__FILE__, __LINE__, "nobody answers %s %s", operation, ask->body);
}

void lab_init(struct lab *lab)
{
    *lab = (struct lab){.marks = marks_new(view_of("run key"))};
    buf_init(&lab->asked, 1 << 20);
    aws_world_init(&lab->world);
    lab->world.serve = serve;
    lab->world.ctx = lab;
    aws_world_set(&lab->world, "AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    aws_world_set(&lab->world, "AWS_SECRET_ACCESS_KEY", "hush");
    aws_world_set(&lab->world, "AWS_REGION", "eu-west-1");
    http_set_gate(lab->world.http, open_gate());
    lab->aws = aws_new(&lab->world.base, lab->world.http, lab->marks, aws_world_config(&lab->world, NULL, NULL),
                       aws_table_builtin());
}

void lab_clear(struct lab *lab)
{
    aws_free(lab->aws);
    aws_world_clear(&lab->world);
    marks_free(lab->marks);
    buf_free(&lab->asked);
}

void lab_rule(struct lab *lab, const char *operation, const char *with, int times, int status, const char *body)
{
    REQUIRE(lab->rules_len < LAB_RULES_MAX);
    lab->rules[lab->rules_len++] = (struct lab_rule){operation, with, times, status, body};
}

int lab_count(const struct lab *lab, const char *text)
{
    int count = 0;

    for (const char *at = strstr(buf_text(&lab->asked), text); at; at = strstr(at + 1, text))
        count++;
    return count;
}

struct doc *lab_doc(const char *json)
{
    struct err err = ERR_INIT;
    char *text = mem_text(json ? json : "null");
    struct doc *doc;

    quotes(text);
    doc = json ? json_parse(view_of(text), &err) : NULL;
    CHECK_TEXT(err.message, "");
    free(text);
    return doc;
}
