//! `cargo xtask fuzz`: arbitrary bytes for every protocol of meters, a minute each. The stable compiler builds the targets:
//! what coverage needs of it is asked for by name.

use std::fs;

use anyhow::{Context, Result};

use crate::workspace;

/// For how long each target runs unless it is said, in seconds.
pub const SECONDS: u32 = 60;
/// The targets; see `infra/bridge/protocols/fuzz`.
const TARGETS: [&str; 4] = ["dlt645", "cjt188", "modbus", "mbus"];
/// What has the compiler count which branches were taken, for libFuzzer.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Ccodegen-units=1";
/// The most memory of one target, in MiB.
const MEMORY_MIB_MAX: u32 = 1_024;

/// Builds the targets and runs each for so many seconds. What one finds lies beside its corpus.
///
/// # Errors
/// When a target does not build, or finds something.
pub fn run(seconds: u32) -> Result<()> {
    let folder = workspace::target().join("fuzz");
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let manifest = "infra/bridge/protocols/fuzz/Cargo.toml";
    let mut build =
        workspace::cargo(&["build", "--release", "--bins", "--manifest-path", manifest]);
    // A named platform keeps the flags from build scripts.
    build
        .args(["--target", platform.as_str(), "--target-dir"])
        .arg(&folder);
    build.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", FLAGS);
    workspace::run(&mut build)?;
    for target in TARGETS {
        let corpus = folder.join("corpus").join(target);
        fs::create_dir_all(&corpus).with_context(|| format!("making {}", corpus.display()))?;
        let program = folder.join(&platform).join("release").join(target);
        let mut fuzz = std::process::Command::new(program);
        fuzz.arg(format!("-max_total_time={seconds}"))
            .arg(format!("-rss_limit_mb={MEMORY_MIB_MAX}"))
            .args(["-timeout=10", "-verbosity=0", "-print_final_stats=1"])
            .arg(format!("-artifact_prefix={}/", corpus.display()))
            .arg(&corpus);
        println!("xtask: fuzz {target}");
        workspace::run(&mut fuzz)?;
    }
    Ok(())
}
