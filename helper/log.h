/* SPDX-License-Identifier: BSD-2-Clause */
/* The helper's log: stderr, one line each, with the syslog priority that journald understands ("<6>"). */
#ifndef SKL_LOG_H
#define SKL_LOG_H

enum log_level { LOG_ERROR = 3, LOG_WARN = 4, LOG_NOTICE = 5, LOG_INFO = 6, LOG_DEBUG = 7 };

/* "error", "warning", "notice", "info" or "debug" from now on. Returns 0, or -EINVAL for another word. */
int log_set_level(const char *word);

/* Newlines and other control characters inside the line are shown as '?': users' text must not forge lines.
 */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)	log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)	log_line(LOG_WARN, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)	log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)	log_line(LOG_DEBUG, __VA_ARGS__)

#endif
