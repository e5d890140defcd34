//! What services say when they cannot start.

use std::process::ExitStatus;
use std::time::Duration;

use testkit::Service;

use crate::stand::Program;

const LIMIT: Duration = Duration::from_secs(60);

/// Runs a program that should not start; answers its end and everything that it said.
async fn refused(
    program: Program,
    environment: &[(&str, &str)],
    arguments: &[&str],
) -> anyhow::Result<(ExitStatus, String)> {
    let folder = tempfile::tempdir()?;
    let mut service = Service::start(program.path(), |command| {
        command
            .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
            .env("STAGE_INPUT_PREFIX", "s3://data/in")
            .env("STAGE_OUTPUT_PREFIX", "s3://data/out")
            .env("NVME_ROOT", folder.path())
            .envs(environment.iter().copied())
            .args(arguments);
    })?;
    let status = service.exit(LIMIT).await?;
    let said = testkit::until("it said why", LIMIT, async || {
        Ok(Some(service.log_text()).filter(|text| !text.is_empty()))
    });
    Ok((status, said.await?))
}

#[tokio::test]
async fn missing_database_url_is_wrong_usage_and_named() -> anyhow::Result<()> {
    for program in Program::ALL {
        let (status, said) = refused(program, &[], &[]).await?;
        assert_eq!(status.code(), Some(2), "{said}");
        assert!(said.contains("DATABASE_URL") && said.contains("--database-url"), "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn unreachable_database_ends_the_start_without_showing_the_password() -> anyhow::Result<()> {
    let url = "postgres://imageml:hunter2secret@127.0.0.1:9/imageml";
    let (status, said) = refused(Program::Ingest, &[("DATABASE_URL", url)], &[]).await?;
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("DATABASE_URL"), "{said}");
    assert!(!said.contains("hunter2secret"), "{said}");
    Ok(())
}

#[tokio::test]
async fn unknown_kind_of_database_is_refused_without_showing_it() -> anyhow::Result<()> {
    let url = "mysql://imageml:hunter2secret@db/imageml";
    let (status, said) = refused(Program::Shard, &[("DATABASE_URL", url)], &[]).await?;
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("postgres://") && said.contains("sqlite://"), "{said}");
    assert!(!said.contains("hunter2secret"), "{said}");
    Ok(())
}

#[tokio::test]
async fn output_inside_the_watched_prefix_is_refused() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let database = format!("sqlite://{}", folder.path().join("manifest.db").display());
    for (input, output) in [
        ("s3://data", "s3://data/out"),
        ("s3://data/in", "s3://data/in"),
        ("s3://data/in/", "s3://data/in/out"),
    ] {
        let environment = [
            ("DATABASE_URL", database.as_str()),
            ("STAGE_INPUT_PREFIX", input),
            ("STAGE_OUTPUT_PREFIX", output),
        ];
        let (status, said) = refused(Program::Curate, &environment, &[]).await?;
        assert_eq!(status.code(), Some(1), "{said}");
        assert!(said.contains("STAGE_OUTPUT_PREFIX") && said.contains("STAGE_INPUT_PREFIX"), "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn bad_sizes_are_answered_with_the_grammar() -> anyhow::Result<()> {
    for sizes in ["huge", "720p,720p", "0x10", "", "99999x99999", "800x600:tilt"] {
        let (status, said) =
            refused(Program::Normalize, &[("DATABASE_URL", "sqlite:///nowhere")], &["--sizes", sizes])
                .await?;
        assert_eq!(status.code(), Some(2), "{sizes:?}: {said}");
        for word in ["1080p", "WIDTHxHEIGHT", "crop"] {
            assert!(said.contains(word), "{sizes:?} is not answered with {word}: {said}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn staging_root_that_is_a_file_is_refused_and_named() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let database = format!("sqlite://{}", folder.path().join("manifest.db").display());
    let file = folder.path().join("file");
    std::fs::write(&file, "")?;
    let root = file.display().to_string();
    let environment = [("DATABASE_URL", database.as_str()), ("NVME_ROOT", root.as_str())];
    let (status, said) = refused(Program::Ingest, &environment, &[]).await?;
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("NVME_ROOT") && said.contains(&root), "{said}");
    Ok(())
}
