// SPDX-License-Identifier: BSD-2-Clause
/* What `skl status` makes of the records that a helper, or what claims to be one, sends. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "helper/cli/listing.h"
#include "helper/cli/report.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	/* what is printed is not for anybody; libFuzzer uses stderr */
	return freopen("/dev/null", "w", stdout) ? 0 : 1;
}

static void check(const struct report *r)
{
	size_t bindings = 0;

	for (size_t i = 0; i < r->n_listeners; i++) {
		const struct report_listener *l = &r->listeners[i];

		assert(i == 0 || r->listeners[i - 1].record.id <= l->record.id);
		assert(memchr(l->record.program, '\0', sizeof(l->record.program)));
		for (size_t b = 0; b < l->n_bindings; b++) {
			assert(l->bindings[b].listener == l->record.id);
			assert(memchr(l->bindings[b].less, '\0', sizeof(l->bindings[b].less)));
		}
		bindings += l->n_bindings;
	}
	assert(bindings == r->n_bindings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct report report;

	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	if (report_read(fd, &report) == 0) {
		check(&report);
		listing_table(&report, NULL, 0, 0);
		listing_table(&report, &report, size % 97, size % 11);
		assert(listing_json(&report) == 0);
		report_free(&report);
	}
	close(fd);
	return 0;
}
