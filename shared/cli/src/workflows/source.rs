//! Where a workflow comes from: a file, a pack's directory, or a host.

use model::{Action, PackContent, PackFiles, Ref};
use orquesta::{Chain, Conductor, Nothing, Workflow};
use serde_json::Value;
use std::{
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use super::{KnownActions, RunView};
use crate::{
    client::{Client, Query},
    failure::Failure,
    output::DiagnosticView,
    session::Session,
};

/// The runner types whose entry points are workflows.
const RUNNERS: [&str; 2] = ["orquesta", "action-chain"];
const CHAIN: &str = "action-chain";

/// The text of one workflow.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// What messages call it: its path, or its ref.
    pub(crate) name: String,
    pub(crate) text: String,
    /// The action that runs it, where there is one.
    pub(crate) action: Option<Action>,
    /// The file, where it is one.
    pub(crate) path: Option<PathBuf>,
    /// It is an action chain.
    pub(crate) is_chain: bool,
}

/// The workflows that a name on the command line stands for: one, or all of a pack.
pub(crate) async fn sources(session: &Session, name: &str) -> Result<Vec<Source>, Failure> {
    let path = Path::new(name);
    if path.is_dir() {
        let packs = embedded::find_packs(path).map_err(|error| Failure::usage(error.to_string()))?;
        let sources: Vec<_> = packs.iter().map(|pack| of_pack(pack)).collect::<Result<_, _>>()?;
        return Ok(sources.into_iter().flatten().collect());
    }
    Ok(vec![Source::find(session, name).await?])
}

impl Source {
    /// The one workflow that a name stands for: a file's path, or the ref of an action of the host.
    pub(crate) async fn find(session: &Session, name: &str) -> Result<Source, Failure> {
        let path = Path::new(name);
        if path.is_file() {
            return Source::read(path);
        }
        let reads_as_ref = !name.contains('/') && !name.ends_with(".yaml") && !name.ends_with(".yml");
        match name.parse::<Ref>() {
            Ok(reference) if reads_as_ref && !path.exists() => Source::of_host(&session.client()?, &reference).await,
            _ if path.is_dir() => Err(Failure::usage(format!("{name} is a directory: name one workflow in it"))),
            _ => Err(Failure::usage(format!("there is no file {name}"))
                .hint("a workflow is named by its file, by its action's metadata file, or by its action's ref")),
        }
    }

    /// A file: a workflow, or the metadata of an action that runs one.
    pub(crate) fn read(path: &Path) -> Result<Source, Failure> {
        let text = read_text(path)?;
        let root = yaml::read(&text).ok();
        let is_metadata = root.as_ref().is_some_and(|root| root.get("runner_type").is_some());
        let Some(root) = root.filter(|_| is_metadata) else {
            let is_chain =
                yaml::read(&text).is_ok_and(|root| root.get("chain").is_some() && root.get("tasks").is_none());
            let (name, path, action) = (shown(path), Some(path.to_owned()), running(path));
            return Ok(Source { name, text, action, path, is_chain });
        };
        let action = parse_action(&shown(path), &root.to_json())?;
        if !RUNNERS.contains(&action.runner_type.as_str()) {
            let message = format!("{} runs no workflow: its runner is {}", shown(path), action.runner_type);
            return Err(Failure::usage(message).hint(format!("workflows are of {}", RUNNERS.join(" or "))));
        }
        let file = path.parent().unwrap_or(Path::new("")).join(&action.entry_point);
        if !file.is_file() {
            let message = format!("{} names the entry point {}, which is no file", shown(path), shown(&file));
            return Err(Failure::usage(message));
        }
        let (text, is_chain) = (read_text(&file)?, action.runner_type == CHAIN);
        Ok(Source { name: shown(&file), text, action: Some(action), path: Some(file), is_chain })
    }

    /// A workflow of an action that a host knows.
    pub(crate) async fn of_host(client: &Client, reference: &Ref) -> Result<Source, Failure> {
        let found = client.get_one("actions", reference.as_str(), &Query::new()).await?;
        let action = parse_action(reference.as_str(), &found)?;
        if !RUNNERS.contains(&action.runner_type.as_str()) {
            return Err(Failure::usage(format!("{reference} runs no workflow: its runner is {}", action.runner_type)));
        }
        let text = client.get(&["actions", "views", "entry_point", reference.as_str()], &Query::new()).await?;
        let text = text.as_str().map_or_else(|| text.to_string(), str::to_owned);
        let is_chain = action.runner_type == CHAIN;
        Ok(Source { name: reference.to_string(), text, action: Some(action), path: None, is_chain })
    }

    /// A workflow of a pack that is near this file: its own, or one beside it.
    pub(crate) fn near(file: &Path, reference: &Ref) -> Option<Source> {
        let pack = pack_near(file, reference.pack())?;
        of_pack(&pack)
            .ok()?
            .into_iter()
            .find(|source| source.action.as_ref().is_some_and(|action| action.reference == *reference))
    }

    /// The workflow of a run, as it was when that began.
    pub(crate) fn of_run(run: &RunView, runner: &str) -> Source {
        let (name, text) = (run.file.clone(), run.text.clone());
        Source { name, text, action: None, path: None, is_chain: runner == CHAIN }
    }

    /// Errors and warnings.
    pub(crate) fn inspect(&self, known: &KnownActions) -> Vec<DiagnosticView> {
        let found = engine::inspect_workflow((&self.name, &self.text), self.is_chain, self.action.as_ref(), &|name| {
            known.find(name)
        });
        found.iter().map(DiagnosticView::from).collect()
    }

    /// A conductor of it; it must be sound.
    pub(crate) fn conductor(&self) -> Result<Conductor, Failure> {
        let workflow = if self.is_chain {
            let root = yaml::read(&self.text).map_err(|error| self.wrong(error.position, &error.message))?;
            Chain::read(&root).map_err(|error| self.wrong(error.position, &error.message))?.workflow()
        } else {
            Workflow::read(&self.text).map_err(|error| Failure::new(format!("{}:{error}", self.name)))?
        };
        Ok(Conductor::new(Arc::new(workflow), expressions::orquesta::Expressions::default(), Arc::new(Nothing)))
    }

    fn wrong(&self, at: yaml::Position, message: &str) -> Failure {
        Failure::new(format!("{}:{}:{}: {message}", self.name, at.line, at.column))
    }

    /// What actions its tasks name.
    pub(crate) fn actions(&self) -> Vec<Ref> {
        let Some(root) = yaml::read(&self.text).ok().filter(|_| !self.is_chain) else { return Vec::new() };
        let workflow = Workflow::outline(&root);
        let named = workflow.tasks.values().filter_map(|task| task.action.written().as_str()?.parse().ok());
        let mut named: Vec<Ref> = named.collect();
        named.sort();
        named.dedup();
        named
    }
}

/// The workflows that a pack's actions run.
fn of_pack(directory: &Path) -> Result<Vec<Source>, Failure> {
    let (files, content) = load(directory)?;
    let conducted = content.actions.into_iter().filter(|action| RUNNERS.contains(&action.runner_type.as_str()));
    let source = |action: Action| {
        let inside = format!("actions/{}", action.entry_point);
        let path = directory.join(&inside);
        let file = files.get(&inside).and_then(|file| String::from_utf8(file.bytes.clone()).ok());
        let text = file.ok_or_else(|| {
            Failure::new(format!("{} runs {}, which is no text file", action.reference, shown(&path)))
        })?;
        let is_chain = action.runner_type == CHAIN;
        Ok(Source { name: shown(&path), text, action: Some(action), path: Some(path), is_chain })
    };
    conducted.map(source).collect()
}

pub(super) fn load(directory: &Path) -> Result<(PackFiles, PackContent), Failure> {
    let files = embedded::read_pack_directory(directory).map_err(|error| Failure::new(error.to_string()))?;
    match model::load_pack(&files) {
        Ok((content, _)) => Ok((files, content)),
        Err(found) => {
            let first = found.iter().find(|found| found.is_error()).map(ToString::to_string).unwrap_or_default();
            Err(Failure::new(format!("the pack in {} is not valid: {first}", shown(directory)))
                .hint(format!("`squall pack validate {}` shows all that is wrong with it", shown(directory))))
        }
    }
}

/// The directory of the pack that a file is in.
pub(super) fn pack_of(file: &Path) -> Option<PathBuf> {
    let file = std::path::absolute(file).ok()?;
    let found = file.ancestors().skip(1).find(|directory| directory.join("pack.yaml").is_file())?;
    // Shown as seen from here, where it is below.
    let here = std::env::current_dir().ok();
    let below = here.as_ref().and_then(|here| found.strip_prefix(here).ok()).unwrap_or(found);
    Some(if below.as_os_str().is_empty() { PathBuf::from(".") } else { below.to_owned() })
}

/// The directory of the pack of that name: the file's own, or one beside it.
pub(super) fn pack_near(file: &Path, name: &str) -> Option<PathBuf> {
    let own = pack_of(file)?;
    let own_name = std::path::absolute(&own).ok()?;
    let is_own = own_name.file_name().is_some_and(|own| own == name) || pack_name(&own).as_deref() == Some(name);
    if is_own {
        return Some(own);
    }
    let beside = own.join("..").join(name);
    beside.join("pack.yaml").is_file().then_some(beside)
}

fn pack_name(directory: &Path) -> Option<String> {
    let root = yaml::read(&std::fs::read_to_string(directory.join("pack.yaml")).ok()?).ok()?;
    let named = root.get("ref").or_else(|| root.get("name"))?;
    named.as_text().map(str::to_owned)
}

/// The action whose entry point a file is, where one action's is.
fn running(file: &Path) -> Option<Action> {
    let pack = pack_of(file)?;
    let actions = std::path::absolute(pack.join("actions")).ok()?;
    let inside = std::path::absolute(file).ok()?.strip_prefix(actions).ok()?.to_owned();
    let (_, content) = load(&pack).ok()?;
    let runs = |action: &Action| Path::new(&action.entry_point) == inside;
    let mut running = content.actions.into_iter().filter(runs);
    running.next().filter(|_| running.next().is_none())
}

fn parse_action(name: &str, body: &Value) -> Result<Action, Failure> {
    model::parse_action(body).map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        Failure::new(format!("{name} is no action: {}", problems.join("; ")))
    })
}

fn read_text(path: &Path) -> Result<String, Failure> {
    crate::documents::read_text(&shown(path))
}

/// A path as people write it, without `./` and `x/../`.
pub(super) fn shown(path: &Path) -> String {
    let mut kept = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(kept.components().next_back(), Some(Component::Normal(_))) => {
                kept.pop();
            }
            part => kept.push(part),
        }
    }
    kept.display().to_string()
}
