// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/wanted.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/cli/skl.h"
#include "helper/rules/request.h"

/* A time to hold is read only beside the share that it is for. */
#define A_SHARE "SKL_SHARE=any"

/* The request names the variable, which nobody typed: what comes after that is the reason. */
static const char *reason_of(const struct say *said, const char *variable, int err)
{
	const char *last = strrchr(said->text, '\n'); /* before it are remarks, as about host bits */
	const char *why = last ? last + 1 : said->text;
	char start[100];
	int length = snprintf(start, sizeof(start), "%s: %s: ", variable, strerror(-err));

	return strncmp(why, start, (size_t)length) == 0 ? why + length : why;
}

int wanted_check(const char *option, const char *variable, const char *value)
{
	const char *beside = strcmp(variable, "SKL_HOLD") == 0 ? A_SHARE : "";
	struct request r = {0};
	struct say said = {0};
	char *text;
	int err, length = asprintf(&text, "%s=%s%c%s", variable, value, '\0', beside);

	if (length < 0) {
		complain("%s: %s", option, strerror(ENOMEM));
		return -ENOMEM;
	}
	/* with the NUL that ends the last one */
	err = request_parse(text, (size_t)length + (*beside != '\0'), &r, &said);
	if (err)
		complain("%s: %s", option, reason_of(&said, variable, err));
	request_free(&r);
	free(text);
	return err;
}
