//! Small disks, and disks that fail.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::process::{Pid, Signal, kill_process};
use testkit::until;

/// What attaching to a process, or leaving it, may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A file system of our own, in memory. Unmounted when dropped: services that use it must have ended by then.
#[derive(Debug)]
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts a tmpfs with options like `size=64m,nr_inodes=128`, see tmpfs(5). The folder is made.
    pub(crate) fn mount(at: &Path, options: &str) -> anyhow::Result<Self> {
        ensure!(rustix::process::geteuid().is_root(), "mounting a tmpfs needs root");
        std::fs::create_dir_all(at)?;
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", options, "chaos"]).arg(at).output()?;
        ensure!(mount.status.success(), "mount: {}", String::from_utf8_lossy(&mount.stderr));
        Ok(Self(at.to_owned()))
    }

    /// Bytes in use.
    pub(crate) fn used(&self) -> anyhow::Result<u64> {
        let stat = rustix::fs::statvfs(&self.0)?;
        Ok((stat.f_blocks - stat.f_bfree) * stat.f_frsize)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a service that is only just gone may still be closing its files.
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}

/// strace, attached to a process, making its system calls fail.
#[derive(Debug)]
pub(crate) struct Strace {
    process: Child,
    log: PathBuf,
}

impl Strace {
    /// Attaches to all threads of a process. Only calls on these paths, and on files opened by them, fail; `inject` is
    /// as in strace(1): `write:error=EIO:when=3`, where each thread counts for itself.
    pub(crate) async fn attach(
        pid: u32,
        inject: &[String],
        paths: &[PathBuf],
        log: PathBuf,
    ) -> anyhow::Result<Self> {
        ensure!(rustix::process::geteuid().is_root(), "tracing a process needs root");
        let calls: Vec<_> = inject.iter().filter_map(|one| one.split(':').next()).collect();
        let mut command = Command::new("strace");
        command.args(["-f", "-q", "-e"]).arg(format!("trace={}", calls.join(",")));
        for one in inject {
            command.arg("-e").arg(format!("inject={one}"));
        }
        for path in paths {
            command.arg("-P").arg(path);
        }
        command.arg("-o").arg(&log).args(["-p", &pid.to_string()]);
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut strace = Self { process: process.context("run strace")?, log };
        until("strace is attached to every thread", PATIENCE, async || {
            ensure!(strace.process.try_wait()?.is_none(), "strace ended: may this machine trace processes?");
            Ok(is_traced(pid)?.then_some(()))
        })
        .await?;
        Ok(strace)
    }

    /// Detaches; answers the calls that failed, as strace writes them.
    pub(crate) async fn detach(mut self) -> anyhow::Result<Vec<String>> {
        let pid = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).context("a process id")?;
        // strace(1): on SIGINT it detaches from what it was attached to, and the process goes on.
        kill_process(pid, Signal::INT)?;
        until("strace has ended", PATIENCE, async || Ok(self.process.try_wait()?)).await?;
        let log = String::from_utf8_lossy(&std::fs::read(&self.log)?).into_owned();
        Ok(log.lines().filter(|line| line.contains("(INJECTED)")).map(ToOwned::to_owned).collect())
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        // Traced processes go on without it.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Whether somebody traces every thread of a process. proc(5): "TracerPid", 0 where nobody does.
fn is_traced(pid: u32) -> anyhow::Result<bool> {
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may have ended since it was listed.
        let Ok(status) = std::fs::read_to_string(thread?.path().join("status")) else { continue };
        if status.lines().any(|line| line.split_whitespace().eq(["TracerPid:", "0"])) {
            return Ok(false);
        }
    }
    Ok(true)
}
