//! The command `linli`.

mod commands;
mod ledger;

use std::process::ExitCode;

use clap::Parser;
use commands::Command;

fn main() -> ExitCode {
    let command = Command::parse();
    match commands::run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("linli: {error:#}");
            ExitCode::FAILURE
        }
    }
}
