/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "auth/certificate_mode.h"

enum certificate_mode certificate_mode_in_force(struct settings *s)
{
	return (enum certificate_mode)settings_choice(
	    s, SETTING_CLIENT_CERTIFICATE);
}
