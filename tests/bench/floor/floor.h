/* What the parts of the floor have in common. floor.c says what it is. */
#ifndef FLOOR_H
#define FLOOR_H

#define _GNU_SOURCE
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Ends the program, with errno, unless it is `done`. */
void must(bool done, const char *what);
/* A text made as by printf, never freed. */
char *text(const char *format, ...);
/* Writes one line to a file that is there. */
void write_file(const char *path, const char *line);

/* mounts.c: proc, sysfs, cgroup2 and /dev in the new root, which is the working directory. */
void mount_all(bool rootless);
/* mounts.c: what in there is the machine's becomes read-only, or hidden. */
void protect(void);

/* limits.c: an empty cgroup below `parent`, for root with a list of devices. Answers with its name and descriptor. */
const char *make_cgroup(const char *parent, bool rootless, int *fd);
/* limits.c: gives away all that a container does not keep: capabilities, groups, calls. */
void drop_privileges(bool rootless);
/* limits.c: becomes `command`, through a small program in sealed memory. */
void become(const char *command, char *const environment[]);

#endif
