// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "helper/cli/listing.h"
#include "helper/cli/skl.h"

static volatile sig_atomic_t ended;

static void on_signal(int signal)
{
	ended = 1;
}

static void draw(const struct report *report, const struct report *before)
{
	struct winsize size = {0};

	/* from the top left corner, over what was there */
	if (isatty(STDOUT_FILENO)) {
		fputs("\033[H\033[J", stdout);
		ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	}
	listing_all(report, before, size.ws_col, size.ws_row ? size.ws_row - 1 : 0);
	fflush(stdout);
}

int watch(const struct filter *filter)
{
	const struct sigaction end = {.sa_handler = on_signal}; /* ends the sleep: no SA_RESTART */
	const struct timespec second = {.tv_sec = 1};
	struct report before = {0}, now;

	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	while (!ended && !ferror(stdout)) {
		if (report_fetch(&now) == 0) {
			filter_apply(filter, &now);
			draw(&now, &before);
			report_free(&before);
			before = now;
		}
		nanosleep(&second, NULL);
	}
	report_free(&before);
	return SKL_OK;
}
