//! `squall demo`.

use clap::Args;
use embedded::HostOptions;
use model::PackFiles;
use reqwest::Method;
use serde_json::Value;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Instant,
};

use super::up::register_shipped;
use crate::{
    client::Client,
    console::Ink,
    failure::{Failure, Outcome},
    host::{Platform, interrupted, start_log},
    output::{duration, timeline},
    session::{Format, Session},
    shipped_packs,
    trail::Trail,
};

/// The file of the shipped packs that holds the alert.
const ALERT: &str = "examples/alertmanager.json";
/// The webhook that the rules of the pack `demo` listen to.
const WEBHOOK: &str = "alertmanager";

/// See one alert go the whole way: a platform in a temporary directory, a webhook, rules, an action, and the trail of it all
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall demo
  squall demo --once           end after the trail; exit code 0 only if it is complete
  squall demo --once --json    the trail as JSON")]
pub(crate) struct Demo {
    /// End after the trail has been shown, with exit code 0 only if it is complete
    #[arg(long)]
    once: bool,
}

impl Demo {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        start_log(&session.environment, session.console.look().colour)?;
        let data = tempfile::Builder::new().prefix("squall-demo-").tempdir()?;
        let started = Instant::now();
        let platform =
            Platform::start(HostOptions::new(data.path()), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let shown = self.show(session, &platform, (data.path(), started)).await;
        platform.stop().await?;
        shown
    }

    async fn show(
        &self,
        session: &mut Session,
        platform: &Platform,
        (data, started): (&Path, Instant),
    ) -> Result<Outcome, Failure> {
        let live = register_shipped(platform).await?;
        let up = duration(started.elapsed().as_secs_f64());
        let client = platform.client()?;
        let alert = alert()?;
        let posted = Instant::now();
        let id = post(&client, &alert).await?;
        let accepted = duration(posted.elapsed().as_secs_f64());
        let trail = Trail::follow(&client, &id).await?;
        if !session.print_data(&trail.to_json())? {
            let look = session.console.look();
            let heading = |number: &str, text: &str| format!("{} {text}", look.paint(Ink::Cyan, number));
            session.console.line(&format!(
                "{}\n{}\n{}\n\n{}",
                heading(
                    "1",
                    &format!("the platform is up at {} with {}, in {up}", platform.address(), live.join(", "))
                ),
                heading("2", &format!("an alert is posted to /api/v1/webhooks/{WEBHOOK}, and accepted in {accepted}")),
                heading("3", "what became of it, in time since it was accepted:"),
                timeline(look, &trail),
            ))?;
        }
        let outcome = if trail.is_complete() { Outcome::Success } else { Outcome::Unsuccessful };
        if outcome == Outcome::Unsuccessful {
            session.console.say(Ink::Red, "error", "the trail is not complete")?;
        }
        if !self.once {
            if session.format() == Format::Text {
                say_next(session, platform, data)?;
            }
            interrupted().await?;
        }
        Ok(outcome)
    }
}

/// The body that is posted: what Alertmanager sends.
fn alert() -> Result<Value, Failure> {
    let packs = shipped_packs();
    let file = packs.iter().flat_map(PackFiles::files).find(|file| file.path == ALERT);
    let body = file.and_then(|file| serde_json::from_slice(&file.bytes).ok());
    body.ok_or_else(|| Failure::new(format!("{ALERT} of the pack demo is no JSON")))
}

/// Posts the alert and returns the id of the event that it became.
async fn post(client: &Client, alert: &Value) -> Result<String, Failure> {
    let request = client.request(Method::POST, &["webhooks", WEBHOOK])?.json(alert);
    let answer = client.send(request).await?;
    answer.trigger_instance().ok_or_else(|| Failure::new("the webhook was accepted, and no event came of it"))
}

fn say_next(session: &mut Session, platform: &Platform, data: &Path) -> Result<(), Failure> {
    let look = session.console.look();
    let quiet = |text: &str| look.paint(Ink::Dim, text);
    let command = |text: &str, why: &str| format!("  {text:<66} {}\n", quiet(why));
    let data = data.display();
    session.console.line(&format!(
        "\nIt stays up until Ctrl-C. In another terminal:\n\n{}{}{}{}{}\n{}",
        command(&format!("export SQUALL_DATA={data}"), "where the address and the API key are"),
        command("squall run demo.remediate host=db-1 alert=HighCPU --tail", "run the action by hand"),
        command("squall trigger emit demo.deployed service=shop-web version=1.4.2", "let something else happen"),
        command("squall explain last", "and see what came of it"),
        command("squall rule enable demo.heartbeat", "a timer, every ten seconds"),
        quiet(&format!("API at {}, key in {}", platform.address(), platform.key_file().display())),
    ))
}
