/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_FRONT_LISTENER_H
#define SB_FRONT_LISTENER_H

#include <sys/stat.h>
#include <sys/un.h>

#include "front/front_private.h"

enum { LISTEN_NAME_MAX = 32, LISTEN_ADDRESSES_MAX = 16 };

/* One listening socket. */
struct listener {
	struct watch watch;
	struct front *front;
	struct listen_group *group;
	struct list node;             /* group->listeners */
	struct sockaddr_storage addr; /* as asked for; none of control */
	bool keep;                    /* while moving: is wanted */
	bool fresh;                   /* while moving: was not there before */
	struct deadline pause;
};

/* All sockets of one name. */
struct listen_group {
	struct list node; /* front->groups */
	struct list listeners;
	char name[LISTEN_NAME_MAX];
	enum peer_via via;
	struct front_stream_ops stream;
	bool udp; /* via and stream mean nothing */
	struct front_datagram_ops datagram;
	/* The control socket: what to remove at the end, if it is still ours */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	dev_t dev;
	ino_t ino;
};

struct listen_group *listen_group_find(struct front *f, const char *name);
/* Found or made, and added to the front. */
struct listen_group *listen_group_get(struct front *f, const char *name,
				      struct error *e) MUST_CHECK;
/* A socket that listens already; is taken. NULL: it was closed. */
struct listener *listener_add(struct listen_group *g, struct front *f, int fd,
			      void (*ready)(struct watch *w, uint32_t events),
			      struct error *e) MUST_CHECK;
void listener_close(struct listener *l);
/* Wait for connections, unless there is no certificate for them yet. */
void listener_arm(struct listener *l);
/* -1, with fd closed: errno says why text and port cannot be had. */
int listen_failed(int fd, const char *text, uint16_t port, struct error *e);

/* udp.c: a socket (the descriptor, or -1), and what has come to it. */
int udp_open(const struct sockaddr_storage *sa, const char *text, uint16_t port,
	     struct error *e) MUST_CHECK;
void udp_ready(struct watch *w, uint32_t events);

#endif
