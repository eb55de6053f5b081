#pragma once
/*
 * YAML 1.1 by libyaml, read into docs as Kubernetes reads it (sigs.k8s.io/yaml: core scalars;
 * yes/no/on/off are strings as in YAML 1.2; 0o17 and 017 octal as go-yaml does; quoted scalars are
 * strings). Refused: tags other than the core ones, duplicate keys, keys that are not scalars,
 * depth over 64, alias expansion over 10 times the input, merge keys are resolved.
 */
#include "codec/doc.h"

/* A parsed file: its documents and where each value stood. Empty documents are left out. */
struct yaml_file;

/* `name` is what errors call it ("manifests/game.yaml:12: ..."). NULL on failure (ERR_USAGE). */
struct yaml_file *yaml_parse(const char *name, struct view text, struct err *err);
/* Hidden, for libyaml has one of its own by this name and would call ours. */
__attribute__((visibility("hidden"))) void yaml_free(struct yaml_file *file);
size_t yaml_count(const struct yaml_file *file);
struct doc *yaml_doc(const struct yaml_file *file, size_t index); /* borrowed */

/* 1-based line of a container, or of the member `key` / element `index` in it; 0 when unknown.
   Valid for the docs of this file as long as they were not replaced. */
int yaml_line(const struct yaml_file *file, const struct doc *container);
int yaml_line_of_key(const struct yaml_file *file, const struct doc *object, const char *key);
int yaml_line_of_index(const struct yaml_file *file, const struct doc *array, size_t index);

/*
 * Replaces ${name} inside scalars, in place: an unquoted scalar that is nothing but ${name} takes the
 * value's type, elsewhere (in quotes too) the value is put in as text; objects, arrays and null there
 * are an error. A name with points is looked up whole, then as a path into `values`. $${ is a literal
 * ${. A name that `values` lacks, and a value of `must_use` (array of names, may be NULL) that no scalar
 * used, is an error with file and line. Keys are not substituted.
 */
int yaml_substitute(struct yaml_file *file, const struct doc *values, const struct doc *must_use, struct err *err)
    __attribute__((warn_unused_result));

/* Block style, keys in order of insertion (sorted: by bytes), strings quoted where needed. */
void yaml_add(struct buf *out, const struct doc *doc, bool sorted);
