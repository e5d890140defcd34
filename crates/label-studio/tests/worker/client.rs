//! The worker's life: it starts, is refused, dies, hangs, grows.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use annotations::Format;
use anyhow::ensure;
use bytesize::ByteSize;
use label_studio::{LabelStudioError, Verdict, Verifier, Worker, WorkerSettings};
use types::{Disposition, RejectCode};

use crate::rig::{Misbehaving, categories, root, settings, simple_records, until_gone, verdicts, verifier};

fn says_what_to_run(error: &LabelStudioError) -> bool {
    error.to_string().contains("make setup-python")
        && matches!(error.disposition(), Disposition::Reject(reason) if reason.code == RejectCode::ConverterMissing)
}

async fn refused(settings: WorkerSettings) -> anyhow::Result<LabelStudioError> {
    match Worker::start(settings).await {
        Ok(worker) => anyhow::bail!("{worker:?} was taken"),
        Err(error) => Ok(error),
    }
}

#[tokio::test]
async fn the_worker_says_which_versions_it_has() -> anyhow::Result<()> {
    let worker = Worker::start(settings()?).await?;
    assert_eq!((worker.versions().sdk.as_str(), worker.versions().protocol), ("2.1.2", 1));
    assert_eq!((worker.lives(), worker.retries()), (1, 0));
    let process = worker.process_id().expect("it waits");
    drop(worker);
    until_gone(process).await
}

#[tokio::test]
async fn a_missing_environment_says_what_to_run() -> anyhow::Result<()> {
    let nowhere = PathBuf::from("/nowhere/bin/python");
    let error = refused(WorkerSettings { python: nowhere, ..settings()? }).await?;
    ensure!(matches!(error, LabelStudioError::Missing { .. }) && says_what_to_run(&error), "{error}");
    let error = refused(WorkerSettings { worker_dir: root().join("docs"), ..settings()? }).await?;
    ensure!(matches!(error, LabelStudioError::Missing { .. }) && says_what_to_run(&error), "{error}");
    Ok(())
}

#[tokio::test]
async fn an_environment_without_the_sdk_says_what_is_missing() -> anyhow::Result<()> {
    let broken = Misbehaving::new("import no_such_module")?;
    let error = refused(broken.settings.clone()).await?;
    ensure!(matches!(error, LabelStudioError::Start { .. }) && says_what_to_run(&error), "{error}");
    ensure!(error.to_string().contains("No module named 'no_such_module'"), "{error}");
    Ok(())
}

#[tokio::test]
async fn another_protocol_or_sdk_is_refused() -> anyhow::Result<()> {
    for (behaviour, found) in [
        ("server.PROTOCOL_VERSION = 2", "protocol 2 and SDK 2.1.2"),
        ("conversion.sdk_version = lambda: '2.1.3'", "protocol 1 and SDK 2.1.3"),
    ] {
        let error = refused(Misbehaving::new(behaviour)?.settings).await?;
        ensure!(
            matches!(error, LabelStudioError::Incompatible { .. }) && says_what_to_run(&error),
            "{error}"
        );
        ensure!(error.to_string().contains(found), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_worker_that_says_nothing_is_given_up() -> anyhow::Result<()> {
    let silent = Misbehaving::new("time.sleep(1000)")?;
    let start_timeout = Duration::from_millis(300);
    let error = refused(WorkerSettings { start_timeout, ..silent.settings.clone() }).await?;
    ensure!(matches!(error, LabelStudioError::Start { .. }) && says_what_to_run(&error), "{error}");
    Ok(())
}

/// Killed while the SDK writes its result.
const DIES: &str = "
def die(*_):
    os.kill(os.getpid(), 9)
def convert(request):
    if ONCE and os.path.exists(MARK):
        return real_convert(request)
    open(MARK, 'w').close()
    import ujson
    ujson.dump = lambda *_, **__: die()
    return real_convert(request)
conversion.convert = convert
";

#[tokio::test]
async fn a_worker_killed_in_the_middle_costs_a_retry_and_nothing_else() -> anyhow::Result<()> {
    let dying = Misbehaving::new(&format!("ONCE = True\n{DIES}"))?;
    let mut verifier = dying.verifier(Format::LabelStudio).await?;
    let verdicts = verdicts(&mut verifier, &simple_records(100)).await?;
    ensure!(dying.marked(), "it did not die");
    ensure!(verdicts == vec![Verdict::Verified; 100]);
    assert_eq!(verifier.report().by_sdk, [("box", 100)].into());
    let worker = verifier.into_worker();
    assert_eq!((worker.lives(), worker.retries()), (2, 1));
    Ok(())
}

#[tokio::test]
async fn a_request_that_kills_two_workers_is_an_error() -> anyhow::Result<()> {
    let dying = Misbehaving::new(&format!("ONCE = False\n{DIES}"))?;
    let mut verifier = dying.verifier(Format::LabelStudio).await?;
    let error = verdicts(&mut verifier, &simple_records(1)).await.expect_err("it dies each time");
    ensure!(matches!(error, LabelStudioError::Died { .. }), "{error}");
    ensure!(error.to_string().contains("signal: 9"), "{error}");
    assert_eq!(verifier.into_worker().retries(), 1);
    Ok(())
}

const HANGS_ONCE: &str = "
def convert(request):
    if not os.path.exists(MARK):
        open(MARK, 'w').close()
        time.sleep(1000)
    return real_convert(request)
conversion.convert = convert
";

#[tokio::test]
async fn a_conversion_that_takes_too_long_is_killed() -> anyhow::Result<()> {
    let mut hanging = Misbehaving::new(HANGS_ONCE)?;
    hanging.settings.request_timeout = Duration::from_secs(2);
    let worker = Worker::start(hanging.settings.clone()).await?;
    let process = worker.process_id().expect("it waits");
    let mut verifier = Verifier::new(worker, Format::LabelStudio, categories())?;
    let error = verdicts(&mut verifier, &simple_records(1)).await.expect_err("it hangs");
    ensure!(matches!(error, LabelStudioError::TimedOut { .. }), "{error}");
    ensure!(matches!(error.disposition(), Disposition::Retry { .. }));
    until_gone(process).await?;
    ensure!(verdicts(&mut verifier, &simple_records(1)).await? == [Verdict::Verified]);
    Ok(())
}

#[tokio::test]
async fn a_dropped_request_kills_the_process_and_leaves_a_usable_worker() -> anyhow::Result<()> {
    let hanging = Misbehaving::new(HANGS_ONCE)?;
    let worker = Worker::start(hanging.settings.clone()).await?;
    let process = worker.process_id().expect("it waits");
    let mut verifier = Verifier::new(worker, Format::LabelStudio, categories())?;
    let records = simple_records(3);
    let under_way = async {
        while !hanging.marked() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        done = verdicts(&mut verifier, &records) => anyhow::bail!("it hangs: {done:?}"),
        () = under_way => {}
    }
    until_gone(process).await?;
    ensure!(verdicts(&mut verifier, &records).await? == vec![Verdict::Verified; 3]);
    let worker = verifier.into_worker();
    assert_eq!((worker.lives(), worker.retries()), (2, 0));
    Ok(())
}

#[tokio::test]
async fn what_is_printed_does_no_harm() -> anyhow::Result<()> {
    let chatty = Misbehaving::new(
        "
def convert(request):
    print('{\"id\": 2, \"ok\": false}', flush=True)
    os.write(1, b'x' * 1_000_000)
    return real_convert(request)
conversion.convert = convert
",
    )?;
    for format in [Format::LabelStudio, Format::Coco] {
        let mut verifier = chatty.verifier(format).await?;
        ensure!(verdicts(&mut verifier, &simple_records(2)).await? == vec![Verdict::Verified; 2]);
    }
    Ok(())
}

#[tokio::test]
async fn the_network_is_refused() -> anyhow::Result<()> {
    let curious = Misbehaving::new(
        "
def convert(request):
    socket.create_connection(('127.0.0.1', 9), timeout=1)
def guarded(request):
    try:
        return convert(request)
    except Exception as error:
        raise protocol.RequestError('conversion_failed', str(error), request.id)
conversion.convert = guarded
",
    )?;
    let mut verifier = curious.verifier(Format::LabelStudio).await?;
    let verdicts = verdicts(&mut verifier, &simple_records(1)).await?;
    let [Verdict::Disagrees(found)] = verdicts.as_slice() else { anyhow::bail!("{verdicts:?}") };
    ensure!(found[0].got.contains("the worker refuses socket."), "{found:?}");
    Ok(())
}

#[tokio::test]
async fn a_worker_is_replaced_by_count_and_by_size() -> anyhow::Result<()> {
    let once = NonZeroU32::MIN;
    let by_count = WorkerSettings { max_requests: once, ..settings()? };
    let by_size = WorkerSettings { max_rss: ByteSize::mib(1), ..settings()? };
    for (settings, lives) in [(by_count, 3), (by_size, 3), (settings()?, 1)] {
        let mut verifier = verifier(settings, Format::LabelStudio).await?;
        for _ in 0..3 {
            ensure!(verdicts(&mut verifier, &simple_records(1)).await? == [Verdict::Verified]);
        }
        let worker = verifier.into_worker();
        assert_eq!((worker.lives(), worker.retries()), (lives, 0));
    }
    Ok(())
}
