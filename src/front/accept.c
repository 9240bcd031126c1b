/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "front/address.h"
#include "front/conn.h"
#include "front/listener.h"

/* Who gets in: the one place where connections from outside are accepted. */

static bool fill_control(struct peer *p, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return false;
	p->uid = cred.uid;
	p->gid = cred.gid;
	snprintf(p->address, sizeof(p->address), "local");
	return true;
}

static void refuse(struct front *f, int fd)
{
	atomic_fetch_add(&f->stats.refused, 1);
	close(fd);
}

/* Is there room for another connection in all? Each kind has its own, so that
 * none takes the way in from the others. */
static bool has_room(struct front *f, enum peer_via via)
{
	/* The control socket is how the administrator gets in when everything
	 * else is taken. */
	if (via == PEER_CONTROL)
		return f->control_count < CONTROL_MAX;
	/* A call may hang on any of these: none makes room for another. */
	if (via_is_stream(via))
		return f->flow_count < f->limits.flows;
	return f->conn_count - f->control_count - f->flow_count <
		   f->limits.connections ||
	       conn_evict_idle(f);
}

static struct admission_entry *enter(struct front *f, enum peer_via via,
				     const struct sockaddr_storage *sa)
{
	const struct sockaddr *from = (const struct sockaddr *)sa;

	return via_is_stream(via)
		   ? admission_enter(&f->flows, from, f->limits.flows_per_peer)
		   : admission_enter(&f->admission, from,
				     f->limits.connections_per_peer);
}

static bool fill(struct peer *p, int fd, const struct sockaddr_storage *sa)
{
	if (p->via == PEER_CONTROL)
		return fill_control(p, fd);
	return address_text(sa, p->address, &p->port) &&
	       address_local(fd, p->local_address, &p->local_port);
}

static void admit(struct listener *l, int fd, const struct sockaddr_storage *sa)
{
	struct front *f = l->front;
	struct admission_entry *entry = NULL;
	struct peer p = { .connection = ++f->next_connection,
			  .opened_ms = clock_monotonic_ms(),
			  .via = l->group->via };
	bool control = p.via == PEER_CONTROL;

	if (!fill(&p, fd, sa)) {
		refuse(f, fd);
		return;
	}
	if (!control) {
		entry = enter(f, p.via, sa);
		if (!entry) {
			refuse(f, fd);
			return;
		}
	}
	if (!has_room(f, p.via)) {
		admission_leave(entry);
		refuse(f, fd);
		return;
	}
	atomic_fetch_add(&f->stats.accepted, 1);
	if (!control)
		log_at(LOG_LEVEL_DETAILED_TRACE, l->group->name,
		       "connection from %s port %u", p.address, p.port);
	conn_new(f, fd, &p, entry, &l->group->stream);
}

/* Out of descriptors: give up the spare one for a moment, so that the client
 * is refused instead of waiting, and the event does not come back for ever.
 * Leaves errno as accept would: 0 for a client refused. */
static void refuse_with_spare(struct listener *l)
{
	struct front *f = l->front;
	int fd, saved;

	if (f->spare_fd < 0)
		return;
	close(f->spare_fd);
	fd = accept4(l->watch.fd, NULL, NULL, SOCK_CLOEXEC);
	saved = fd >= 0 ? 0 : errno;
	if (fd >= 0)
		refuse(f, fd);
	f->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	errno = saved;
}

static void pause_listener(struct listener *l)
{
	log_warning("front", "listener %s pauses: %s", l->group->name,
		    strerror(errno));
	deadline_set(&l->front->deadlines, &l->pause, DEADLINE_ACCEPT);
	listener_arm(l);
}

void accept_ready(struct watch *w, uint32_t events)
{
	struct listener *l = list_owner(w, struct listener, watch);

	(void)events;
	for (int i = 0; i < ACCEPT_BATCH && w->fd >= 0; i++) {
		struct sockaddr_storage sa;
		socklen_t len = sizeof(sa);
		int fd = accept4(w->fd, (struct sockaddr *)&sa, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			admit(l, fd, &sa);
			continue;
		}
		if (errno == EMFILE)
			refuse_with_spare(l);
		if (errno == EAGAIN)
			return;
		if (errno == 0 || errno == EINTR || errno == ECONNABORTED)
			continue;
		pause_listener(l);
		return;
	}
}
