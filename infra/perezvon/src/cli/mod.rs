//! The command line: a client of the HTTP API, and what needs no server.
//!
//! It ends with 0 if all is well, with 1 if something was refused or is wrong, with 2 if the command
//! itself could not be understood.

mod args;
mod copy;
mod hours;
mod keys;
mod lab;
mod sandbox;
mod server;
mod settings;
mod show;
mod simulate;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use crate::local::{self, Options};
use args::{Cli, Command, LocalArgs, TokenArgs};

/// Seconds that a worker may hold a connection.
const LEASE_SECONDS: u32 = 60;

/// What a command has to say.
#[derive(Debug)]
struct Said {
    text: String,
    /// False: it found something wrong.
    fine: bool,
}

impl Said {
    fn fine(text: String) -> Self {
        Self { text, fine: true }
    }

    fn bad(text: String) -> Self {
        Self { text, fine: false }
    }
}

/// Runs the command of this process.
pub fn main() -> ExitCode {
    let command = command(std::env::args_os().collect());
    let done = runtime(&command).and_then(|runtime| runtime.block_on(run(command)));
    match done {
        Ok(said) => {
            print(&said.text);
            if said.fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Without a command: start it.
fn command(words: Vec<OsString>) -> Command {
    let usual = || Command::Local(LocalArgs::parse_from(["perezvon local"]));
    Cli::parse_from(words).command.unwrap_or_else(usual)
}

/// Only what serves needs more than this thread.
fn runtime(command: &Command) -> Result<tokio::runtime::Runtime, String> {
    let mut builder = match command {
        Command::Local(_) | Command::Sandbox(_) => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    builder.enable_all().build().map_err(|error| format!("the program cannot start: {error}"))
}

async fn run(command: Command) -> Result<Said, String> {
    match command {
        Command::Local(args) => local::run(options(args)).await.map(|()| Said::fine(String::new())),
        Command::Sandbox(args) => sandbox::serve(&args).await,
        Command::Check(args) => Ok(settings::check_file(&args)),
        Command::Hours(args) => hours::tell(&args),
        Command::Simulate(args) => simulate::tell(&args),
        Command::Sign(args) => lab::sign(&args),
        Command::Verify(args) => lab::verify(&args),
        Command::Restore(args) => copy::restore(&args),
        Command::Keys(args) => keys::make(&args),
        Command::Apply(args) => settings::apply(&args).await,
        Command::Urls(args) => show::urls(&args).await,
        Command::Explain(args) => show::explain(&args).await,
        Command::Revoke(args) => show::revoke(&args).await,
        Command::Quarantine(command) => show::quarantine(&command).await,
        Command::Connections(args) => show::connections(&args).await,
        Command::Jobs(command) => show::jobs(&command).await,
        Command::Token(args) => token(&args).await,
        Command::Backup(args) => copy::backup(&args).await,
    }
}

/// `perezvon token`.
async fn token(args: &TokenArgs) -> Result<Said, String> {
    match (&args.employee, &args.person_key) {
        (Some(employee), _) => show::token(args, employee).await,
        (None, Some(key)) => keys::owner_token(key, args.days),
        (None, None) => Err("name an employee, or give --person-key".to_owned()),
    }
}

fn options(args: LocalArgs) -> Options {
    Options {
        listen: args.listen,
        public_url: args.public_url,
        data: args.data,
        settings: args.settings,
        demo: !args.no_demo,
        insecure: args.insecure,
        trusted_proxy: args.trusted_proxy,
        allow_hosts: args.allow_host,
        times: args.times,
        lease_ms: i64::from(args.lease_seconds.unwrap_or(LEASE_SECONDS)) * 1000,
    }
}

/// Whoever reads may have seen enough: a closed pipe is no error.
fn print(text: &str) {
    _ = io::stdout().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn read(words: &[&str]) -> Command {
        command(words.iter().map(OsString::from).collect())
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_arguments_it_starts_on_this_machine_with_the_demo() {
        let Command::Local(args) = read(&["perezvon"]) else { panic!("another command") };
        let options = options(args);
        assert_eq!(options.listen.to_string(), args::USUAL_ADDRESS);
        assert_eq!(options.data, std::path::Path::new(args::USUAL_DATA));
        assert_eq!((options.demo, options.insecure, options.lease_ms), (true, false, 60_000));
        assert!(options.settings.is_empty() && options.allow_hosts.is_empty());
    }

    #[test]
    fn settings_and_hosts_may_be_given_several_times() {
        let words = ["perezvon", "local", "--settings", "a", "--settings", "b", "--allow-host", "h:1", "--no-demo"];
        let Command::Local(args) = read(&words) else { panic!("another command") };
        let options = options(args);
        assert_eq!((options.settings.len(), options.allow_hosts.len(), options.demo), (2, 1, false));
    }

    #[test]
    fn every_command_and_every_option_says_what_it_is_for() {
        fn check(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments().filter(|it| !it.is_hide_set()) {
                assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
