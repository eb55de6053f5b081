#pragma once
/* A sandbox whose simulated API server the tests talk to, as clients do. */
#include "codec/json.h"
#include "sandbox/sandbox.h"

struct kube {
    struct world *world;
    int status;        /* of the last answer */
    struct doc *body;  /* of the last answer, when it was JSON; owned */
    struct buf text;   /* of the last answer */
    struct buf warnings;
};

/* folder NULL: in memory. faults: NULL terminated, or NULL. */
void kube_open(struct kube *kube, const char *folder, const char *const *faults);
void kube_close(struct kube *kube);
/* The answer's body (borrowed until the next call), NULL when it is no JSON. */
struct doc *kube_send(struct kube *kube, const char *method, const char *path, const char *type, const char *body);
struct doc *kube_get_path(struct kube *kube, const char *path);
struct doc *kube_post(struct kube *kube, const char *path, const char *body);
struct doc *kube_apply(struct kube *kube, const char *path, const char *manager, const char *more, const char *body);
struct doc *kube_merge(struct kube *kube, const char *path, const char *body);
struct doc *kube_delete(struct kube *kube, const char *path, const char *options);
void kube_wait(struct kube *kube, int64_t ms); /* virtual */
/* Text at a JSON pointer in the last body; "" when there is none. Integers as text. */
const char *kube_text(struct kube *kube, const char *pointer);
/* "status" of a condition of the last body, "" when there is none; reason likewise */
const char *kube_condition(struct kube *kube, const char *type, const char *field);
/* The canonical store; free() it. */
char *kube_show(struct kube *kube);

/* A stream under way; its bytes so far. */
struct stream {
    struct buf text;
    int status;
    bool over;
    struct exchange *exchange;
};
void stream_open(struct stream *stream, struct kube *kube, const char *path);
void stream_close(struct stream *stream);

/* The folder is below $TMPDIR; removed with what is in it. */
char *kube_folder(void);
void kube_folder_remove(char *take);
