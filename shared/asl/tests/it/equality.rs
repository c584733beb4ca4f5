//! A workflow that the conductor drives directly, and the same one compiled and interpreted, do the same at the same times.

use std::collections::BTreeMap;

use asl::simulate::{self, Journey, Report, Scenario};
use asl::{Options, Projection, check, compile};
use expressions::orquesta::Expressions;
use orquesta::{Conductor, Status, inspect};
use serde_json::Map;

use crate::conductor;
use crate::random::{Dice, outcome, workflow};

/// How a run is set up, from a seed.
struct Setting {
    seed: u64,
    failures: u64,
    requests: Vec<(u64, Status)>,
}

impl Setting {
    fn new(seed: u64) -> Setting {
        let mut dice = Dice::new(("setting", seed));
        let failures = [0, 10, 30][usize::try_from(dice.below(3)).unwrap()];
        let mut requests = Vec::new();
        if dice.below(3) == 0 {
            let at = 1 + dice.below(8_000_000);
            requests.push((at, Status::Pausing));
            requests.push((at + 1 + dice.below(12_000_000), Status::Resuming));
        }
        if dice.below(12) == 0 {
            requests.push((1 + dice.below(15_000_000), Status::Canceling));
        }
        Setting { seed, failures, requests }
    }

    fn scenario<'s>(
        &self,
        outcomes: &'s mut dyn FnMut(&simulate::Started) -> Option<simulate::Outcome>,
    ) -> Scenario<'s> {
        let (inputs, context, requests) = (Map::new(), Map::new(), self.requests.clone());
        Scenario { inputs, context, outcomes, requests, most_starts: 150 }
    }
}

/// Both ways; what is different between them.
fn differences(
    conductor: &Conductor,
    setting: &Setting,
    options: &Options<'_>,
    most_events: u64,
) -> (Vec<String>, Journey, Report) {
    let of = |started: &simulate::Started| Some(outcome(setting.seed, setting.failures, started));
    let (mut one, mut other) = (of, of);
    let direct = simulate::direct(conductor, setting.scenario(&mut one));
    let machine = compile(conductor, options);
    assert_eq!(check(&machine), []);
    let projection = Projection::new(conductor.clone()).with_most_events(most_events);
    let (compiled, journey) = simulate::compiled(&projection, &machine, setting.scenario(&mut other));
    (simulate::differences(&direct, &compiled, &journey), journey, direct)
}

/// Branches of a loop that come to a task with items while it runs start it over itself. The conductor keeps one list of items then, for
/// actions of both runs, and which of them ends what is beyond telling.
fn starts_items_over(conductor: &Conductor, journey: &Journey, report: &Report, setting: &Setting) -> bool {
    let has_items =
        |node: &orquesta::Node| conductor.workflow().tasks.get(&node.name).is_some_and(|task| task.with.is_some());
    let may = conductor.graph().nodes().any(|node| node.in_cycle && has_items(node));
    if may && journey.visited.iter().any(|name| name.starts_with("drive")) {
        return true;
    }
    let ends = |started: &simulate::Started| started.at + outcome(setting.seed, setting.failures, started).lasts;
    let items: Vec<_> = report.started.iter().filter(|started| started.item.is_some()).collect();
    items.iter().any(|earlier| {
        let same = |later: &&&simulate::Started| {
            (&later.task, later.route) == (&earlier.task, earlier.route) && later.again > earlier.again
        };
        items.iter().filter(same).any(|later| later.at < ends(earlier))
    })
}

fn is_sound(text: &str) -> bool {
    inspect(&yaml::read(text).unwrap(), &[], &Expressions::default()).is_sound()
}

/// So many random graphs; another number is said by `ASL_GRAPHS`, and where they begin by `ASL_SEED`.
fn numbers() -> std::ops::Range<u64> {
    #[expect(clippy::disallowed_methods, reason = "a test is told how much to do")]
    let number = |name: &str, default| std::env::var(name).map_or(default, |number| number.parse().unwrap());
    let begin = number("ASL_SEED", 0);
    begin..begin + number("ASL_GRAPHS", 2_000)
}

#[test]
fn random_workflows_go_the_same_way_compiled_and_not() {
    let mut kinds: BTreeMap<&str, u32> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut seed = numbers().start;
    let mut graphs = 0;
    while graphs < numbers().end - numbers().start {
        seed += 1;
        let text = workflow(&mut Dice::new(("workflow", seed)));
        if !is_sound(&text) {
            continue;
        }
        graphs += 1;
        let conductor = conductor(&text);
        for (number, most_events) in [u64::MAX, u64::MAX, 40].into_iter().enumerate() {
            let setting = Setting::new(seed * 3 + u64::try_from(number).unwrap());
            let (found, journey, report) = differences(&conductor, &setting, &Options::default(), most_events);
            if starts_items_over(&conductor, &journey, &report, &setting) {
                *kinds.entry("left out").or_default() += 1;
                continue;
            }
            let visits = |what: &str| journey.visited.iter().any(|name| name.starts_with(what));
            let kind = [
                ("runs", true),
                ("succeeded", report.status == Status::Succeeded),
                ("failed", report.status == Status::Failed),
                ("canceled", report.status == Status::Canceled),
                ("forked", visits("fork")),
                ("driven", visits("drive")),
                ("without end", report.is_cut_off),
            ];
            kind.into_iter().filter(|(_, is)| *is).for_each(|(kind, _)| *kinds.entry(kind).or_default() += 1);
            if !found.is_empty() {
                wrong.push(format!(
                    "seed {seed}, setting {number}:\n{text}\n{:?}\n{}",
                    setting.requests,
                    found.join("\n")
                ));
            }
        }
    }
    println!("{kinds:?}");
    wrong.sort_by_key(String::len);
    assert!(wrong.is_empty(), "{} are wrong, such as\n{}", wrong.len(), wrong.first().unwrap());
    assert!(kinds.values().all(|count| *count > 10), "too few of a kind: {kinds:?}");
}
