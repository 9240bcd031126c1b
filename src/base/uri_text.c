/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/uri_text.h"

#include <string.h>

bool uri_is_made_of(const char *text, const char *characters)
{
	static const char hex[] = "0123456789abcdefABCDEF";

	if (!*text)
		return false;
	while (*(text += strspn(text, characters))) {
		if (text[0] != '%' || !text[1] || !strchr(hex, text[1]) ||
		    !text[2] || !strchr(hex, text[2]) ||
		    strncmp(text, "%00", 3) == 0)
			return false;
		text += 3;
	}
	return true;
}

bool uri_is_user(const char *text)
{
	return uri_is_made_of(text, URI_UNRESERVED "&=+$,;?/");
}
