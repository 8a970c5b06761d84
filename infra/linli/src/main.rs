//! The command `linli`.

mod commands;
mod ledger;

use std::process::ExitCode;

use clap::Parser;
use commands::Command;

/// A request makes some hundred small allocations, freed on whichever thread finishes it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
