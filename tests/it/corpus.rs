//! What the fuzzer kept, through what the fuzzer does: see docs/expressions.md, "Fuzzing".

use std::{fs, path::Path, thread};

#[allow(unreachable_pub, reason = "it is a library of its own to the fuzzer")]
#[path = "../fuzz/src/lib.rs"]
mod fuzz;

/// Each kept text of a target, on a stack as large as that of a worker.
fn replay(target: &'static str, run: fn(&str)) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files: Vec<_> = fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 20, "{target} has {} texts", files.len());
    let worker = thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(move || {
        for file in files {
            let text = String::from_utf8(fs::read(&file).unwrap()).unwrap();
            assert!(std::panic::catch_unwind(|| run(&text)).is_ok(), "{}", file.display());
        }
    });
    worker.unwrap().join().unwrap();
}

#[test]
fn jinja_is_read() {
    replay("jinja_parse", fuzz::jinja_parse);
}

#[test]
fn jinja_is_rendered() {
    replay("jinja_render", fuzz::jinja_render);
}

#[test]
fn yaql_is_read() {
    replay("yaql_parse", fuzz::yaql_parse);
}

#[test]
fn yaql_is_evaluated() {
    replay("yaql_evaluate", fuzz::yaql_evaluate);
}

#[test]
fn rules_are_matched_as_one_by_one() {
    replay("rules", fuzz::rules);
}

#[test]
fn yaml_is_read_and_written() {
    replay("yaml", fuzz::yaml);
}
