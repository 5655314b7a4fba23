/*
 * The floor: the least that has to be asked of the kernel for what `tinbox run --rm IMAGE COMMAND` gives.
 *
 *     floor ROOTFS CONTAINERS MOUNT_POINT CGROUP COMMAND
 *
 * Runs COMMAND (a path in ROOTFS) with the namespaces, mounts, devices, masks, capabilities and seccomp filter of
 * Tinbox, on an overlay over ROOTFS whose upper layer is made in the directory CONTAINERS and removed afterwards, in a
 * cgroup below CGROUP (none if that is empty). As an ordinary user the same in a user namespace. Answers with
 * COMMAND's exit status.
 *
 * What it leaves out is what a runtime is for: it checks nothing, explains nothing, keeps no record of the
 * container, has no image store and no command line, does not stand between COMMAND and your terminal, passes on no
 * signals, trusts the paths in the image, and leaves its litter where it is if it is killed.
 */
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void must(bool done, const char *what)
{
    if (!done) {
        fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
        _exit(125);
    }
}

char *text(const char *format, ...)
{
    char *made = NULL;
    va_list arguments;
    va_start(arguments, format);
    must(vasprintf(&made, format, arguments) >= 0, "vasprintf");
    va_end(arguments);
    return made;
}

void write_file(const char *path, const char *line)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    must(fd >= 0 && write(fd, line, strlen(line)) == (ssize_t)strlen(line) && close(fd) == 0, path);
}

static void link_up(void)
{
    int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq link = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    must(any != -1 && ioctl(any, SIOCSIFFLAGS, &link) == 0 && close(any) == 0, "lo");
}

/* All that makes this process a container, in order. */
static void inside(const char *root, const char *overlay, const char *command, uid_t uid, gid_t gid)
{
    bool rootless = uid != 0;
    if (rootless) {
        write_file("/proc/self/setgroups", "deny");
        write_file("/proc/self/uid_map", text("0 %u 1", uid));
        write_file("/proc/self/gid_map", text("0 %u 1", gid));
    }
    umask(0);
    must(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, "dumpable");
    must(unshare(CLONE_NEWCGROUP) == 0, "unshare");
    link_up();
    must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private");
    must(mount("overlay", root, "overlay", MS_NODEV, overlay) == 0, "overlay");
    must(chdir(root) == 0, "chdir");
    mount_all(rootless);
    must(setsid() != -1, "setsid");
    protect();
    must(syscall(SYS_pivot_root, ".", ".") == 0, "pivot_root");
    must(umount2(".", MNT_DETACH) == 0 && chdir("/") == 0, "take the old root away");
    must(sethostname("floor", strlen("floor")) == 0, "sethostname");
    drop_privileges(rootless);
    must(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0, "pdeathsig");
    umask(022);
    become(command, (char *[]){"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=floor",
                               "HOME=/root", NULL});
}

/* Removes an upper layer in which nothing was written. For `volatile`, overlay made a few directories in `work`. */
static void remove_layer(const char *own, bool rootless)
{
    static const char *const left[] = {
        "work", "work/work", "work/work/incompat", "work/work/incompat/volatile", "upper",
    };
    must(chdir(own) == 0, own);
    if (rootless) { /* Overlay gave them a mode of 0. */
        for (size_t i = 0; i < 4; i++)
            must(chmod(left[i], 0700) == 0, left[i]);
    }
    must(unlink("work/work/incompat/volatile/dirty") == 0, "dirty");
    for (size_t i = COUNT(left); i-- > 0;)
        must(rmdir(left[i]) == 0, left[i]);
    must(rmdir(own) == 0, own);
}

int main(int count, char **arguments)
{
    if (count != 6) {
        fputs("usage: floor ROOTFS CONTAINERS MOUNT_POINT CGROUP COMMAND\n", stderr);
        return 125;
    }
    const char *rootfs = arguments[1], *containers = arguments[2], *mount_point = arguments[3], *parent = arguments[4];
    const char *own = text("%s/floor-%d", containers, getpid());
    const char *upper = text("%s/upper", own), *work = text("%s/work", own);
    must(mkdir(own, 0700) == 0 && mkdir(upper, 0755) == 0 && mkdir(work, 0700) == 0, own);

    uid_t uid = geteuid();
    gid_t gid = getegid();
    int group = -1;
    const char *cgroup = *parent ? make_cgroup(parent, uid != 0, &group) : NULL;
    struct clone_args clone = {
        .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |
                 (uid == 0 ? 0 : CLONE_NEWUSER) | (cgroup ? CLONE_INTO_CGROUP : 0),
        .exit_signal = SIGCHLD,
        .cgroup = cgroup ? (unsigned)group : 0,
    };
    const char *overlay = text("lowerdir=%s,upperdir=%s,workdir=%s,volatile%s", rootfs, upper, work,
                               uid == 0 ? "" : ",userxattr");
    pid_t pid = syscall(SYS_clone3, &clone, sizeof clone);
    must(pid != -1, "clone3");
    if (pid == 0)
        inside(mount_point, overlay, arguments[5], uid, gid);

    siginfo_t ended;
    must(waitid(P_PID, pid, &ended, WEXITED) == 0, "waitid");

    must(!cgroup || rmdir(cgroup) == 0, "rmdir of the cgroup");
    remove_layer(own, uid != 0);
    return ended.si_code == CLD_EXITED ? ended.si_status : 128 + ended.si_status;
}
