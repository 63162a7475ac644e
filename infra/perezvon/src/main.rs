//! The contact centre on one machine, and its command line.

mod backup;
mod cli;
mod demo;
mod drivers;
mod local;

fn main() -> std::process::ExitCode {
    cli::main()
}
