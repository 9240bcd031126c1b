/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/listener.h"

/* The control socket. */

/* A socket that nobody answers on is what a killed process left. */
static int remove_dead(const struct sockaddr_un *un, struct error *e)
{
	struct stat st;
	int fd, rc;

	if (lstat(un->sun_path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return error_set(e, ERR_CONFLICT, "%s is there and no socket",
				 un->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_errno(e, "control socket");
	rc = connect(fd, (const struct sockaddr *)un, sizeof(*un));
	close(fd);
	if (rc == 0)
		return error_set(e, ERR_CONFLICT,
				 "another process answers on %s", un->sun_path);
	if (unlink(un->sun_path) < 0 && errno != ENOENT)
		return error_errno(e, "%s", un->sun_path);
	return 0;
}

static int open_control(const struct sockaddr_un *un, struct stat *st,
			struct error *e)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return error_errno(e, "control socket");
	/* The mode of the descriptor is what bind() gives the file: there is
	 * no moment at which it is wider. */
	if (fchmod(fd, 0660) < 0 ||
	    bind(fd, (const struct sockaddr *)un, sizeof(*un)) < 0 ||
	    chmod(un->sun_path, 0660) < 0 || listen(fd, BACKLOG) < 0 ||
	    lstat(un->sun_path, st) < 0) {
		error_errno(e, "%s", un->sun_path);
		close(fd);
		return -1;
	}
	return fd;
}

int front_listen_control(struct front *f, const char *path, struct error *e)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct listen_group *g;
	struct listener *l;
	struct stat st;
	int fd;

	if (strlen(path) >= sizeof(un.sun_path))
		return error_set(e, ERR_CONFIG, "socket path too long: %s",
				 path);
	strcpy(un.sun_path, path);
	if (listen_group_find(f, "control"))
		return error_set(e, ERR_CONFLICT,
				 "the control socket is open already");
	if (remove_dead(&un, e) < 0)
		return -1;
	fd = open_control(&un, &st, e);
	if (fd < 0)
		return -1;
	g = listen_group_get(f, "control", e);
	if (!g) {
		close(fd);
		return -1;
	}
	g->via = PEER_CONTROL;
	strcpy(g->path, path);
	g->dev = st.st_dev;
	g->ino = st.st_ino;
	l = listener_add(g, f, fd, accept_ready, e);
	if (!l) {
		front_unlisten(f, "control");
		return -1;
	}
	listener_arm(l);
	return 0;
}
