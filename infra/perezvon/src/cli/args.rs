//! What can be written on the command line, with the help that a newcomer reads.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use perezvon_engine::Times;

use super::simulate::SimulateArgs;

/// Where the program listens and asks unless it is told otherwise.
pub const USUAL_ADDRESS: &str = "127.0.0.1:8787";
/// Where it keeps its data unless it is told otherwise.
pub const USUAL_DATA: &str = ".perezvon";

const EXAMPLES: &str = "\
First steps:
  perezvon                                    start with a demo account, then open the printed link
  perezvon check settings.toml                what is wrong with a settings file, without a server
  perezvon local --no-demo --settings settings.toml --public-url https://calls.example.com
  perezvon urls                               the address to give to the telephony provider
  perezvon explain +79990001122               what became of the last call of a number, and why

`perezvon COMMAND --help` tells all about one command.";

/// A contact centre in one program: calls become contacts, deals, tasks and call records in the CRM.
#[derive(Debug, Parser)]
#[command(name = "perezvon", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    /// Without a command: `perezvon local`.
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything on this machine: intake, decisions, CRM, the page and the API.
    Local(LocalArgs),
    /// Serve a make-believe CRM, telephony provider and messenger to try things with.
    Sandbox(SandboxArgs),
    /// Check a settings file, without a server.
    Check(CheckArgs),
    /// Say whether it is working time at a moment, and when that changes, without a server.
    Hours(HoursArgs),
    /// Tell what would become of a conversation in a chat, and why, on a clock of its own, without a server.
    Simulate(SimulateArgs),
    /// Sign a webhook as the provider would, and print a ready curl command.
    Sign(SignArgs),
    /// Say whether the signature of a webhook is right, and if not, which key or formula fits.
    Verify(VerifyArgs),
    /// Put a backup into a new data folder, without a server.
    Restore(RestoreArgs),
    /// Make the pair of keys that signs hook URLs, for an installation in the cloud.
    Keys(KeysArgs),
    /// Send a settings file to the running server.
    Apply(ApplyArgs),
    /// Print the addresses to which the providers must send their webhooks.
    Urls(ServerArgs),
    /// Tell what became of a call or a conversation, and why.
    Explain(ExplainArgs),
    /// End all links to a recording that were given away; the CRM gets a new one.
    Revoke(RevokeArgs),
    /// Requests that were refused, with the reasons; and the way back.
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// How the connections to the CRM and the providers are doing.
    Connections(ConnectionsArgs),
    /// Jobs that failed or wait for a person; and the way back.
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Make a token for an employee, to log in with.
    Token(TokenArgs),
    /// Write everything that the running server keeps into one file.
    Backup(BackupArgs),
}

/// How to reach the running server.
#[derive(Clone, Debug, Args)]
pub struct ServerArgs {
    /// Address of the running server.
    #[arg(long, env = "PEREZVON_SERVER", value_name = "URL", default_value = "http://127.0.0.1:8787")]
    pub server: String,
    /// Who asks. Without it the owner's token is read from the data folder, if the server runs here.
    #[arg(long, env = "PEREZVON_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Id of the account; needed if the token sees more than one.
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// The data folder of the server, for the owner's token.
    #[arg(long, value_name = "DIR", default_value = USUAL_DATA)]
    pub data: PathBuf,
    /// Print the answer as JSON, for programs.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Parser)]
pub struct LocalArgs {
    /// Address to listen on. Anything but this machine needs an https --public-url.
    #[arg(long, value_name = "ADDR", default_value = USUAL_ADDRESS)]
    pub listen: SocketAddr,
    /// Address under which people and providers reach it: that of the TLS reverse proxy before it.
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// Where everything is kept; made if it is missing.
    #[arg(long, value_name = "DIR", default_value = USUAL_DATA)]
    pub data: PathBuf,
    /// Settings of an account, applied at start; may be given several times, once an account.
    #[arg(long, value_name = "FILE")]
    pub settings: Vec<PathBuf>,
    /// Without the demo account and its sandbox.
    #[arg(long)]
    pub no_demo: bool,
    /// Listen beyond this machine without https: tokens can be read on the way.
    #[arg(long)]
    pub insecure: bool,
    /// The reverse proxy whose X-Forwarded-For says whom a request is from; needed where channels have `allowed_ips`.
    #[arg(long, value_name = "ADDR")]
    pub trusted_proxy: Option<IpAddr>,
    /// Let settings name this host although it is no public https address: a sandbox, a test server.
    #[arg(long, value_name = "HOST:PORT")]
    pub allow_host: Vec<String>,
    /// Seconds that a worker may hold a connection, 60 unless given. A request, a recording must fit in.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=900))]
    pub lease_seconds: Option<u32>,
    /// Waiting times of the installation that differ from docs/protocol.md, in milliseconds.
    #[arg(long, value_name = "NAME=MS,...", env = "PEREZVON_TIMES", default_value = "", value_parser = times,
          hide_default_value = true)]
    pub times: Times,
}

#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Address to listen on; with port 0 a free one is taken and printed.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8788")]
    pub listen: SocketAddr,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The settings file, TOML. Secrets named in it must be there.
    pub file: PathBuf,
    /// As for `perezvon local`.
    #[arg(long, value_name = "HOST:PORT")]
    pub allow_host: Vec<String>,
}

#[derive(Debug, Args)]
pub struct HoursArgs {
    /// The settings file, TOML. Secrets named in it are not needed.
    #[arg(long, value_name = "FILE")]
    pub settings: PathBuf,
    /// The moment: `2026-11-21T23:10` by the account's clock, or with an offset `2026-11-21T20:10Z`; now
    /// unless it is given.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Print the answer as JSON, for programs; moments in milliseconds since 1970.
    #[arg(long)]
    pub json: bool,
}

/// Secrets given by hand.
#[derive(Debug, Args)]
pub struct SecretArgs {
    /// The secret value `key`, if the provider has one of this name.
    #[arg(long, value_name = "VALUE", env = "PEREZVON_KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// The secret value `salt`, if the provider has one of this name.
    #[arg(long, value_name = "VALUE", env = "PEREZVON_SALT", hide_env_values = true)]
    pub salt: Option<String>,
    /// A secret value by its name in the settings.
    #[arg(long, value_name = "NAME=VALUE")]
    pub secret: Vec<String>,
}

#[derive(Debug, Args)]
pub struct SignArgs {
    /// The provider, as settings name it.
    pub provider: String,
    #[command(flatten)]
    pub secrets: SecretArgs,
    #[command(flatten)]
    pub payload: PayloadArgs,
    /// What is put behind the URL; for an example its own.
    #[arg(long)]
    pub path: Option<String>,
    /// The webhook address that `perezvon urls` prints, for the curl command.
    #[arg(long, value_name = "HOOK_URL")]
    pub url: Option<String>,
}

/// What is to be signed; without any of these the examples are listed.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct PayloadArgs {
    /// The payload itself.
    #[arg(long, value_name = "TEXT")]
    pub json: Option<String>,
    /// A file with the payload; `-` reads standard input.
    #[arg(long)]
    pub file: Option<PathBuf>,
    /// The Nth of the built-in examples.
    #[arg(long, value_name = "N")]
    pub example: Option<usize>,
    /// The calls of the demo as if they ended now: each webhook a line of JSON with path and signed body.
    #[arg(long)]
    pub demo: bool,
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The provider, as settings name it.
    pub provider: String,
    #[command(flatten)]
    pub secrets: SecretArgs,
    /// A file with the body as it was posted; `-` reads standard input. A line break at its end does
    /// not count: editors put it there.
    #[arg(long, value_name = "FILE")]
    pub body: PathBuf,
    /// What stood behind the webhook address: `events/call`.
    #[arg(long)]
    pub path: Option<String>,
    /// A header that came with it.
    #[arg(long, value_name = "NAME: VALUE")]
    pub header: Vec<String>,
}

#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// A file that `perezvon backup` wrote.
    pub file: PathBuf,
    /// A folder that is empty or not there yet.
    #[arg(long, value_name = "DIR", default_value = USUAL_DATA)]
    pub data: PathBuf,
}

#[derive(Debug, Args)]
pub struct KeysArgs {
    /// The file whose deployment parameters get the public half.
    #[arg(long, value_name = "FILE", default_value = "samconfig.toml")]
    pub config: PathBuf,
    /// The installation, as the file names it.
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub config_env: String,
    /// Where the private half goes, for its owner only; `hook-NAME.key` unless told otherwise.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The settings file, TOML.
    pub file: PathBuf,
    /// Bring this private half of `perezvon keys` up first: an installation in the cloud makes its
    /// hook URLs with it. Only its owner may.
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,
    /// Only print what would change.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub server: ServerArgs,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Id of a call or a conversation as the page shows it (`main:MTg0OTk=`), or a phone number: its newest call.
    pub call: String,
    #[command(flatten)]
    pub server: ServerArgs,
}

#[derive(Debug, Args)]
pub struct RevokeArgs {
    /// Id of a call as the page shows it (`main:MTg0OTk=`), or a phone number: its newest call.
    pub call: String,
    /// Id of one of its recordings; without it the first one that plays.
    pub recording: Option<String>,
    #[command(flatten)]
    pub server: ServerArgs,
}

#[derive(Debug, Subcommand)]
pub enum QuarantineCommand {
    /// What is held, newest first.
    List {
        /// Of this channel only.
        #[arg(long)]
        channel: Option<String>,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Send requests through verification again, after the reason is mended.
    Release(ReleaseArgs),
}

#[derive(Debug, Args)]
pub struct ReleaseArgs {
    /// Id of one request, as the list shows it.
    #[arg(required_unless_present = "channel", conflicts_with = "channel")]
    pub id: Option<String>,
    /// All that is held of this channel.
    #[arg(long)]
    pub channel: Option<String>,
    #[command(flatten)]
    pub server: ServerArgs,
}

#[derive(Debug, Args)]
pub struct ConnectionsArgs {
    /// End the pause of this connection and try again now.
    #[arg(long, value_name = "ID")]
    pub retry: Option<String>,
    #[command(flatten)]
    pub server: ServerArgs,
}

#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// Jobs that failed or are parked; with --state open those on their way.
    List {
        /// Only those in this state.
        #[arg(long, value_parser = ["open", "failed", "parked"])]
        state: Option<String>,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Put a failed or parked job back. A parked one may have been carried out: look into the CRM first.
    Retry {
        /// Id of the job, as the list shows it.
        id: String,
        #[command(flatten)]
        server: ServerArgs,
    },
}

#[derive(Debug, Args)]
pub struct TokenArgs {
    /// Id of the employee in the settings.
    #[arg(required_unless_present = "person_key")]
    pub employee: Option<String>,
    /// Make the owner's token from this file with the person key of an installation in the cloud (`-`
    /// reads standard input), without asking a server.
    #[arg(long, value_name = "FILE", conflicts_with = "employee")]
    pub person_key: Option<PathBuf>,
    /// What they may do: operator sees calls, auditor sees everything, integrator sets up channels
    /// and connections, admin does all of one account, owner all of the installation.
    #[arg(
        long,
        default_value = "operator",
        hide_possible_values = true,
        value_parser = ["operator", "auditor", "integrator", "admin", "owner"]
    )]
    pub role: String,
    /// How long it is good; 365 unless told otherwise.
    #[arg(long)]
    pub days: Option<u32>,
    #[command(flatten)]
    pub server: ServerArgs,
}

#[derive(Debug, Args)]
pub struct BackupArgs {
    /// Written whole or not at all; a file of this name is replaced. It holds secrets: keep it safe.
    pub file: PathBuf,
    #[command(flatten)]
    pub server: ServerArgs,
}

/// Waiting times of one machine, some changed.
fn times(text: &str) -> Result<Times, String> {
    Times::one_machine().with(text)
}
