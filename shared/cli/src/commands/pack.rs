//! `squall pack`.

use clap::{Args, Subcommand};
use embedded::{PackWatch, find_packs, read_pack_directory};
use model::{PackContent, PackFiles};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    client::{Client, Query},
    console::Ink,
    failure::{Failure, Outcome},
    output::{Column, DiagnosticView, Excerpts, Field, Kind, counted},
    session::{Format, Session},
};

/// More packs than anybody looks at in a terminal.
const MOST: usize = 10_000;
/// How often a watched directory is looked at.
pub(super) const WATCH_INTERVAL: Duration = Duration::from_millis(500);

const COLUMNS: [Column; 4] = [
    Column::new("ref", "/ref"),
    Column::new("version", "/version"),
    Column::new("author", "/author").of(Kind::Quiet),
    Column::new("description", "/description"),
];

const FIELDS: [Field; 8] = [
    Field::new("ref", "/ref"),
    Field::new("name", "/name"),
    Field::new("description", "/description"),
    Field::new("version", "/version"),
    Field::new("author", "/author"),
    Field::new("digest", "/digest"),
    Field::new("keywords", "/keywords"),
    Field::new("dependencies", "/dependencies"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Pack {
    List(List),
    Get(Get),
    Register(Register),
    Upload(Upload),
    Validate(Validate),
}

/// List the registered packs
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall pack list")]
pub(crate) struct List {}

/// Show one pack
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall pack get demo")]
pub(crate) struct Get {
    /// The pack's ref
    #[arg(value_name = "REF")]
    pack: String,
}

/// Register packs with the host: each is checked, and is live as a whole or not at all
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall pack register packs/demo
  squall pack register packs --watch       every pack below packs, again whenever it changes")]
pub(crate) struct Register {
    /// Packs, or directories of packs
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// Go on looking, and register again what changes
    #[arg(long)]
    watch: bool,
}

/// Upload packs to a host on AWS: each as one archive, checked and registered there
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall --profile prod pack upload packs/demo")]
pub(crate) struct Upload {
    /// Packs, or directories of packs
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,
}

/// Check packs without a host, and show all that is wrong with them
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall pack validate packs/demo
  squall pack validate packs --json | jq '.[].diagnostics'
  squall pack validate packs/demo --watch")]
pub(crate) struct Validate {
    /// Packs, or directories of packs
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// Go on looking, and check again what changes
    #[arg(long)]
    watch: bool,
}

impl Pack {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        match self {
            Pack::List(List {}) => {
                let listing = session.client()?.list(&["packs"], &Query::new(), MOST).await?;
                session.print_table(&listing.items, &COLUMNS, "no pack is registered")?;
                Ok(Outcome::Success)
            }
            Pack::Get(Get { pack }) => {
                let found = session.client()?.get_one("packs", &pack, &Query::new()).await?;
                session.print_details(&found, &FIELDS)?;
                Ok(Outcome::Success)
            }
            Pack::Register(register) => register.run(session).await,
            Pack::Upload(upload) => upload.run(session).await,
            Pack::Validate(validate) => validate.run(session).await,
        }
    }
}

/// All packs in these directories.
pub(super) fn packs_in(directories: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut packs = Vec::new();
    for directory in directories {
        packs.extend(find_packs(directory).map_err(|error| Failure::usage(error.to_string()))?);
    }
    Ok(packs)
}

fn read(directory: &Path) -> Result<PackFiles, Failure> {
    read_pack_directory(directory).map_err(|error| Failure::new(error.to_string()))
}

impl Register {
    async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let client = session.client()?;
        let packs = packs_in(&self.directories)?;
        if self.watch {
            return watch(session, &packs, async |session, directory, files| {
                register(session, &client, directory, files).await
            })
            .await;
        }
        let mut all = Outcome::Success;
        for directory in &packs {
            if register(session, &client, directory, &read(directory)?).await? == Outcome::Unsuccessful {
                all = Outcome::Unsuccessful;
            }
        }
        Ok(all)
    }
}

/// Registers one pack, and shows what is wrong with it.
async fn register(
    session: &mut Session,
    client: &Client,
    directory: &Path,
    files: &PackFiles,
) -> Result<Outcome, Failure> {
    let answer = client.register_pack(files).await;
    show(session, directory, files, answer)
}

impl Upload {
    async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let client = session.client()?;
        let mut all = Outcome::Success;
        for directory in &packs_in(&self.directories)? {
            let files = read(directory)?;
            let console = &mut session.console;
            let say = |text: &str| console.say(Ink::Dim, "note", &format!("{}: {text}", directory.display()));
            let answer = client.upload_pack(&files, say).await;
            if show(session, directory, &files, answer)? == Outcome::Unsuccessful {
                all = Outcome::Unsuccessful;
            }
        }
        Ok(all)
    }
}

/// Shows what came of a pack's registration.
fn show(
    session: &mut Session,
    directory: &Path,
    files: &PackFiles,
    answer: Result<Value, Failure>,
) -> Result<Outcome, Failure> {
    let (answer, diagnostics) = match answer {
        Ok(answer) => {
            let warnings = DiagnosticView::all_of(&answer, "warnings");
            (Some(answer), warnings)
        }
        Err(failure) => {
            let diagnostics =
                failure.answer().map(|answer| DiagnosticView::all_of(answer, "diagnostics")).unwrap_or_default();
            if diagnostics.is_empty() {
                return Err(failure);
            }
            session.print_data(failure.answer().unwrap_or(&Value::Null))?;
            (None, diagnostics)
        }
    };
    if session.format() == Format::Text {
        let excerpts = Excerpts { directory, files };
        session.console.write(&excerpts.render(session.console.look(), &diagnostics))?;
    }
    match answer {
        Some(answer) => {
            session.print_done(&answer, &registered(&answer))?;
            Ok(Outcome::Success)
        }
        None => {
            let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
            let text = format!("{} is not registered: {}", directory.display(), counted(errors, "error"));
            session.console.say(Ink::Red, "error", &text)?;
            Ok(Outcome::Unsuccessful)
        }
    }
}

fn registered(answer: &Value) -> String {
    let text = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default();
    let count = |key: &str| answer.get("counts").and_then(|counts| usize::try_from(counts.get(key)?.as_u64()?).ok());
    let contents = in_words(
        [
            ("actions", "action"),
            ("rules", "rule"),
            ("triggers", "trigger type"),
            ("sensors", "sensor"),
            ("aliases", "alias"),
            ("policies", "policy"),
        ]
        .map(|(key, noun)| (count(key).unwrap_or(0), noun)),
    );
    format!("{} {} is registered: {contents}", text("pack"), text("version"))
}

impl Validate {
    async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let packs = packs_in(&self.directories)?;
        if self.watch {
            return watch(session, &packs, async |session, directory, files| {
                let checked = Checked::new(directory, files);
                session.console.write(&checked.render(session, files))?;
                Ok(checked.outcome())
            })
            .await;
        }
        let mut all = Outcome::Success;
        let mut reports = Vec::new();
        for directory in &packs {
            let files = read(directory)?;
            let checked = Checked::new(directory, &files);
            if checked.outcome() == Outcome::Unsuccessful {
                all = Outcome::Unsuccessful;
            }
            if session.format() == Format::Text {
                session.console.write(&checked.render(session, &files))?;
            } else {
                reports.push(checked.report());
            }
        }
        session.print_data(&Value::from(reports))?;
        Ok(all)
    }
}

/// A pack that has been looked at.
struct Checked<'a> {
    directory: &'a Path,
    content: Option<PackContent>,
    diagnostics: Vec<model::Diagnostic>,
}

impl<'a> Checked<'a> {
    fn new(directory: &'a Path, files: &PackFiles) -> Checked<'a> {
        let (content, diagnostics) = match model::load_pack(files) {
            Ok((content, mut warnings)) => {
                warnings.extend(engine::inspect_workflows(files, &content));
                (Some(content), warnings)
            }
            Err(diagnostics) => (None, diagnostics),
        };
        Checked { directory, content, diagnostics }
    }

    fn outcome(&self) -> Outcome {
        if self.content.is_some() { Outcome::Success } else { Outcome::Unsuccessful }
    }

    fn report(&self) -> Value {
        json!({
            "path": self.directory.display().to_string(),
            "pack": self.content.as_ref().map(|content| &content.pack.reference),
            "version": self.content.as_ref().map(|content| &content.pack.version),
            "valid": self.content.is_some(),
            "diagnostics": self.diagnostics,
        })
    }

    fn render(&self, session: &Session, files: &PackFiles) -> String {
        let look = session.console.look();
        let views: Vec<_> = self.diagnostics.iter().map(DiagnosticView::from).collect();
        let shown = Excerpts { directory: self.directory, files }.render(look, &views);
        let errors = views.iter().filter(|view| view.is_error()).count();
        let warnings = counted(views.len() - errors, "warning");
        let summary = match &self.content {
            Some(content) => {
                let verdict = look.paint(Ink::Green, "valid");
                let noted = if views.is_empty() { String::new() } else { format!(" ({warnings})") };
                format!(
                    "{} {} is {verdict}: {}{noted}",
                    content.pack.reference,
                    content.pack.version,
                    contents(content)
                )
            }
            None => {
                let verdict = look.paint(Ink::Red, "not valid");
                format!("{} is {verdict}: {}, {warnings}", self.directory.display(), counted(errors, "error"))
            }
        };
        format!("{shown}{summary}\n")
    }
}

fn contents(content: &PackContent) -> String {
    in_words([
        (content.actions.len(), "action"),
        (content.rules.len(), "rule"),
        (content.trigger_types.len(), "trigger type"),
        (content.sensors.len(), "sensor"),
        (content.aliases.len(), "alias"),
        (content.policies.len(), "policy"),
    ])
}

fn in_words(counts: [(usize, &str); 6]) -> String {
    let counts: Vec<_> = counts.into_iter().filter(|(n, _)| *n > 0).map(|(n, noun)| counted(n, noun)).collect();
    if counts.is_empty() { "it is empty".to_owned() } else { counts.join(", ") }
}

/// Looks at the directories for ever and does `work` with each that changed; what goes wrong is shown, and looked at again.
async fn watch(
    session: &mut Session,
    packs: &[PathBuf],
    work: impl AsyncFn(&mut Session, &Path, &PackFiles) -> Result<Outcome, Failure>,
) -> Result<Outcome, Failure> {
    let mut watches: Vec<_> = packs.iter().map(PackWatch::new).collect();
    loop {
        for watch in &mut watches {
            let done = match watch.changed() {
                Ok(None) => continue,
                Ok(Some(files)) => work(session, watch.directory(), &files).await,
                Err(error) => Err(Failure::new(error.to_string())),
            };
            match done {
                Err(failure) if failure.is_closed_pipe() => return Err(failure),
                Err(failure) => session.console.say(Ink::Red, "error", &failure.to_string())?,
                Ok(_) => {}
            }
        }
        tokio::select! {
            () = tokio::time::sleep(WATCH_INTERVAL) => {}
            interrupt = tokio::signal::ctrl_c() => return Ok(interrupt.map(|()| Outcome::Success)?),
        }
    }
}
