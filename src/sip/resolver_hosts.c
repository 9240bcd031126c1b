/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/resolver_hosts.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool names(char *rest, const char *name)
{
	static const char blanks[] = " \t\r\n";
	char *save = NULL;

	for (char *word = strtok_r(rest, blanks, &save); word;
	     word = strtok_r(NULL, blanks, &save))
		if (strcasecmp(word, name) == 0)
			return true;
	return false;
}

static void add(struct resolver_answer *a, const char *address)
{
	if (a->count < SIP_RECORDS_MAX)
		snprintf(a->addresses[a->count++], INET6_ADDRSTRLEN, "%s",
			 address);
}

static void take_line(char *line, const char *name, struct resolver_answer *v4,
		      struct resolver_answer *v6)
{
	uint8_t ip[16];
	char *address, *end;

	line[strcspn(line, "#")] = '\0';
	address = line + strspn(line, " \t");
	end = address + strcspn(address, " \t\r\n");
	if (!*end)
		return;
	*end = '\0';
	if (!names(end + 1, name))
		return;
	if (inet_pton(AF_INET, address, ip) == 1)
		add(v4, address);
	else if (inet_pton(AF_INET6, address, ip) == 1)
		add(v6, address);
}

bool resolver_hosts_find(const char *path, const char *name,
			 struct resolver_answer *v4, struct resolver_answer *v6)
{
	char line[RESOLVER_HOSTS_LINE_MAX + 1];
	bool skip = false;
	FILE *f = fopen(path, "re");

	v4->type = RESOLVER_A;
	v6->type = RESOLVER_AAAA;
	v4->ttl = v6->ttl = 0;
	v4->count = v6->count = 0;
	if (!f)
		return false;
	while (ftell(f) < RESOLVER_HOSTS_BYTES_MAX &&
	       fgets(line, sizeof(line), f)) {
		bool ends = strchr(line, '\n') || feof(f);

		if (ends && !skip)
			take_line(line, name, v4, v6);
		skip = !ends;
	}
	fclose(f);
	return v4->count || v6->count;
}
