/*
 * The floor: the least that has to be asked of the kernel for what `tinbox run --rm IMAGE COMMAND` gives.
 *
 *     floor ROOTFS CONTAINERS MOUNT_POINT COMMAND
 *
 * Runs COMMAND (a path in ROOTFS) with the namespaces, mounts, devices and capabilities of Tinbox, on an overlay
 * over ROOTFS whose upper layer is made in the directory CONTAINERS and removed afterwards. As an ordinary user the
 * same in a user namespace. Answers with COMMAND's exit status.
 *
 * What it leaves out is what a runtime is for: it checks nothing, explains nothing, keeps no record of the
 * container, has no image store and no command line, does not stand between COMMAND and your terminal, passes on no
 * signals, and leaves its litter where it is if it is killed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOTHING_SPECIAL (MS_NOSUID | MS_NODEV | MS_NOEXEC)

/* Docker's default capabilities, by number. */
static const int KEPT[] = {
    CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FSETID,  CAP_FOWNER,           CAP_NET_RAW, CAP_SETGID,
    CAP_SETUID, CAP_SETFCAP,      CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_KILL,    CAP_AUDIT_WRITE,
};

static const struct { const char *name; int major, minor; } NODES[] = {
    {"dev/null", 1, 3}, {"dev/zero", 1, 5}, {"dev/full", 1, 7}, {"dev/random", 1, 8}, {"dev/urandom", 1, 9},
    {"dev/tty", 5, 0},
};

static const char *const LINKS[][2] = {
    {"/proc/self/fd", "dev/fd"},         {"/proc/self/fd/0", "dev/stdin"}, {"/proc/self/fd/1", "dev/stdout"},
    {"/proc/self/fd/2", "dev/stderr"},   {"pts/ptmx", "dev/ptmx"},
};

/* The kernel's mount_attr; the header that has it and <sys/mount.h> cannot always be had together. */
struct attributes { uint64_t set, clear, propagation, userns_fd; };

static void must(bool done, const char *what)
{
    if (!done) {
        fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
        _exit(125);
    }
}

static char *text(const char *format, ...)
{
    char *made = NULL;
    va_list arguments;
    va_start(arguments, format);
    must(vasprintf(&made, format, arguments) >= 0, "vasprintf");
    va_end(arguments);
    return made;
}

static void put_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)
{
    must(mount(source, target, type, flags, data) == 0, target);
}

static void read_only(const char *path)
{
    struct attributes attributes = {.set = 1 /* MOUNT_ATTR_RDONLY */};
    must(syscall(442 /* mount_setattr */, AT_FDCWD, path, AT_RECURSIVE, &attributes, sizeof attributes) == 0, path);
}

static void write_file(const char *path, const char *line)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    must(fd >= 0 && write(fd, line, strlen(line)) == (ssize_t)strlen(line) && close(fd) == 0, path);
}

/* proc, sysfs and /dev, in the new root, which is the working directory. */
static void mount_devices(bool rootless)
{
    static const char *const settings[] = {"proc/sys", "proc/sysrq-trigger", "proc/irq", "proc/bus"};
    put_mount("proc", "proc", "proc", NOTHING_SPECIAL, NULL);
    for (size_t i = 0; i < COUNT(settings); i++) {
        if (mount(settings[i], settings[i], NULL, MS_BIND | MS_REC, NULL) == 0)
            read_only(settings[i]);
    }
    if (rootless) {
        put_mount("/sys", "sys", NULL, MS_BIND | MS_REC, NULL);
        read_only("sys");
    } else {
        put_mount("sysfs", "sys", "sysfs", NOTHING_SPECIAL | MS_RDONLY, NULL);
    }
    put_mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=64k");
    for (size_t i = 0; i < COUNT(NODES); i++) {
        mode_t kind = rootless ? S_IFREG : S_IFCHR;
        dev_t number = rootless ? 0 : makedev(NODES[i].major, NODES[i].minor);
        must(mknod(NODES[i].name, kind | 0666, number) == 0, NODES[i].name);
        if (rootless)
            put_mount(text("/%s", NODES[i].name), NODES[i].name, NULL, MS_BIND, NULL);
    }
    for (size_t i = 0; i < COUNT(LINKS); i++)
        must(symlink(LINKS[i][0], LINKS[i][1]) == 0, LINKS[i][1]);
    must(mkdir("dev/pts", 0755) == 0 && mkdir("dev/shm", 0755) == 0 && mkdir("dev/mqueue", 0755) == 0, "mkdir in /dev");
    const char *terminals = text("newinstance,ptmxmode=0666,mode=620%s", rootless ? "" : ",gid=5");
    put_mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, terminals);
    put_mount("tmpfs", "dev/shm", "tmpfs", NOTHING_SPECIAL, "mode=1777,size=64m");
    put_mount("mqueue", "dev/mqueue", "mqueue", NOTHING_SPECIAL, NULL);
}

static void drop_privileges(bool rootless)
{
    uint64_t keep = 0;
    for (size_t i = 0; i < COUNT(KEPT); i++)
        keep |= UINT64_C(1) << KEPT[i];
    for (int bit = 0; bit < 64; bit++) {
        if (keep >> bit & 1)
            continue;
        if (prctl(PR_CAPBSET_DROP, bit, 0, 0, 0) != 0)
            break; /* the kernel knows no more */
    }
    if (!rootless)
        must(setgroups(0, NULL) == 0, "setgroups");
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct halves[2] = {
        {.effective = (uint32_t)keep, .permitted = (uint32_t)keep},
        {.effective = (uint32_t)(keep >> 32), .permitted = (uint32_t)(keep >> 32)},
    };
    must(syscall(SYS_capset, &header, halves) == 0, "capset");
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
}

static void inside(const char *root, const char *overlay, const char *command, uid_t uid, gid_t gid)
{
    bool rootless = uid != 0;
    if (rootless) {
        write_file("/proc/self/setgroups", "deny");
        write_file("/proc/self/uid_map", text("0 %u 1", uid));
        write_file("/proc/self/gid_map", text("0 %u 1", gid));
    }
    umask(0);
    put_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    put_mount("overlay", root, "overlay", 0, overlay);
    must(chdir(root) == 0, "chdir");
    mount_devices(rootless);
    must(setsid() != -1, "setsid");
    must(syscall(SYS_pivot_root, ".", ".") == 0, "pivot_root");
    must(umount2(".", MNT_DETACH) == 0 && chdir("/") == 0, "take the old root away");
    must(sethostname("floor", strlen("floor")) == 0, "sethostname");
    drop_privileges(rootless);
    must(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0, "pdeathsig");
    umask(022);
    char *const arguments[] = {(char *)command, NULL};
    char *const environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                 "HOSTNAME=floor", "HOME=/root", NULL};
    execve(command, arguments, environment);
    must(false, command);
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
    if (count != 5) {
        fputs("usage: floor ROOTFS CONTAINERS MOUNT_POINT COMMAND\n", stderr);
        return 125;
    }
    const char *rootfs = arguments[1], *containers = arguments[2], *mount_point = arguments[3];
    const char *own = text("%s/floor-%d", containers, getpid());
    const char *upper = text("%s/upper", own), *work = text("%s/work", own);
    must(mkdir(own, 0700) == 0 && mkdir(upper, 0755) == 0 && mkdir(work, 0700) == 0, own);

    uid_t uid = geteuid();
    gid_t gid = getegid();
    struct clone_args clone = {
        .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | (uid == 0 ? 0 : CLONE_NEWUSER),
        .exit_signal = SIGCHLD,
    };
    const char *overlay = text("lowerdir=%s,upperdir=%s,workdir=%s,volatile%s", rootfs, upper, work,
                               uid == 0 ? "" : ",userxattr");
    pid_t pid = syscall(SYS_clone3, &clone, sizeof clone);
    must(pid != -1, "clone3");
    if (pid == 0)
        inside(mount_point, overlay, arguments[4], uid, gid);

    siginfo_t ended;
    must(waitid(P_PID, pid, &ended, WEXITED) == 0, "waitid");

    remove_layer(own, uid != 0);
    return ended.si_code == CLD_EXITED ? ended.si_status : 128 + ended.si_status;
}
