//! `conformance SUITE`: answers recorded cases, one JSON object a line from stdin to stdout, in order.

mod blackbox;
mod executions;
mod inspection;
mod jinja;
mod operators;
mod orquesta;
mod scenarios;
mod yaql;

use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use serde_json::{Value, json};

/// The value that a case asks for, or why there is none.
type Answer = Result<Value, String>;

fn main() -> ExitCode {
    let suite = std::env::args().nth(1).unwrap_or_default();
    let answer: fn(&Value) -> Answer = match suite.as_str() {
        "blackbox" => blackbox::answer,
        "executions" => executions::answer,
        "graphs" => inspection::graph,
        "inspection" => inspection::answer,
        "jinja" => jinja::answer,
        "operators" => operators::answer,
        "scenarios" => scenarios::answer,
        "yaql" => yaql::answer,
        _ => {
            eprintln!("usage: conformance blackbox|executions|graphs|inspection|jinja|operators|scenarios|yaql");
            return ExitCode::from(2);
        }
    };
    match answer_all(answer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("conformance: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Each answer is written before the next case is read, so that a crash loses one case only.
fn answer_all(answer: fn(&Value) -> Answer) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let case: Value = serde_json::from_str(&line?)?;
        let outcome = catch_unwind(AssertUnwindSafe(|| answer(&case))).unwrap_or_else(|_| Err("panicked".to_owned()));
        let id = case.get("id");
        let reply = match outcome {
            Ok(value) => json!({"id": id, "ok": true, "value": value}),
            Err(error) => json!({"id": id, "ok": false, "error": error}),
        };
        writeln!(out, "{reply}")?;
        out.flush()?;
    }
    Ok(())
}
