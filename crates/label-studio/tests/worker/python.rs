//! The worker's own tests, which are written in Python.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::rig::{root, settings};

#[test]
fn the_workers_unit_tests_pass() -> anyhow::Result<()> {
    let python = std::env::var_os("IMAGEML_TEST_PYTHON")
        .map_or_else(|| root().join(".venv/bin/python"), PathBuf::from);
    ensure!(python.exists(), "{} is missing: run `make setup-python`", python.display());
    let mut pytest = Command::new(python);
    pytest.args(["-B", "-m", "pytest", "--quiet", "--config-file"]).arg(root().join("python/pytest.ini"));
    pytest.env("LABEL_STUDIO_PYTHON", std::path::absolute(settings()?.python)?);
    let output = pytest.current_dir(root().join("python")).output().context("pytest does not start")?;
    let told = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
