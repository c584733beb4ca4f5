//! Whether two simulations of a workflow went the same way.

use orquesta::Status;

use super::{Journey, Report};
use crate::interpreter::Ending;

/// What is different between a workflow that its conductor drove directly, and the compiled one; nothing where both did the same at the same
/// times.
pub fn differences(direct: &Report, compiled: &Report, journey: &Journey) -> Vec<String> {
    let mut found = Vec::new();
    if direct.is_cut_off || compiled.is_cut_off {
        // Both go on without end: what they did until then is the same.
        let last = |report: &Report| report.started.last().map_or(0, |last| last.at);
        let until = last(direct).min(last(compiled));
        let told = |report: &Report| starts(report, until);
        found.extend(first_difference(&told(direct), &told(compiled)));
        return found;
    }
    found.extend(first_difference(&starts(direct, u64::MAX), &starts(compiled, u64::MAX)));
    let given =
        |report: &Report| report.started.iter().map(|one| (one.action.clone(), one.input.clone())).collect::<Vec<_>>();
    if found.is_empty() && given(direct) != given(compiled) {
        found.push("the actions are not given the same".to_owned());
    }
    let ends = |report: &Report| (report.status, report.output.clone(), report.ended);
    if ends(direct) != ends(compiled) {
        found.push(format!("it ends as {:?}, not {:?}", ends(compiled), ends(direct)));
    }
    if direct.errors != compiled.errors {
        found.push(format!("its errors are {:#?}, not {:#?}", compiled.errors, direct.errors));
    }
    let ending = match (direct.status, &journey.ending) {
        (Status::Succeeded, Some(Ending::Succeeded)) | (Status::Canceled, Some(Ending::Aborted)) => true,
        (Status::Failed, Some(Ending::Failed { error, .. })) => error == "Orquesta.Failed",
        // It was over before there was anything to start.
        (status, None) => direct.started.is_empty() || !status.is_completed(),
        _ => false,
    };
    if !ending || (direct.status.is_completed() && journey.unanswered > 0) {
        found.push(format!(
            "the workflow is {}, the state machine {:?} with {} calls unanswered",
            direct.status, journey.ending, journey.unanswered
        ));
    }
    found
}

/// What was started before a time, and when.
fn starts(report: &Report, until: u64) -> Vec<String> {
    let told = report.started.iter().filter(|started| started.at < until);
    told.map(|one| format!("{} {}|{} {:?} {}", one.at, one.task, one.route, one.item, one.again)).collect()
}

fn first_difference(direct: &[String], compiled: &[String]) -> Option<String> {
    if direct == compiled {
        return None;
    }
    let same = direct.iter().zip(compiled).take_while(|(one, other)| one == other).count();
    let near = |starts: &[String]| starts.iter().skip(same.saturating_sub(2)).take(6).cloned().collect::<Vec<_>>();
    Some(format!(
        "after {same} starts of {} and {}: {:#?}, compiled {:#?}",
        direct.len(),
        compiled.len(),
        near(direct),
        near(compiled)
    ))
}
