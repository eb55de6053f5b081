#pragma once
/*
 * The inside of config: files of sections and settings, as Python's RawConfigParser reads them (the aws CLI is made of
 * it), and what the sources of credentials ask of a configuration beyond credentials.h.
 */
#include "aws/credentials.h"

/* ---- config_file.c: one file ---- */

struct ini_setting {
    char *name, *value; /* "s3.addressing_style" for one that is nested in "s3 ="; wiped when freed */
    char *place;        /* "~/.aws/config:12" */
    int line;
};
struct ini_section {
    char *name;       /* what stands between the brackets */
    const char *kind; /* "profile", "sso-session", "services"; NULL: something else, and so before config.c has looked */
    char *word;       /* the profile's, session's or services' own name */
    int line;
    struct ini_setting *settings;
    size_t len, cap;
};
struct ini {
    char *path; /* as people see it: "~/.aws/config" */
    struct ini_section *sections;
    size_t len, cap;
};
/* Names of settings in lower case, nested ones as they stand. Errors (A201) name file and line and quote no value. */
struct ini *ini_parse(const char *path, struct view text, struct err *err);
void ini_free(struct ini *ini);
struct ini_section *ini_section_find(const struct ini *ini, const char *name); /* ini may be NULL */
struct ini_setting *ini_setting_find(const struct ini_section *section, const char *name); /* section may be NULL */

/* Words as a POSIX shell splits them, without expanding anything: blanks, '', "" with its backslashes, \. free() each and
   the array, which ends in NULL. An open quote or a lone backslash at the end is ERR_USAGE. */
char **words_split(struct view text, struct err *err);
void words_free(char **words);

/* ---- config.c ---- */

/* Also what is set to nothing: NULL means unset. */
const char *aws_config_env_raw(const struct aws_config *config, const char *name);
bool aws_config_has_profile(const struct aws_config *config, const char *profile);
bool aws_config_profile_chosen(const struct aws_config *config); /* by --profile: then it goes before the environment's keys */
const char *aws_config_home(const struct aws_config *config);     /* NULL: no files */
/* ERR_USAGE, A201, "~/.aws/config:12: profile dev: ..." at the setting's place, or at the profile's own. */
int aws_config_error(const struct aws_config *config, const char *profile, const char *name, struct err *err,
                     const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The nearest name of a profile, or NULL. */
const char *aws_config_profile_near(const struct aws_config *config, const char *profile);
/* A path of the configuration or the environment with its leading "~/" in place; free() it. */
char *aws_config_path(const struct aws_config *config, const char *path);

/* Keys as they stand in a file at this moment: read anew, because people renew them in the middle of a run.
   0: *identity and *line are set; 1: the profile is not there or has no aws_access_key_id; -1: err. */
int aws_config_keys(const struct aws_config *config, bool credentials_file, const char *profile,
                    struct aws_identity *identity, int *line, struct err *err) __attribute__((warn_unused_result));
const char *aws_config_file_shown(const struct aws_config *config, bool credentials_file); /* "~/.aws/credentials" */
