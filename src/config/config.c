/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_private.h"

#define DEFAULTS_SECTION "defaults"

static const struct key_row keys[] = {
#define KEY(section, name, member, type, fallback, min, max) \
	{ section,                                           \
	  name,                                              \
	  offsetof(struct config, member),                   \
	  CONFIG_TYPE_##type,                                \
	  fallback,                                          \
	  min,                                               \
	  max },
#include "config/config_keys.def"
#undef KEY
};

enum { KEY_COUNT = sizeof(keys) / sizeof(*keys) };

/* One source of keys: a file or the overrides. */
struct loader {
	struct config *config;
	const char *file; /* NULL: overrides */
	bool seen[KEY_COUNT];
	size_t defaults_before;
};

static bool section_known(const char *section)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (!strcmp(keys[i].section, section))
			return true;
	return false;
}

/* A factory default of a setting; what it means is checked by settings_new().
 */
static int set_default(struct loader *l, unsigned line, const char *name,
		       const char *value, struct error *e)
{
	struct config *c = l->config;
	const char *file = l->file ? l->file : "-s";
	char *new_name, *new_value, *new_file;
	size_t at = 0;

	while (at < c->default_count && strcmp(c->defaults[at].name, name) != 0)
		at++;
	if (at < c->default_count && line &&
	    !strcmp(c->defaults[at].file, file))
		return error_set(e, ERR_CONFIG,
				 "\"%s\" stands there twice (first in line %u)",
				 name, c->defaults[at].line);
	if (at >= CONFIG_DEFAULTS_MAX)
		return error_set(e, ERR_CONFIG, "more than %d defaults",
				 CONFIG_DEFAULTS_MAX);
	new_name = strdup(name);
	new_value = strdup(value);
	new_file = strdup(file);
	if (!new_name || !new_value || !new_file) {
		free(new_name);
		free(new_value);
		free(new_file);
		return error_nomem(e);
	}
	free(c->defaults[at].name);
	free(c->defaults[at].value);
	free(c->defaults[at].file);
	c->defaults[at].name = new_name;
	c->defaults[at].value = new_value;
	c->defaults[at].file = new_file;
	c->defaults[at].line = line;
	if (at == c->default_count)
		c->default_count++;
	return 0;
}

static int set_key(void *arg, unsigned line, const char *section,
		   const char *name, const char *value, struct error *e)
{
	struct loader *l = arg;

	if (!strcmp(section, DEFAULTS_SECTION))
		return set_default(l, line, name, value, e);
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (strcmp(keys[i].section, section) != 0 ||
		    strcmp(keys[i].name, name) != 0)
			continue;
		if (line && l->seen[i])
			return error_set(e, ERR_CONFIG,
					 "\"%s\" stands there twice", name);
		l->seen[i] = true;
		return config_value_set(l->config, &keys[i], value, e);
	}
	if (!*section)
		return error_set(e, ERR_CONFIG, "\"%s\" before any [section]",
				 name);
	if (section_known(section))
		return error_set(e, ERR_CONFIG, "unknown key \"%s\" in [%s]",
				 name, section);
	return error_set(e, ERR_CONFIG, "unknown section [%s]", section);
}

static int read_file(struct config *c, const char *path, struct error *e)
{
	struct loader l = { .config = c, .file = path };

	return config_file_read(path, set_key, &l, e);
}

static int is_conf_file(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 &&
	       !strcmp(d->d_name + n - 5, ".conf");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_directory(struct config *c, const char *directory,
			  struct error *e)
{
	struct dirent **entries = NULL;
	int n = scandir(directory, &entries, is_conf_file, by_name), rc = 0;
	char *path;

	if (n < 0 && errno == ENOENT)
		return 0;
	if (n < 0) {
		error_errno(e, "%s", directory);
		e->kind = ERR_CONFIG;
		return -1;
	}
	if (n > CONFIG_FILES_MAX)
		rc = error_set(e, ERR_CONFIG, "%s: more than %d files",
			       directory, CONFIG_FILES_MAX);
	for (int i = 0; i < n; i++) {
		if (rc == 0 && asprintf(&path, "%s/%s", directory,
					entries[i]->d_name) < 0) {
			rc = error_nomem(e);
		} else if (rc == 0) {
			rc = read_file(c, path, e);
			free(path);
		}
		free(entries[i]);
	}
	free(entries);
	return rc;
}

/* conf.d stands beside the file. */
static int read_conf_d(struct config *c, struct error *e)
{
	const char *slash = strrchr(c->file, '/');
	int head = slash ? (int)(slash - c->file + 1) : 0, rc;
	char *directory;

	if (asprintf(&directory, "%.*sconf.d", head, c->file) < 0)
		return error_nomem(e);
	rc = read_directory(c, directory, e);
	free(directory);
	return rc;
}

static int apply_override(struct loader *l, const char *text, struct error *e)
{
	const char *equal = strchr(text, '='), *dot = strchr(text, '.');
	char *section, *name = NULL;
	int rc = -1;

	if (!equal || !dot || dot > equal)
		return error_set(e, ERR_CONFIG,
				 "-s \"%.100s\": not SECTION.KEY=VALUE", text);
	section = strndup(text, (size_t)(dot - text));
	name = strndup(dot + 1, (size_t)(equal - dot - 1));
	if (!section || !name)
		error_nomem(e);
	else
		rc = set_key(l, 0, section, name, equal + 1, e);
	if (rc < 0)
		error_prefix(e, "-s \"%.*s\"", (int)(equal - text), text);
	free(section);
	free(name);
	return rc;
}

static int set_fallbacks(struct config *c, struct error *e)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (keys[i].fallback &&
		    config_value_set(c, &keys[i], keys[i].fallback, e) < 0)
			return error_prefix(e, "built-in default of %s",
					    keys[i].name);
	return 0;
}

/* Each key may be right by itself. Said here, so that -t and a restart say it,
 * too, and not only the start, which would fail. */
static int check_together(const struct config *c, struct error *e)
{
	unsigned first = c->sip_first_media_port, last = c->sip_last_media_port;

	if (first + (first & 1) < last)
		return 0;
	return error_set(e, ERR_CONFIG,
			 "%s: [sip]: media ports %u to %u: each call needs an "
			 "even one and the next, and there is no such pair",
			 c->file, first, last);
}

struct config *config_load(const char *file, const char *const *overrides,
			   size_t override_count, struct error *e)
{
	struct config *c = calloc(1, sizeof(*c));
	struct loader l = { .config = c };

	if (!c || !(c->file = strdup(file))) {
		error_nomem(e);
		goto fail;
	}
	if (set_fallbacks(c, e) < 0 || read_file(c, file, e) < 0 ||
	    read_conf_d(c, e) < 0)
		goto fail;
	for (size_t i = 0; i < override_count; i++)
		if (apply_override(&l, overrides[i], e) < 0)
			goto fail;
	if (check_together(c, e) < 0 || config_fill_defaults(c, e) < 0)
		goto fail;
	return c;
fail:
	config_free(c);
	return NULL;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < KEY_COUNT; i++)
		config_value_free(c, &keys[i]);
	for (size_t i = 0; i < c->default_count; i++) {
		free(c->defaults[i].name);
		free(c->defaults[i].value);
		free(c->defaults[i].file);
	}
	free(c->file);
	free(c);
}
