/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_ACCOUNT_TEXTS_H
#define SB_TESTS_UNIT_ACCOUNT_TEXTS_H

/* As long as a name or a password may be, in characters. */

#define EURO3  "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
#define EURO30 EURO3 EURO3 EURO3 EURO3 EURO3 EURO3 EURO3 EURO3 EURO3 EURO3
#define EURO31 EURO30 "\xe2\x82\xac"
#define X31    "1234567890123456789012345678901"

#endif
