/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/run_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "config.h"

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

static const char *file_in(const char *directory, const char *name,
			   char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%s", directory, name);
	return out;
}

/* --- what it was ---------------------------------------------------------- */

static const char *what_broke_off(const struct run_mark *m, const char *boot)
{
	if (!m->boot[0] || !boot[0])
		return "the run before broke off";
	if (strcmp(m->boot, boot) != 0)
		return "the machine lost power or was reset while the service "
		       "ran";
	return "the service crashed or was killed";
}

static const char *what_began(const struct run_mark *m, const char *boot)
{
	if (m->before == RUN_NONE)
		return "the first start";
	if (m->boot[0] && boot[0] && strcmp(m->boot, boot) != 0)
		return "the machine was started";
	return "the service was started";
}

bool run_mark_judge(const struct run_mark *m, const char *version,
		    const char *boot, bool restarted, const char **reason_out,
		    char detail[STORE_NAME_MAX + 1])
{
	bool broke_off = !restarted && m->before == RUN_BROKE_OFF;
	bool upgraded = m->before != RUN_NONE && m->version[0] &&
			strcmp(m->version, version) != 0;
	char versions[2 * RUN_VERSION_SIZE + 16] = "";

	if (upgraded)
		snprintf(versions, sizeof(versions), "%s -> %.31s", m->version,
			 version);
	if (broke_off) {
		*reason_out = "unknown";
		snprintf(detail, STORE_NAME_MAX + 1, "%.60s%s%.66s",
			 what_broke_off(m, boot), upgraded ? "; " : "",
			 versions);
	} else if (upgraded) {
		*reason_out = "User requested upgrade";
		snprintf(detail, STORE_NAME_MAX + 1, "%s", versions);
	} else {
		*reason_out = "Cold boot";
		snprintf(detail, STORE_NAME_MAX + 1, "%s", what_began(m, boot));
	}
	return !restarted || upgraded;
}

/* --- the files ------------------------------------------------------------ */

/* A line of the file; whoever has written in it says nothing more than that. */
static void read_line(FILE *f, char *out, size_t size)
{
	char line[128] = "";

	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	utf8_line(view_str(line), out, size);
}

static bool read_mark(const char *path, struct run_mark *m)
{
	FILE *f = fopen(path, "re");

	if (!f)
		return false;
	read_line(f, m->version, sizeof(m->version));
	read_line(f, m->boot, sizeof(m->boot));
	fclose(f);
	return true;
}

static struct run_mark find_mark(const char *directory)
{
	struct run_mark m = { .before = RUN_NONE };
	char path[PATH_MAX];

	if (read_mark(file_in(directory, "running", path), &m))
		m.before = RUN_BROKE_OFF;
	else if (read_mark(file_in(directory, "last-run", path), &m))
		m.before = RUN_ENDED;
	return m;
}

static void read_boot(char out[RUN_BOOT_SIZE])
{
	FILE *f = fopen(BOOT_ID_FILE, "re");

	out[0] = '\0';
	if (!f)
		return;
	read_line(f, out, RUN_BOOT_SIZE);
	fclose(f);
}

/* To the disk at once: a cut of the power is what it is there for. */
static int write_mark(const char *path, const char *boot, struct error *e)
{
	char text[RUN_VERSION_SIZE + RUN_BOOT_SIZE + 4];
	int n =
	    snprintf(text, sizeof(text), "%.31s\n%s\n", PACKAGE_VERSION, boot);
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc = 0;

	if (fd < 0)
		return error_errno(e, "%s", path);
	if (write(fd, text, (size_t)n) != n || fsync(fd) < 0)
		rc = error_errno(e, "%s", path);
	close(fd);
	return rc;
}

int run_mark_set(const char *state_directory, bool restarted, struct store *s,
		 bool *unclean_out, struct error *e)
{
	struct run_mark m = find_mark(state_directory);
	char boot[RUN_BOOT_SIZE], detail[STORE_NAME_MAX + 1], path[PATH_MAX];
	const char *reason;

	*unclean_out = m.before == RUN_BROKE_OFF;
	read_boot(boot);
	if (run_mark_judge(&m, PACKAGE_VERSION, boot, restarted, &reason,
			   detail) &&
	    store_restart_add(s, clock_now(), reason, detail, e) < 0)
		return -1;
	return write_mark(file_in(state_directory, "running", path), boot, e);
}

/* By another name, which a full disk does not hinder. */
void run_mark_clear(const char *state_directory)
{
	char from[PATH_MAX], to[PATH_MAX];

	if (rename(file_in(state_directory, "running", from),
		   file_in(state_directory, "last-run", to)) < 0)
		unlink(from);
}
