/* The cgroup, the capabilities, the filter of system calls, and the shim. */
#include "floor.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* FILTER, DEVICES and SHIM: the very ones that Tinbox has. */
#include "programs.h"

/* Docker's default capabilities without MKNOD, by number. */
static const int KEPT[] = {
    CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FSETID,  CAP_FOWNER,           CAP_NET_RAW,    CAP_SETGID,
    CAP_SETUID, CAP_SETFCAP,      CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_KILL,   CAP_AUDIT_WRITE,
};

static void guard_devices(int cgroup)
{
    union bpf_attr load = {
        .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
        .insn_cnt = COUNT(DEVICES),
        .insns = (uintptr_t)DEVICES,
        .license = (uintptr_t)"Dual MIT/GPL",
    };
    int program = syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
    must(program != -1, "load the device program");
    union bpf_attr attach = {
        .target_fd = cgroup,
        .attach_bpf_fd = program,
        .attach_type = BPF_CGROUP_DEVICE,
        .attach_flags = BPF_F_ALLOW_MULTI,
    };
    must(syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach) == 0, "attach the device program");
    close(program);
}

const char *make_cgroup(const char *parent, bool rootless, int *fd)
{
    const char *path = text("%s/floor-%d", parent, getpid());
    must(mkdir(path, 0755) == 0, path);
    *fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    must(*fd != -1, path);
    if (!rootless)
        guard_devices(*fd);
    return path;
}

void drop_privileges(bool rootless)
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
    must(setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0, "setresuid");
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct halves[2] = {
        {.effective = (uint32_t)keep, .permitted = (uint32_t)keep},
        {.effective = (uint32_t)(keep >> 32), .permitted = (uint32_t)(keep >> 32)},
    };
    must(syscall(SYS_capset, &header, halves) == 0, "capset");
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
    struct sock_fprog filter = {.len = COUNT(FILTER), .filter = (struct sock_filter *)FILTER};
    must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0, "seccomp");
}

void become(const char *command, char *const environment[])
{
    int shim = memfd_create("shim", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    must(shim != -1 && write(shim, SHIM, sizeof SHIM) == (ssize_t)sizeof SHIM, "memfd_create");
    must(fcntl(shim, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0, "seal the shim");
    /* The second word is the number of a descriptor for the error, if there is one. There is none. */
    char *const arguments[] = {(char *)command, "1023", (char *)command, NULL};
    syscall(SYS_execveat, shim, "", arguments, environment, AT_EMPTY_PATH);
    must(false, command);
}
