#pragma once
/*
 * The error codes of dosrun. The letter says where it comes from: K Kubernetes, R runs, locks and
 * journals, H HTTP, TLS and credentials, S scripts, M manifests and values, C configuration,
 * X programs. A code is never given to another meaning. Others set one with err_explain.
 */
#include "base/buf.h"

struct explain {
    const char *code;    /* "K104" */
    const char *title;   /* one line, lower case, no full stop */
    const char *meaning; /* one paragraph: what happened and why */
    const char *example; /* lines as they look in a terminal or a playbook */
    const char *remedy;  /* one paragraph: what to do */
};

/* Any case; NULL when there is no such code. */
const struct explain *explain_find(const char *code);
/* In the order of the codes; NULL past the end. */
const struct explain *explain_at(size_t index);
/* The nearest code to a mistyped one, or NULL. */
const char *explain_suggest(const char *code);

/* `dosrun explain CODE`; explain NULL lists them all. columns: 0 for 80. */
void explain_add(struct buf *out, const struct explain *explain, int columns);
