//! Every workflow of `packs/examples` really runs, all at once on one host, and becomes what the files in the pack's `tests` say.

use embedded::{Host, HostOptions, read_pack_directory};
use engine::Principal;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

use crate::running::{Running, cases, pack};

/// No example takes longer.
const LONGEST: Duration = Duration::from_secs(60);
/// The runner types of workflows.
const WORKFLOWS: [&str; 2] = ["orquesta", "action-chain"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_becomes_what_its_test_says() {
    let data = tempfile::tempdir().unwrap();
    let host = Host::start(HostOptions::new(data.path())).await.unwrap();
    for name in ["core", "examples"] {
        let files = read_pack_directory(&pack(name)).unwrap();
        let registered = host.engine().register_pack(&Principal::system(), files).await;
        registered.unwrap_or_else(|error| panic!("{name}: {} {:#?}", error.message, error.diagnostics));
    }
    let running: Vec<_> = cases()
        .into_iter()
        .map(|(name, case)| {
            (name, tokio::spawn(Running { engine: Arc::clone(host.engine()), case, longest: LONGEST }.wrongs()))
        })
        .collect();
    let mut wrongs = String::new();
    for (name, running) in running {
        for wrong in running.await.unwrap() {
            wrongs.push_str(&format!("\ntests/{name}: {wrong}"));
        }
    }
    host.stop(Duration::from_secs(1)).await;
    assert!(wrongs.is_empty(), "{wrongs}");
}

#[test]
fn every_example_has_a_test_and_a_line_in_the_readme() {
    let (content, _) = model::load_pack(&read_pack_directory(&pack("examples")).unwrap()).unwrap();
    let workflows = content.actions.iter().filter(|action| WORKFLOWS.contains(&action.runner_type.as_str()));
    let workflows: BTreeSet<String> = workflows.map(|action| action.reference.to_string()).collect();
    let tested: BTreeSet<String> = cases().into_values().map(|case| case.action).collect();
    assert_eq!(workflows, tested);
    let readme = std::fs::read_to_string(pack("examples").join("README.md")).unwrap();
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let told: BTreeSet<String> = rows.map(|(name, _)| format!("examples.{name}")).collect();
    assert_eq!(workflows, told);
}
