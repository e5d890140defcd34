//! What a worker cannot do. Only the calling thread is confined, so a thread of the test stands for a worker.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixStream;

fn confined<T: Send>(attempt: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            image_workers::confine().expect("confines");
            attempt()
        });
        thread.join().expect("the thread lives")
    })
}

#[test]
fn files_sockets_and_programs_are_out_of_reach() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "x").expect("writes");
    let refused = confined(|| {
        [
            std::fs::File::open(&secret).err(),
            std::fs::File::create(folder.path().join("new")).err(),
            std::fs::remove_file(&secret).err(),
            TcpListener::bind("127.0.0.1:0").err(),
            UdpSocket::bind("127.0.0.1:0").err(),
            UnixStream::connect("/nowhere").err(),
            std::process::Command::new("/bin/true").spawn().err(),
        ]
        .map(|error| error.map(|error| error.kind()))
    });
    assert_eq!(refused, [Some(ErrorKind::PermissionDenied); 7]);
}

#[test]
fn other_processes_cannot_be_signalled() {
    let parent = rustix::process::getppid().expect("a parent");
    let refused = confined(|| rustix::process::test_kill_process(parent).err());
    assert_eq!(refused, Some(rustix::io::Errno::PERM));
}

#[test]
fn descriptors_that_were_handed_over_and_memory_stay_in_reach() {
    let (mut near, mut far) = UnixStream::pair().expect("a pair");
    far.write_all(&[1, 2, 3]).expect("sends");
    let sum = confined(move || {
        let mut bytes = [0; 3];
        near.read_exact(&mut bytes).expect("receives");
        vec![bytes[1]; 64 << 20].iter().map(|byte| u64::from(*byte)).sum::<u64>()
    });
    assert_eq!(sum, 128 << 20);
}
