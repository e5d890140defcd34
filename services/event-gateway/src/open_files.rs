//! Room for connections among the open files.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are no connections of senders: the queue's, the admin server's, the runtime's.
const OTHERS: u64 = 256;

/// Raises the soft limit on open files as far as so many connections need, and answers how many there is room for.
pub(crate) fn make_room(connections: u32) -> u32 {
    let limit = getrlimit(Resource::Nofile);
    let wanted = u64::from(connections) + OTHERS;
    // None is no limit.
    let current = limit.current.unwrap_or(u64::MAX);
    let possible = wanted.min(limit.maximum.unwrap_or(u64::MAX)).max(current);
    let raised = Rlimit { current: Some(possible), maximum: limit.maximum };
    let allowed =
        if possible > current && setrlimit(Resource::Nofile, raised).is_err() { current } else { possible };
    let room = u32::try_from(allowed.saturating_sub(OTHERS)).unwrap_or(u32::MAX).clamp(1, connections.max(1));
    if room < connections {
        tracing::warn!(
            connections = room,
            wanted = connections,
            "the limit on open files (ulimit -n) allows fewer connections"
        );
    }
    room
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_made_and_never_more_than_there_is() {
        let before = getrlimit(Resource::Nofile);
        assert_eq!(make_room(1), 1);
        let room = make_room(2048);
        let after = getrlimit(Resource::Nofile);
        assert_eq!(after.maximum, before.maximum);
        assert!(after.current.unwrap_or(u64::MAX) > u64::from(room));
        assert!(make_room(u32::MAX) >= room);
    }
}
