//! `squall up`.

use clap::{Args, ValueEnum};
use embedded::{HostOptions, PackWatch};
use model::{CatchUp, PackFiles};
use serde_json::json;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use super::pack::{WATCH_INTERVAL, packs_in};
use crate::{
    console::Ink,
    failure::{Failure, Outcome},
    host::{Platform, interrupted, start_log},
    output::{DiagnosticView, Excerpts},
    session::Session,
    shipped_packs,
};

/// Start the platform on this machine: durable, on one data directory, until Ctrl-C
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing listens beyond this machine unless --listen says so, and nothing is answered without the API key, which the first start makes.
Kill it at any moment: what was accepted is finished by the next start. SQUALL_LOG=info shows more of what it does.

Examples:
  squall up
  squall up --packs ./packs --watch
  squall up --data /var/lib/squall --listen 0.0.0.0:9101")]
pub(crate) struct Up {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:9101", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Packs, or directories of packs, to register
    #[arg(long, num_args = 1.., value_name = "DIR")]
    packs: Vec<PathBuf>,
    /// Register those packs again whenever they change
    #[arg(long, requires = "packs")]
    watch: bool,
    #[command(flatten)]
    limits: Limits,
}

/// What the operator allows.
#[derive(Debug, Args)]
struct Limits {
    /// Actions that run at once
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    workers: u16,
    /// Days for which events and executions are kept
    #[arg(long, default_value_t = 90, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    keep: u32,
    /// What to do about timers that were missed while nothing was running
    #[arg(long, default_value = "once", value_name = "POLICY")]
    missed_timers: MissedTimers,
    /// Hosts that http-request may reach whatever their address is
    #[arg(long, num_args = 1.., value_name = "HOST")]
    allow_host: Vec<String>,
    /// Let http-request reach private and loopback addresses
    #[arg(long)]
    allow_private: bool,
}

/// The names of the policies.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum MissedTimers {
    Skip,
    Once,
    All,
}

impl Limits {
    fn options(&self, data: &Path) -> HostOptions {
        let mut options = HostOptions::new(data);
        options.workers = usize::from(self.workers);
        options.engine.retention = Duration::from_secs(u64::from(self.keep) * 24 * 3_600);
        options.engine.catch_up = match self.missed_timers {
            MissedTimers::Skip => CatchUp::Skip,
            MissedTimers::Once => CatchUp::Once,
            MissedTimers::All => CatchUp::All,
        };
        options.runners.http.allowed_hosts.clone_from(&self.allow_host);
        options.runners.http.allow_private = self.allow_private;
        options
    }
}

impl Up {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        start_log(&session.environment, session.console.look().colour)?;
        let data = session.data_directory()?;
        let packs = if self.packs.is_empty() { Vec::new() } else { packs_in(&self.packs)? };
        let platform = Platform::start(self.limits.options(&data), self.listen).await?;
        let served = self.serve(session, &platform, &packs).await;
        session.console.say(Ink::Dim, "note", "stopping; what is not finished is finished by the next start")?;
        platform.stop().await?;
        served.map(|()| Outcome::Success)
    }

    async fn serve(&self, session: &mut Session, platform: &Platform, packs: &[PathBuf]) -> Result<(), Failure> {
        let mut live = register_shipped(platform).await?;
        let mut watches: Vec<_> = packs.iter().map(PackWatch::new).collect();
        for watch in &mut watches {
            live.extend(register_changed(session, platform, watch).await?);
        }
        self.say_up(session, platform, &live)?;
        loop {
            tokio::select! {
                interrupt = interrupted() => return interrupt,
                () = tokio::time::sleep(WATCH_INTERVAL), if self.watch => {}
            }
            for watch in &mut watches {
                if let Some(pack) = register_changed(session, platform, watch).await? {
                    session.console.line(&format!("registered {pack}"))?;
                }
            }
        }
    }

    fn say_up(&self, session: &mut Session, platform: &Platform, live: &[String]) -> Result<(), Failure> {
        let key_file = platform.key_file();
        let body = json!({
            "address": platform.address(), "data": session.data_directory()?, "api_key_file": key_file, "packs": live,
        });
        if session.print_data(&body)? {
            return Ok(());
        }
        let look = session.console.look();
        let made = platform.first_key().map(|key| format!("\n           {key}  (made now, and shown this once)"));
        let label = |text: &str| look.paint(Ink::Dim, &format!("  {text:<9}"));
        session.console.line(&format!(
            "{} at {}\n{}{}\n{}{}{}\n{}{}\n{}",
            look.paint(Ink::Green, "squall is up"),
            look.paint(Ink::Bold, platform.address()),
            label("data"),
            session.data_directory()?.display(),
            label("API key"),
            key_file.display(),
            made.unwrap_or_default(),
            label("packs"),
            live.join(", "),
            look.paint(Ink::Dim, "  Ctrl-C ends it; `squall demo` shows one event from end to end"),
        ))?;
        if !self.listen.ip().is_loopback() {
            let note = "it listens beyond this machine, without TLS: put a proxy with TLS in front of it";
            session.console.say(Ink::Yellow, "warning", note)?;
        }
        Ok(())
    }
}

/// Makes the packs live that ship with the command.
pub(super) async fn register_shipped(platform: &Platform) -> Result<Vec<String>, Failure> {
    let mut live = Vec::new();
    for files in shipped_packs() {
        let registered = platform.register(files).await.map_err(|error| Failure::new(error.to_string()))?;
        live.push(format!("{} {}", registered.pack, registered.version));
    }
    Ok(live)
}

/// Makes a pack live where its files have changed. What is wrong with it is shown, and the platform stays up with what it has.
async fn register_changed(
    session: &mut Session,
    platform: &Platform,
    watch: &mut PackWatch,
) -> Result<Option<String>, Failure> {
    let files = match watch.changed() {
        Ok(None) => return Ok(None),
        Ok(Some(files)) => files,
        Err(error) => {
            session.console.say(Ink::Red, "error", &error.to_string())?;
            return Ok(None);
        }
    };
    let directory = watch.directory().to_owned();
    let shown = files.clone();
    let (registered, diagnostics) = match platform.register(files).await {
        Ok(registered) => (Ok(format!("{} {}", registered.pack, registered.version)), registered.warnings),
        Err(error) => (Err(error.message), error.diagnostics),
    };
    show(session, &directory, &shown, &diagnostics)?;
    match registered {
        Ok(pack) => Ok(Some(pack)),
        Err(message) => {
            session.console.say(Ink::Red, "error", &format!("{} is not registered: {message}", directory.display()))?;
            Ok(None)
        }
    }
}

fn show(
    session: &mut Session,
    directory: &Path,
    files: &PackFiles,
    diagnostics: &[model::Diagnostic],
) -> Result<(), Failure> {
    if diagnostics.is_empty() {
        return Ok(());
    }
    let views: Vec<_> = diagnostics.iter().map(DiagnosticView::from).collect();
    let look = session.console.look();
    session.console.say_plain(&Excerpts { directory, files }.render(look, &views))
}
