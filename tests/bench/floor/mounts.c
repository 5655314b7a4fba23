/* The file systems of a container: the same, in the same order, as `tinbox run --explain` tells. */
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define NOTHING_SPECIAL (MS_NOSUID | MS_NODEV | MS_NOEXEC)

static const struct { const char *name; int major, minor; } NODES[] = {
    {"dev/null", 1, 3}, {"dev/zero", 1, 5}, {"dev/full", 1, 7}, {"dev/random", 1, 8}, {"dev/urandom", 1, 9},
    {"dev/tty", 5, 0},
};

static const char *const LINKS[][2] = {
    {"/proc/self/fd", "dev/fd"},       {"/proc/self/fd/0", "dev/stdin"}, {"/proc/self/fd/1", "dev/stdout"},
    {"/proc/self/fd/2", "dev/stderr"}, {"pts/ptmx", "dev/ptmx"},
};

static const char *const READ_ONLY[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};

static const char *const MASKED_DIRECTORIES[] = {
    "proc/acpi", "proc/asound", "proc/scsi", "sys/devices/virtual/powercap", "sys/firmware",
};

static const char *const MASKED_FILES[] = {
    "proc/interrupts", "proc/kcore", "proc/keys", "proc/latency_stats", "proc/sched_debug", "proc/timer_list",
};

/* The kernel's mount_attr; the header that has it and <sys/mount.h> cannot always be had together. */
struct attributes { uint64_t set, clear, propagation, userns_fd; };

static void put_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)
{
    must(mount(source, target, type, flags, data) == 0, target);
}

/* The same on something that not every machine has. Answers whether it is there. */
static bool try_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)
{
    bool done = mount(source, target, type, flags, data) == 0;
    must(done || errno == ENOENT, target);
    return done;
}

static void device_node(const char *name, int major, int minor, bool rootless)
{
    mode_t kind = rootless ? S_IFREG : S_IFCHR;
    must(mknod(name, kind | 0666, rootless ? 0 : makedev(major, minor)) == 0, name);
    if (rootless)
        put_mount(text("/%s", name), name, NULL, MS_BIND, NULL);
}

void mount_all(bool rootless)
{
    put_mount("proc", "proc", "proc", NOTHING_SPECIAL, NULL);
    put_mount("sysfs", "sys", "sysfs", NOTHING_SPECIAL | MS_RDONLY, NULL);
    if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0)
        put_mount("cgroup2", "sys/fs/cgroup", "cgroup2", NOTHING_SPECIAL | MS_RDONLY, NULL);
    put_mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=64k");
    for (size_t i = 0; i < COUNT(NODES); i++)
        device_node(NODES[i].name, NODES[i].major, NODES[i].minor, rootless);
    for (size_t i = 0; i < COUNT(LINKS); i++)
        must(symlink(LINKS[i][0], LINKS[i][1]) == 0, LINKS[i][1]);
    must(mkdir("dev/pts", 0755) == 0 && mkdir("dev/shm", 0755) == 0 && mkdir("dev/mqueue", 0755) == 0, "mkdir in /dev");
    const char *terminals = text("newinstance,ptmxmode=0666,mode=620%s", rootless ? "" : ",gid=5");
    put_mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, terminals);
    put_mount("shm", "dev/shm", "tmpfs", NOTHING_SPECIAL, "mode=1777,size=64m");
    put_mount("mqueue", "dev/mqueue", "mqueue", NOTHING_SPECIAL, NULL);
}

void protect(void)
{
    struct attributes attributes = {.set = 1 /* MOUNT_ATTR_RDONLY */};
    for (size_t i = 0; i < COUNT(READ_ONLY); i++) {
        const char *path = READ_ONLY[i];
        if (try_mount(path, path, NULL, MS_BIND | MS_REC, NULL))
            must(syscall(442 /* mount_setattr */, AT_FDCWD, path, AT_RECURSIVE, &attributes, sizeof attributes) == 0, path);
    }
    for (size_t i = 0; i < COUNT(MASKED_DIRECTORIES); i++)
        try_mount("tmpfs", MASKED_DIRECTORIES[i], "tmpfs", NOTHING_SPECIAL | MS_RDONLY, "nr_inodes=1");
    for (size_t i = 0; i < COUNT(MASKED_FILES); i++)
        try_mount("/dev/null", MASKED_FILES[i], NULL, MS_BIND, NULL);
}
