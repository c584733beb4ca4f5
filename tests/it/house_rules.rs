//! Rules of the house that a machine can keep.

use serde_json::Value;
use std::{collections::BTreeMap, path::Path, process::Command};

/// Each crate and the floor that it stands on. Arrows point down only: a crate may use crates of lower floors.
const FLOORS: [(&str, u32); 16] = [
    ("yaml", 0),
    ("model", 1),
    ("expressions", 1),
    ("rules", 2),
    ("orquesta", 2),
    ("asl", 3),
    ("ports", 3),
    ("engine", 4),
    ("runners", 5),
    ("api", 5),
    ("embedded", 5),
    ("aws", 5),
    ("testkit", 6),
    ("cli", 6),
    ("functions", 6),
    ("tests", 7),
];

/// Arrows on one floor that are meant: an embedded host has runners.
const BESIDE: [(&str, &str); 1] = [("embedded", "runners")];

fn metadata() -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn arrows_between_crates_point_down() {
    let floors: BTreeMap<&str, u32> = FLOORS.into();
    let metadata = metadata();
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let floor = floors.get(name).unwrap_or_else(|| panic!("crate {name} stands on no floor: add it to FLOORS"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let target = dependency["name"].as_str().unwrap();
            let is_for_tests = dependency["kind"].as_str() == Some("dev");
            let Some(below) = floors.get(target).filter(|_| !is_for_tests) else { continue };
            if below >= floor && !BESIDE.contains(&(name, target)) {
                wrong.push(format!("{name} -> {target}"));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that point up or sideways: {wrong:?}");
}

#[test]
fn the_core_knows_no_runtime_and_no_host() {
    let core = ["yaml", "model", "expressions", "rules", "orquesta", "asl", "ports", "engine"];
    let banned = ["tokio", "axum", "rusqlite", "reqwest", "aws-config"];
    for package in metadata()["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let target = dependency["name"].as_str().unwrap();
            let counts = core.contains(&name) && dependency["kind"].as_str() != Some("dev");
            assert!(!(counts && banned.contains(&target)), "{name} must not use {target}");
        }
    }
}

#[test]
fn every_dependency_comes_from_the_workspace_table_with_a_reason() {
    let manifest = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml")).unwrap();
    let table = manifest.split("# Others', each with what it is for.").nth(1).unwrap().split("\n[").next().unwrap();
    let self_evident = ["bytes", "serde", "serde_json", "thiserror", "tokio", "tracing", "tracing-subscriber"];
    for line in table.lines().filter(|line| line.contains('=')) {
        let name = line.split('=').next().unwrap().trim();
        assert!(line.contains('#') || self_evident.contains(&name), "say in Cargo.toml what {name} is for");
    }
}

#[test]
fn the_walk_in_the_architecture_names_real_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let mut walked = 0;
    // Written as `symbol` (`path:line`).
    let parts: Vec<&str> = text.split("` (`").collect();
    for pair in parts.windows(2) {
        let symbol = pair[0].rsplit('`').next().unwrap();
        let Some((path, line)) = pair[1].split('`').next().and_then(|place| place.split_once(':')) else { continue };
        let source = std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let found = source.lines().nth(line.parse::<usize>().unwrap() - 1).unwrap_or_default();
        assert!(found.contains(&format!("fn {symbol}(")), "ARCHITECTURE.md: {path}:{line} is not {symbol}: {found}");
        walked += 1;
    }
    assert!(walked > 10, "the walk has {walked} places");
}
