/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_FRONT_ADDRESS_H
#define SB_FRONT_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"

/* Numeric addresses of sockets. */

/* IPv4 or IPv6 in text. ERR_INPUT: it is neither. */
int address_parse(const char *text, uint16_t port, struct sockaddr_storage *out,
		  struct error *e) MUST_CHECK;
socklen_t address_length(const struct sockaddr_storage *sa);
uint16_t address_port(const struct sockaddr_storage *sa);
void address_set_port(struct sockaddr_storage *sa, uint16_t port);
bool address_text(const struct sockaddr_storage *sa, char out[INET6_ADDRSTRLEN],
		  uint16_t *port_out);
/* Our end of a connected socket. */
bool address_local(int fd, char out[INET6_ADDRSTRLEN], uint16_t *port_out);
/* "0.0.0.0" or "::" */
bool address_is_wildcard(const struct sockaddr_storage *sa);
/* Family and address, without the port. */
bool address_same_host(const struct sockaddr_storage *a,
		       const struct sockaddr_storage *b);

#endif
