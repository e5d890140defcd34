//! What a failure of sqlx means: the only file that looks inside its errors.

use sqlx::Error;
use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use sqlx::postgres::PgDatabaseError;

use crate::StoreError;

const SQLITE_BUSY: i32 = 5;

/// The failure of anything before the commit: nothing was written.
pub(crate) fn failed(error: Error) -> StoreError {
    match &error {
        Error::Database(database) if passes(database.as_ref()) => StoreError::Unavailable(error.to_string()),
        Error::Io(_)
        | Error::Tls(_)
        | Error::Protocol(_)
        | Error::PoolTimedOut
        | Error::PoolClosed
        | Error::WorkerCrashed
        | Error::BeginFailed => StoreError::Unavailable(error.to_string()),
        // `sqlx::Error` is non-exhaustive: what is left is a wrong statement, value or schema.
        _ => StoreError::Invalid(error.to_string()),
    }
}

/// The failure of the commit itself: the answer is lost, the commit may not be.
pub(crate) fn commit_failed(error: Error) -> StoreError {
    StoreError::Unknown(error.to_string())
}

/// The failure of bringing the schema up to date.
pub(crate) fn migration_failed(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failed(error),
        other => StoreError::Invalid(format!("the database's schema does not fit this program: {other}")),
    }
}

/// Whether the same call may succeed later.
fn passes(error: &dyn DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        postgres_passes(&code)
    } else {
        sqlite_passes(&code)
    }
}

/// Whether another connection holds what SQLite needs.
pub(crate) fn is_busy(error: &Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| code.parse::<i32>().is_ok_and(|code| code & 0xff == SQLITE_BUSY))
}

/// By SQLSTATE (PostgreSQL documentation, appendix A).
fn postgres_passes(code: &str) -> bool {
    const CONNECTION: &str = "08";
    const ROLLED_BACK: &str = "40"; // serialization failure, deadlock
    const OUT_OF_RESOURCES: &str = "53"; // disk, memory, connections
    const OPERATOR: &str = "57"; // shutdown, starting up, statement timeout
    const SYSTEM: &str = "58"; // I/O
    const READ_ONLY: &str = "25006"; // a failover in progress
    const IDLE_TOO_LONG: &str = "25P03";
    const LOCK_TIMEOUT: &str = "55P03";
    [CONNECTION, ROLLED_BACK, OUT_OF_RESOURCES, OPERATOR, SYSTEM].iter().any(|class| code.starts_with(class))
        || [READ_ONLY, IDLE_TOO_LONG, LOCK_TIMEOUT].contains(&code)
}

/// By result code; the low byte of an extended code is its primary one (sqlite.org/rescode.html).
fn sqlite_passes(code: &str) -> bool {
    const LOCKED: i32 = 6;
    const NO_MEMORY: i32 = 7;
    const READ_ONLY: i32 = 8;
    const INTERRUPTED: i32 = 9;
    const IO: i32 = 10;
    const FULL: i32 = 13;
    const CANNOT_OPEN: i32 = 14;
    const PROTOCOL: i32 = 15;
    code.parse::<i32>().is_ok_and(|code| {
        [SQLITE_BUSY, LOCKED, NO_MEMORY, READ_ONLY, INTERRUPTED, IO, FULL, CANNOT_OPEN, PROTOCOL]
            .contains(&(code & 0xff))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_retried_and_what_is_wrong_is_not() {
        for passing in ["08006", "40001", "40P01", "53100", "53300", "57P01", "57014", "25006", "55P03"] {
            assert!(postgres_passes(passing), "{passing}");
        }
        for lasting in ["23505", "42P01", "22021", "28P01", ""] {
            assert!(!postgres_passes(lasting), "{lasting}");
        }
        // 517 is SQLITE_BUSY_SNAPSHOT, 3338 SQLITE_IOERR_..., 2067 SQLITE_CONSTRAINT_UNIQUE.
        for passing in ["5", "517", "10", "13", "3338"] {
            assert!(sqlite_passes(passing), "{passing}");
        }
        for lasting in ["1", "19", "2067", "26", ""] {
            assert!(!sqlite_passes(lasting), "{lasting}");
        }
    }

    #[test]
    fn a_lost_connection_is_unavailable_but_unknown_on_commit() {
        let lost = || Error::Io(std::io::ErrorKind::ConnectionReset.into());
        assert!(matches!(failed(lost()), StoreError::Unavailable(_)));
        assert!(matches!(commit_failed(lost()), StoreError::Unknown(_)));
    }
}
