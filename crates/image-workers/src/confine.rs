//! What a worker takes from itself before it looks at a picture.

use std::io;

/// Gives up everything but computing, and reading and writing descriptors that are handed over: no new file, no
/// socket, no other program, no code from data, no core dump. Ends with the parent.
///
/// Of the system calls only the calling thread is deprived: a worker has but one. Where the platform has no seccomp,
/// limits alone hold.
///
/// # Errors
/// The kernel refuses.
pub fn confine() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    #[cfg(target_os = "linux")]
    {
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
        system_calls::restrict()?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
mod system_calls {
    use std::collections::BTreeMap;
    use std::io;

    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule, TargetArch,
    };

    /// What an allocator, the standard library and our two loops over descriptors need.
    const ALLOWED: [i64; 33] = [
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_pread64,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_pwrite64,
        libc::SYS_lseek,
        libc::SYS_fstat,
        libc::SYS_close,
        libc::SYS_recvmsg,
        libc::SYS_recvfrom,
        libc::SYS_sendmsg,
        libc::SYS_sendto,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_futex,
        libc::SYS_sched_yield,
        libc::SYS_nanosleep,
        libc::SYS_clock_nanosleep,
        libc::SYS_clock_gettime,
        libc::SYS_getrandom,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_restart_syscall,
        libc::SYS_sched_getaffinity,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];

    /// Memory is never both written and run.
    const ONLY_DATA: [i64; 2] = [libc::SYS_mmap, libc::SYS_mprotect];

    pub(super) fn restrict() -> io::Result<()> {
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
            ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
        for call in ONLY_DATA {
            let executable = libc::PROT_EXEC as u64;
            let no_code =
                SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(executable), 0);
            let rule =
                no_code.and_then(|condition| SeccompRule::new(vec![condition])).map_err(io::Error::other)?;
            rules.insert(call, vec![rule]);
        }
        // Descriptors may be asked about, not told whom to send signals; signals are for this process alone.
        let equal = |index, value| {
            let condition = SeccompCondition::new(index, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value);
            condition.and_then(|condition| SeccompRule::new(vec![condition])).map_err(io::Error::other)
        };
        let asking = vec![equal(1, libc::F_GETFD as u64)?, equal(1, libc::F_GETFL as u64)?];
        rules.insert(libc::SYS_fcntl, asking);
        rules.insert(libc::SYS_tgkill, vec![equal(0, u64::from(std::process::id()))?]);
        let refused = SeccompAction::Errno(libc::EPERM as u32);
        let here: TargetArch = std::env::consts::ARCH.try_into().map_err(io::Error::other)?;
        let filter =
            SeccompFilter::new(rules, refused, SeccompAction::Allow, here).map_err(io::Error::other)?;
        let program: BpfProgram = filter.try_into().map_err(io::Error::other)?;
        seccompiler::apply_filter(&program).map_err(io::Error::other)
    }
}
