//! `cargo xtask`: the commands of a developer.

use std::process::ExitCode;

use clap::Parser;
use xtask::cli;

fn main() -> ExitCode {
    match cli::run(cli::Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
