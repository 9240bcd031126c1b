/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/options.h"

#include <stdio.h>
#include <unistd.h>

#include "config.h"

static const char usage[] =
    "usage: sealbridged [-c FILE] [-s NAME=VALUE]... [-t] [-V] [-h]\n";

static const char help[] =
    "\n"
    "  -c FILE        configuration file "
    "(" SB_SYSCONFDIR "/sealbridge.conf)\n"
    "  -s NAME=VALUE  override one key, e.g. token.required=yes\n"
    "  -t             check the configuration and end\n"
    "  -V             print the version and end\n"
    "  -h             print this text and end\n"
    "\n"
    "Exit status: 0, 1 failure, 2 usage, 69 token unusable, "
    "78 configuration error.\n";

int options_parse(int argc, char **argv, struct options *out)
{
	int c;

	*out = (struct options){ .file = SB_SYSCONFDIR "/sealbridge.conf" };
	while ((c = getopt(argc, argv, "c:s:tVh")) != -1) {
		switch (c) {
		case 'c': out->file = optarg; break;
		case 's':
			if (out->override_count == OVERRIDES_MAX) {
				fprintf(stderr,
					"sealbridged: more than %d -s\n",
					OVERRIDES_MAX);
				return EXIT_USAGE;
			}
			out->overrides[out->override_count++] = optarg;
			break;
		case 't': out->check_only = true; break;
		case 'V': printf("sealbridged %s\n", PACKAGE_VERSION); return 0;
		case 'h': printf("%s%s", usage, help); return 0;
		default: fputs(usage, stderr); return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "sealbridged: unexpected \"%s\"\n%s",
			argv[optind], usage);
		return EXIT_USAGE;
	}
	return -1;
}
