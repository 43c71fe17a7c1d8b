/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the helper's two processes give up before the first byte of a client is
 * read. Where they are built with a sanitizer, whose run time looks at files
 * and at the process itself, only capabilities go (ISOLATE_INSTRUMENTED).
 */
#ifndef SKL_ISOLATE_H
#define SKL_ISOLATE_H

#if defined(__SANITIZE_ADDRESS__)
#define ISOLATE_INSTRUMENTED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ISOLATE_INSTRUMENTED 1
#endif
#endif
#ifndef ISOLATE_INSTRUMENTED
#define ISOLATE_INSTRUMENTED 0
#endif

enum isolate_part {
	ISOLATE_MAIN, /* reads what clients send: makes maps and programs, works on descriptors that it has */
	ISOLATE_BROKER, /* goes into other namespaces and looks at processes; hears only the main process */
};

/*
 * For the whole process, and its children: no program that it executes gains
 * privileges, and no process of the same user may look into it. First of all.
 */
void isolate_begin(void);

/*
 * From now on this process sees nothing of the file system but `directory`,
 * which is its current directory and its root; descriptors that it has still
 * work. Returns 0 or -errno; root must be able to (CAP_SYS_CHROOT), of another
 * user it is said when it is not: his rights to files are few.
 */
int isolate_files(const char *directory);

/*
 * Keeps the capabilities of this part alone, in one set, and gives up the
 * bounding set where the right to do so is there. Returns 0, or -EPERM when
 * one that is needed is missing, which is logged by name.
 */
int isolate_capabilities(enum isolate_part part);

/*
 * From now on only the system calls of this part (filter.c). To be called while
 * the process has one thread. Returns 0 or -errno.
 */
int isolate_calls(enum isolate_part part);

#endif
