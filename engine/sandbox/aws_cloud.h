#pragma once
/*
 * The simulated AWS account, inside: what is in it, and how a request goes through: route, signature, read, check,
 * act (lua/sandbox/aws_*.lua), answer.
 * Owns: every thing of the account, the server's half of AWS's protocols.
 * Never: shares logic with engine/aws (the table of models is data); answers for an operation that no table of
 * lua/sandbox names.
 * Sources: AWS's protocol documents (smithy.io, "AWS protocols"), "Signature Version 4 signing process" (IAM User Guide),
 * "Common errors" of each service's API reference.
 */
#include "aws/model.h"
#include "sandbox/host_lua.h"
#include "sandbox/sim.h"

/* Something of the account: kind "iam/Role", key "dos". Documents are shared and never changed; the member "made" of one
   holds what the service stamps (ids, times), which is no part of the canonical store. */
struct thing {
    char *kind, *key;
    struct doc *doc;
};

struct cloud {
    struct sim_server server; /* first */
    struct sim *sim;
    struct lua_State *lua;
    struct thing *things; /* sorted by kind, then key */
    size_t things_len, things_cap;
    struct list lags; /* aws_fault.c */
    uint64_t answered; /* requests of this process: part of request ids */
};

/* Who signed. */
struct cloud_caller {
    char access_key[129];
    char *secret, *arn, *user_id; /* owned */
};

/* One request. What goes wrong is noted in it, and -1 returned: refuse is AWS's answer, loud is the sandbox's. */
struct cloud_call {
    struct cloud *cloud;
    const struct sim_request *http;
    struct aws_service service;
    struct aws_operation operation;
    char region[32];         /* of the endpoint */
    char *path;              /* as sent, without query; the bucket of an S3 host name in front */
    struct doc *query;       /* array of [name, value], decoded */
    struct doc *form;        /* query, ec2: the body's fields */
    struct doc *labels;      /* of the URI template */
    struct cloud_caller caller;
    struct doc *input;
    char request_id[37];
    int refused;             /* status; 0: not */
    char *code, *message;    /* with refused */
    struct doc *more;        /* further members of the error */
    bool retry_after;        /* it says when to come again: in a second */
    struct err loud;         /* kind ERR_NONE: not */
};

/* status 0: what the model says of this error, else 400. */
int call_refuse(struct cloud_call *call, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
int call_loud(struct cloud_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
enum aws_protocol call_protocol(const struct cloud_call *call);
bool call_is(const struct cloud_call *call, const char *service);

/* One request from its start to its end: aws_server.c. */
int call_init(struct cloud_call *call, struct cloud *cloud, const struct sim_request *http) __attribute__((warn_unused_result));
void call_clear(struct cloud_call *call);

/* ---- aws_route.c ---- */

bool route_serves(const struct sim_request *http); /* a host of AWS's */
/* Service, region, operation, path and fields. */
int route_find(struct cloud_call *call) __attribute__((warn_unused_result));
const char *route_query(const struct cloud_call *call, const char *name); /* NULL: it is not there */

/* ---- aws_signature.c ---- */

/* Who calls; false answers as AWS does. Operations that are sent unsigned pass. */
int signature_check(struct cloud_call *call) __attribute__((warn_unused_result));
bool signature_covers(const struct cloud_call *call, const char *header); /* of a presigned request that was taken */
void caller_clear(struct cloud_caller *caller);

/* ---- aws_read.c, aws_read_rest.c, aws_value.c ---- */

/* call->input from the request, by member names; absent members are absent. Times are seconds since 1970, blobs
   base64. */
int read_input(struct cloud_call *call) __attribute__((warn_unused_result));
int read_rest(struct cloud_call *call) __attribute__((warn_unused_result));
/* NULL with the call refused when the text is none of that type. */
struct doc *read_text(struct cloud_call *call, struct aws_shape shape, struct view text);
int read_json(struct cloud_call *call, struct aws_shape shape, const struct doc *value, struct doc **out)
    __attribute__((warn_unused_result));
void read_drop(struct doc **out); /* what was read in vain */
const char *member_wire(struct aws_member member); /* its locationName, else its name */
bool value_time_parse(struct view text, double *seconds); /* ISO 8601, RFC 822 or seconds */
void value_time_add(struct buf *out, enum aws_time format, double seconds);
/* A scalar as headers and XML have it. */
void cloud_value_add(struct buf *out, struct aws_shape shape, enum aws_time time, const struct doc *value);

/* ---- aws_frames.c ---- */

bool frames_come(const struct cloud_call *call); /* the body is in frames */
/* What is in them, and the trailer as a member of input; else the call is refused. */
int frames_read(struct cloud_call *call, struct buf *content, struct doc *input) __attribute__((warn_unused_result));

/* ---- aws_check.c ---- */

/* Members that must be there, and their bounds. */
int check_input(struct cloud_call *call) __attribute__((warn_unused_result));

/* ---- aws_lua.c ---- */

void cloud_lua_open(struct cloud *cloud);
/* What a request is about: kind and key, to be freed. False: nothing that has a name. */
bool cloud_lua_target(struct cloud_call *call, char **kind, char **key);
bool cloud_lua_has(struct cloud *cloud, const char *service, const char *operation);
/* The operation's function: its output, or NULL with the call refused. */
struct doc *cloud_lua_act(struct cloud_call *call);
/* Calls a function of lua/sandbox/aws.lua that is no operation, with one argument (taken). */
void cloud_lua_do(struct cloud *cloud, const char *name, struct doc *take);

/* ---- aws_answer.c, aws_write.c ---- */

void answer_output(struct cloud_call *call, const struct doc *output, struct sim_reply *reply);
void answer_refusal(struct cloud_call *call, struct sim_reply *reply);
/* Bodies. -1 with the call loud: the output has what its model lacks. */
int write_json(struct cloud_call *call, struct aws_shape shape, enum aws_time time, const struct doc *value,
               struct doc **out) __attribute__((warn_unused_result)); /* value is there */
int write_xml(struct cloud_call *call, struct buf *out, struct aws_shape shape, const struct doc *value)
    __attribute__((warn_unused_result)); /* what is inside the element */

/* ---- aws_store.c ---- */

const struct thing *things_find(const struct cloud *cloud, const char *kind, const char *key); /* NULL */
size_t things_index(const struct cloud *cloud, const char *kind, const char *key); /* where it is or would be */
void things_put(struct cloud *cloud, const char *kind, const char *key, struct doc *take); /* NULL removes; logged */
void things_replay(struct cloud *cloud, const struct doc *effect);
void things_snapshot(struct cloud *cloud, void (*put)(void *ctx, struct doc *effect), void *ctx);
void things_show(struct cloud *cloud, bool raw, struct buf *out);
void things_free(struct cloud *cloud);

/* ---- aws_fault.c ---- */

/* A wire fault's answer: code and status as this service gives them. */
void fault_refuse(struct cloud_call *call, const char *kind);
/* A state fault aimed at what this request is about; false: it means nothing here. */
bool fault_aim(struct cloud_call *call, const char *kind);
/* What a read sees of a thing: as it is (now; NULL: nothing), or as a fault shows it. Borrowed. */
const struct doc *fault_seen(struct cloud *cloud, const char *kind, const char *key, const struct doc *now);
/* Adds things that are gone, but that a ghost fault still lists. */
void fault_ghosts_add(struct cloud *cloud, const char *kind, const char *prefix, struct doc *list);
void fault_lags_free(struct cloud *cloud);
