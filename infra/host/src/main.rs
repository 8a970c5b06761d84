//! The command `linli`.

use std::process::ExitCode;

use clap::Parser;
use linli_host::cli::{self, Command};

fn main() -> ExitCode {
    let command = Command::parse();
    match cli::run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("linli: {error:#}");
            ExitCode::FAILURE
        }
    }
}
