#pragma once
/* A world without an outside: a virtual clock, files in memory, and an API server that answers by rules. */
#include "base/secret.h"
#include "kube/kube.h"

struct fake;

/* With an http and a client on it, whose gate lets everything pass; the kubeconfig is a token for https://api.test. */
struct fake *fake_new(void);
void fake_free(struct fake *fake);
struct world *fake_world(struct fake *fake);
struct http *fake_http(struct fake *fake);
struct marks *fake_marks(struct fake *fake);
struct kube *fake_kube(struct fake *fake); /* made at the first call */
/* The same from this kubeconfig (YAML), before the first fake_kube. */
void fake_config(struct fake *fake, const char *yaml);

void fake_file(struct fake *fake, const char *path, const char *text); /* text NULL: away */
/* A program: what it prints and ends with, run by run; the last one stays. */
void fake_program(struct fake *fake, const char *name, int status, const char *output);

enum { FAKE_LOST = -1, FAKE_REFUSED = -2, FAKE_STREAM = 1 };
/*
 * Answers to requests of this method and path (with its query; a "*" at the end stands for any rest), the oldest rule
 * first. times 0: for ever. status FAKE_LOST: the connection breaks after the request was sent; FAKE_STREAM: 200, and
 * the body goes on with fake_push. A request without a rule is answered 404.
 */
void fake_rule(struct fake *fake, const char *method, const char *path, int times, int status, const char *body);
/* Adds bytes to the open stream of this path. */
void fake_push(struct fake *fake, const char *path, const char *text);
void fake_close(struct fake *fake, const char *path, bool broken);
size_t fake_streams(const struct fake *fake); /* how many are open */

/* What was sent: "METHOD path?query body\n" each; header lines only when asked for. */
const char *fake_log(struct fake *fake);
void fake_log_clear(struct fake *fake);
size_t fake_count(struct fake *fake, const char *text); /* how often it stands in the log */
const char *fake_header(const struct fake *fake, const char *name); /* of the last request; NULL */

void fake_turns(struct fake *fake, int64_t ms); /* lets this much virtual time pass */
/* Turns until *flag, or nothing happens for an hour of virtual time: then false. */
bool fake_until(struct fake *fake, const bool *flag);
/* Discovery rules for the kinds that these tests use. */
void fake_discovery(struct fake *fake);
