//! Packs as files: read, checked, and turned into nouns.
//!
//! A file and a body of the API pass the same checks: both become a tree, and each reader here takes a tree and reports what is wrong
//! with it. Where StackStorm itself would register what is doubtful there is a warning, not an error.

mod action;
mod alias;
mod config_schema;
mod files;
mod finding;
mod form;
mod pack_metadata;
mod parameters;
mod policy;
mod rule;
mod sensor;
mod trigger_type;

#[cfg(test)]
mod tests;

use indexmap::IndexMap;
use serde_json::Value;
use yaml::Node;

use crate::{Action, Diagnostic, PackContent, Policy, Ref, Rule, TriggerType};
pub use files::{MAX_PACK_BYTES, MAX_PACK_FILES, PackFiles, SourceFile};
pub use finding::Problem;
use finding::{Finding, Findings};

/// Where a tree came from.
#[derive(Clone, Copy)]
enum Origin<'a> {
    /// A file of that pack.
    File { pack: &'a str, files: &'a PackFiles, path: &'a str },
    /// A body of the API, which may name its pack.
    Body,
}

/// Reads a whole pack: what it holds and what to be warned of, or everything that is wrong with it.
pub fn load_pack(files: &PackFiles) -> Result<(PackContent, Vec<Diagnostic>), Vec<Diagnostic>> {
    files.check_limits().map_err(|error| vec![error])?;
    let mut reading = Reading { files, diagnostics: Vec::new() };
    let content = reading.pack();
    let mut diagnostics = reading.diagnostics;
    diagnostics.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    match content {
        Some(content) if !diagnostics.iter().any(Diagnostic::is_error) => Ok((content, diagnostics)),
        _ => Err(diagnostics),
    }
}

/// Reads a rule from a body of the API; without `pack` it is in `default`, without `enabled` it is off.
pub fn parse_rule(body: &Value) -> Result<Rule, Vec<Problem>> {
    parse_body(body, rule::read)
}

/// Reads an action from a body of the API; without `pack` it is in `default`.
pub fn parse_action(body: &Value) -> Result<Action, Vec<Problem>> {
    parse_body(body, action::read)
}

/// Reads a trigger type from a body of the API; without `pack` it is in `default`.
pub fn parse_trigger_type(body: &Value) -> Result<TriggerType, Vec<Problem>> {
    parse_body(body, trigger_type::read)
}

/// Reads a policy from a body of the API; without `pack` it is in `default`.
pub fn parse_policy(body: &Value) -> Result<Policy, Vec<Problem>> {
    parse_body(body, policy::read)
}

type Read<T> = fn(&Node, Origin<'_>, &mut Findings) -> Option<T>;

fn parse_body<T>(body: &Value, read: Read<T>) -> Result<T, Vec<Problem>> {
    let mut findings = Findings::default();
    let read = read(&Node::from_json(body), Origin::Body, &mut findings);
    let problems: Vec<Problem> = findings.into_iter().filter(Finding::is_error).map(Problem::from).collect();
    read.filter(|_| problems.is_empty()).ok_or(problems)
}

struct Reading<'a> {
    files: &'a PackFiles,
    diagnostics: Vec<Diagnostic>,
}

impl Reading<'_> {
    fn pack(&mut self) -> Option<PackContent> {
        let pack = self.file("pack.yaml", pack_metadata::read);
        // The other files are checked even where it is unknown whose they are.
        let name = pack.as_ref().map_or("", |pack| pack.reference.as_str()).to_owned();
        let mut trigger_types = self.folder(&name, "triggers", trigger_type::read);
        let mut sensors = Vec::new();
        for (path, (sensor, types)) in self.folder(&name, "sensors", sensor::read) {
            trigger_types.extend(types.into_iter().map(|kind| (path.clone(), kind)));
            sensors.push((path, sensor));
        }
        let actions = self.folder(&name, "actions", action::read);
        let rules = self.folder(&name, "rules", rule::read);
        let aliases = self.folder(&name, "aliases", alias::read);
        let policies = self.folder(&name, "policies", policy::read);
        let config_schema = self.config_schema();
        Some(PackContent {
            trigger_types: self.distinct(trigger_types, "trigger type", |kind| &kind.reference),
            sensors: self.distinct(sensors, "sensor", |sensor| &sensor.reference),
            actions: self.distinct(actions, "action", |action| &action.reference),
            rules: self.distinct(rules, "rule", |rule| &rule.reference),
            aliases: self.distinct(aliases, "alias", |alias| &alias.reference),
            policies: self.distinct(policies, "policy", |policy| &policy.reference),
            config_schema,
            files: self.files.entries(),
            pack: pack?,
        })
    }

    fn config_schema(&mut self) -> Option<serde_json::Map<String, Value>> {
        let path =
            ["config.schema.yaml", "config.schema.yml"].into_iter().find(|path| self.files.get(path).is_some())?;
        self.file(path, config_schema::read)
    }

    /// Of two with the same name the last is kept, as in StackStorm.
    fn distinct<T: PartialEq>(&mut self, all: Vec<(String, T)>, kind: &str, name: impl Fn(&T) -> &Ref) -> Vec<T> {
        let mut distinct: IndexMap<Ref, (String, T)> = IndexMap::new();
        for (path, one) in all {
            let reference = name(&one).clone();
            let Some((first, other)) = distinct.insert(reference.clone(), (path.clone(), one)) else { continue };
            if distinct.get(&reference).is_some_and(|(_, kept)| *kept != other) {
                let message =
                    format!("{first} has the {kind} \"{}\" too, and this one takes its place", reference.name());
                self.report(&path, Finding::warning("duplicate-name", yaml::Position::default(), message));
            }
        }
        distinct.into_values().map(|(_, one)| one).collect()
    }

    fn folder<T>(&mut self, pack: &str, folder: &str, read: Read<T>) -> Vec<(String, T)> {
        let files = self.files;
        let paths = files.metadata_files(folder);
        paths
            .filter_map(|path| {
                let read =
                    |node: &Node, findings: &mut Findings| read(node, Origin::File { pack, files, path }, findings);
                Some((path.to_owned(), self.file(path, read)?))
            })
            .collect()
    }

    fn file<T>(&mut self, path: &str, read: impl FnOnce(&Node, &mut Findings) -> Option<T>) -> Option<T> {
        let Some(file) = self.files.get(path) else {
            let message = "the pack has no such file";
            self.report(path, Finding::error("missing-file", yaml::Position::default(), message));
            return None;
        };
        let mut findings = Findings::default();
        let content = match files::parse(file) {
            Ok(node) => read(&node, &mut findings),
            Err(finding) => {
                findings.push(finding);
                None
            }
        };
        findings.into_iter().for_each(|finding| self.report(path, finding));
        content
    }

    fn report(&mut self, path: &str, finding: Finding) {
        self.diagnostics.push(finding.in_file(path));
    }
}
