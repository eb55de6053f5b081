/*
 * The configuration that the aws CLI would use here: options, then the environment, then the files' profile.
 *
 * A profile has the settings of both files, the credentials file first. What the files hold of secrets is not kept:
 * credentials_profile.c reads it when it is needed, and anew each time.
 */
#include "aws/config_inside.h"

#include "base/secret.h"
#include "base/suggest.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FILE_MAX = 1 << 20 };

static const char *const SECRETS[] = {"aws_secret_access_key", "aws_session_token", "aws_security_token"};

/* A file, with what its sections mean. */
struct config_file {
    char *path, *shown; /* NULL: no files */
    struct ini *ini;    /* NULL: it is not there */
    bool credentials;   /* sections are profiles by their plain name */
};

struct aws_config {
    struct world *world;
    const char *(*env)(void *ctx, const char *name);
    void *ctx;
    char *home, *profile, *region;
    bool profile_chosen;
    struct config_file files[2]; /* the credentials file, the config file: the first that has a setting counts */
};

/* ---- the environment ---- */

const char *aws_config_env_raw(const struct aws_config *config, const char *name)
{
    return config->env ? config->env(config->ctx, name) : NULL;
}

const char *aws_config_env(const struct aws_config *config, const char *name)
{
    const char *value = aws_config_env_raw(config, name);

    return value && value[0] ? value : NULL;
}

const char *aws_config_home(const struct aws_config *config)
{
    return config->home;
}

char *aws_config_path(const struct aws_config *config, const char *path)
{
    if (path[0] == '~' && (path[1] == '/' || !path[1]) && config->home)
        return mem_printf("%s%s", config->home, path + 1);
    return mem_text(path);
}

/* ---- files ---- */

/* [profile dev], [profile "my dev"], [sso-session x]: two words, of which the first begins so. */
static void section_mean(struct ini_section *section, bool credentials)
{
    static const char *const kinds[] = {"profile", "sso-session", "services"};
    struct err ignored = ERR_INIT;
    char **words;

    if (credentials || strcmp(section->name, "default") == 0) {
        section->kind = kinds[0];
        section->word = mem_text(section->name);
    }
    for (size_t i = 0; i < 3 && !section->kind; i++) {
        if (strncmp(section->name, kinds[i], strlen(kinds[i])) != 0)
            continue;
        words = words_split(view_of(section->name), &ignored);
        if (words && words[0] && words[1] && !words[2]) {
            section->kind = kinds[i];
            section->word = mem_text(words[1]);
        }
        words_free(words);
    }
}

/* The last one that means this: kind is "profile", "sso-session" or "services". */
static const struct ini_section *section_of(const struct ini *ini, const char *kind, const char *word)
{
    for (size_t i = ini ? ini->len : 0; i-- > 0;) {
        const struct ini_section *section = &ini->sections[i];

        if (section->kind && strcmp(section->kind, kind) == 0 && strcmp(section->word, word) == 0)
            return section;
    }
    return NULL;
}

/* 1: there is no such file. */
static int file_parse(const struct aws_config *config, const struct config_file *file, struct ini **ini,
                      struct err *err)
{
    struct buf text;
    int result = -1;

    if (!file->path || strcmp(file->path, "/dev/null") == 0) /* which is how people say "none" */
        return 1;
    buf_init(&text, FILE_MAX);
    if (disk_read(config->world, file->path, FILE_MAX, &text, err) == 0) {
        *ini = ini_parse(file->shown, buf_view(&text), err);
        result = *ini ? 0 : -1;
        for (size_t i = 0; *ini && i < (*ini)->len; i++)
            section_mean(&(*ini)->sections[i], file->credentials);
    } else if (err->kind == ERR_MISSING) {
        err_clear(err);
        result = 1;
    } else {
        err->kind = ERR_USAGE;
        err_explain(err, "A201");
        err_context(err, "%s", file->shown);
    }
    if (text.ptr)
        secret_wipe(text.ptr, text.len);
    buf_free(&text);
    return result;
}

static void secrets_forget(struct ini *ini)
{
    for (size_t i = 0; i < ini->len; i++)
        for (size_t j = 0; j < sizeof(SECRETS) / sizeof(SECRETS[0]); j++) {
            struct ini_setting *setting = ini_setting_find(&ini->sections[i], SECRETS[j]);

            if (setting)
                secret_wipe(setting->value, strlen(setting->value));
        }
}

static int file_load(struct aws_config *config, struct config_file *file, const char *variable, const char *standard,
                     struct err *err)
{
    const char *path = aws_config_env(config, variable);
    size_t home_len = config->home ? strlen(config->home) : 0;

    if (!config->home)
        return 0;
    file->path = path ? aws_config_path(config, path) : mem_printf("%s/%s", config->home, standard);
    file->shown = strncmp(file->path, config->home, home_len) == 0 && file->path[home_len] == '/'
                      ? mem_printf("~%s", file->path + home_len)
                      : mem_text(file->path);
    if (file_parse(config, file, &file->ini, err) < 0)
        return -1;
    if (file->ini)
        secrets_forget(file->ini);
    return 0;
}

const char *aws_config_file_shown(const struct aws_config *config, bool credentials_file)
{
    const char *shown = config->files[credentials_file ? 0 : 1].shown;

    return shown ? shown : credentials_file ? "~/.aws/credentials" : "~/.aws/config";
}

static const char *const KEY_NAMES[] = {"aws_access_key_id", "aws_secret_access_key", "aws_security_token",
                                        "aws_session_token", "aws_account_id"};

int aws_config_keys(const struct aws_config *config, bool credentials_file, const char *profile,
                    struct aws_identity *identity, int *line, struct err *err)
{
    const struct config_file *file = &config->files[credentials_file ? 0 : 1];
    const struct ini_setting *found[5] = {NULL};
    const struct ini_section *section;
    struct ini *ini = NULL;
    int result;

    result = file_parse(config, file, &ini, err);
    if (result != 0)
        return result;
    section = section_of(ini, "profile", profile);
    for (size_t i = 0; i < 5; i++)
        found[i] = ini_setting_find(section, KEY_NAMES[i]);
    if (!found[0]) {
        result = 1;
    } else if (!found[1] || !found[0]->value[0] || !found[1]->value[0]) {
        err_set(err, ERR_USAGE, "%s:%d: profile %s has no %s", file->shown, section->line, profile,
                found[0]->value[0] ? "aws_secret_access_key" : "aws_access_key_id");
        err_explain(err, "A201");
        result = -1;
    } else {
        const struct ini_setting *token = found[2] ? found[2] : found[3];

        *identity = (struct aws_identity){
            .access_key = mem_text(found[0]->value),
            .secret_key = mem_text(found[1]->value),
            .session_token = token && token->value[0] ? mem_text(token->value) : NULL,
            .account = found[4] && found[4]->value[0] ? mem_text(found[4]->value) : NULL,
        };
        *line = found[0]->line;
    }
    ini_free(ini);
    return result;
}

/* ---- settings ---- */

static const struct ini_setting *setting_of(const struct aws_config *config, const char *profile, const char *name)
{
    for (size_t i = 0; i < 2; i++) {
        const struct ini_section *section =
            section_of(config->files[i].ini, "profile", profile ? profile : config->profile);
        const struct ini_setting *setting = ini_setting_find(section, name);

        if (setting)
            return setting;
    }
    return NULL;
}

const char *aws_config_get(const struct aws_config *config, const char *profile, const char *name)
{
    const struct ini_setting *setting = setting_of(config, profile, name);

    return setting ? setting->value : NULL;
}

const char *aws_config_place(const struct aws_config *config, const char *profile, const char *name)
{
    const struct ini_setting *setting = setting_of(config, profile, name);

    return setting ? setting->place : "";
}

const char *aws_config_section(const struct aws_config *config, const char *kind, const char *section, const char *name)
{
    const struct ini_section *found = section_of(config->files[1].ini, kind, section);
    const struct ini_setting *setting = name ? ini_setting_find(found, name) : NULL;

    if (!name)
        return found ? "" : NULL;
    return setting ? setting->value : NULL;
}

bool aws_config_has_profile(const struct aws_config *config, const char *profile)
{
    return section_of(config->files[0].ini, "profile", profile) || section_of(config->files[1].ini, "profile", profile);
}

const char *aws_config_profile_near(const struct aws_config *config, const char *profile)
{
    struct suggest suggest;

    suggest_init(&suggest, profile);
    for (size_t i = 0; i < 2; i++) {
        const struct ini *ini = config->files[i].ini;

        for (size_t j = 0; ini && j < ini->len; j++)
            if (ini->sections[j].kind && strcmp(ini->sections[j].kind, "profile") == 0)
                suggest_try(&suggest, ini->sections[j].word);
    }
    return suggest.found;
}

int aws_config_error(const struct aws_config *config, const char *profile, const char *name, struct err *err,
                     const char *format, ...)
{
    const char *place = name ? aws_config_place(config, profile, name) : "";
    char *words;
    va_list args;
    struct buf text;

    buf_init(&text, sizeof(err->message));
    va_start(args, format);
    buf_vaddf(&text, format, args);
    va_end(args);
    words = buf_take(&text);
    err_set(err, ERR_USAGE, "%s%sprofile %s: %s", place, place[0] ? ": " : "", profile, words);
    err_explain(err, "A201");
    free(words);
    return -1;
}

const char *aws_config_profile(const struct aws_config *config)
{
    return config->profile;
}

bool aws_config_profile_chosen(const struct aws_config *config)
{
    return config->profile_chosen;
}

/* ---- what the settings say ---- */

/* variable, else the profile's setting, else NULL. */
static const char *setting_either(const struct aws_config *config, const char *variable, const char *name)
{
    const char *value = aws_config_env(config, variable);

    if (!value)
        value = aws_config_get(config, NULL, name);
    return value && value[0] ? value : NULL;
}

static bool setting_true(const struct aws_config *config, const char *variable, const char *name)
{
    const char *value = setting_either(config, variable, name);

    return value && strcasecmp(value, "true") == 0;
}

const char *aws_config_region(const struct aws_config *config)
{
    const char *region = config->region;

    if (!region)
        region = aws_config_env(config, "AWS_REGION");
    return region ? region : setting_either(config, "AWS_DEFAULT_REGION", "region");
}

bool aws_config_fips(const struct aws_config *config)
{
    return setting_true(config, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
}

bool aws_config_dual_stack(const struct aws_config *config)
{
    return setting_true(config, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");
}

const char *aws_config_ca_bundle(const struct aws_config *config)
{
    const char *path = setting_either(config, "AWS_CA_BUNDLE", "ca_bundle");

    return path ? path : aws_config_env(config, "REQUESTS_CA_BUNDLE");
}

/* "Elastic Load Balancing v2" as variables and services sections spell it. */
static char *service_spelled(struct aws_service service, bool upper)
{
    char *text = mem_text(aws_service_id(service));

    for (char *c = text; *c; c++) {
        if (*c == ' ' || *c == '-')
            *c = '_';
        else
            *c = (char)(upper ? toupper((unsigned char)*c) : tolower((unsigned char)*c));
    }
    return text;
}

const char *aws_config_endpoint(const struct aws_config *config, struct aws_service service)
{
    const char *url, *services = aws_config_get(config, NULL, "services");
    char *spelled, *name;

    if (setting_true(config, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls"))
        return NULL;
    spelled = service_spelled(service, true);
    name = mem_printf("AWS_ENDPOINT_URL_%s", spelled);
    url = aws_config_env(config, name);
    free(name);
    free(spelled);
    if (!url)
        url = aws_config_env(config, "AWS_ENDPOINT_URL");
    if (!url && services) {
        spelled = service_spelled(service, false);
        name = mem_printf("%s.endpoint_url", spelled);
        url = aws_config_section(config, "services", services, name);
        free(name);
        free(spelled);
    }
    if (!url || !url[0])
        url = aws_config_get(config, NULL, "endpoint_url");
    return url && url[0] ? url : NULL;
}

/* ---- loading ---- */

static int profile_choose(struct aws_config *config, const char *chosen, struct err *err)
{
    const char *name = chosen ? chosen : aws_config_env(config, "AWS_DEFAULT_PROFILE"), *near;
    const char *from = chosen ? "--profile" : "AWS_DEFAULT_PROFILE";

    if (!name) {
        name = aws_config_env(config, "AWS_PROFILE");
        from = "AWS_PROFILE";
    }
    config->profile = mem_text(name ? name : "default");
    config->profile_chosen = chosen != NULL;
    if (!name || aws_config_has_profile(config, name))
        return 0;
    near = aws_config_profile_near(config, name);
    err_set(err, ERR_USAGE, "there is no profile \"%s\" (%s) in %s or %s%s%s%s", name, from,
            aws_config_file_shown(config, false), aws_config_file_shown(config, true), near ? "; did you mean \"" : "",
            near ? near : "", near ? "\"?" : "");
    err_explain(err, "A202");
    return -1;
}

static int services_check(const struct aws_config *config, struct err *err)
{
    const char *services = aws_config_get(config, NULL, "services");

    if (!services || aws_config_section(config, "services", services, NULL))
        return 0;
    return aws_config_error(config, config->profile, "services", err, "there is no section [services %s]", services);
}

struct aws_config *aws_config_load(struct world *world, const struct aws_config_options *options, struct err *err)
{
    struct aws_config *config = mem_alloc(sizeof(*config));

    config->world = world;
    config->env = options->env;
    config->ctx = options->ctx;
    config->home = mem_text(options->home);
    config->region = mem_text(options->region && options->region[0] ? options->region : NULL);
    config->files[0].credentials = true;
    if (file_load(config, &config->files[0], "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", err) == 0 &&
        file_load(config, &config->files[1], "AWS_CONFIG_FILE", ".aws/config", err) == 0 &&
        profile_choose(config, options->profile && options->profile[0] ? options->profile : NULL, err) == 0 &&
        services_check(config, err) == 0)
        return config;
    aws_config_free(config);
    return NULL;
}

void aws_config_free(struct aws_config *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < 2; i++) {
        ini_free(config->files[i].ini);
        free(config->files[i].path);
        free(config->files[i].shown);
    }
    free(config->home);
    free(config->profile);
    free(config->region);
    free(config);
}
