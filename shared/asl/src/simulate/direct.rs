//! The conductor, driven as a host does that has no state machine.

use orquesta::{Conductor, Start, Status, StepEvent};

use super::clock::Clock;
use super::{Report, Scenario, Stage, micros, seconds};

enum Happening {
    Step(Box<StepEvent>),
    Start(Box<Start>),
}

/// Runs a workflow by its conductor alone.
pub fn direct(conductor: &Conductor, scenario: Scenario<'_>) -> Report {
    let Scenario { inputs, context, outcomes, requests, most_starts } = scenario;
    let mut stage = Stage::new(outcomes, most_starts);
    let mut state = conductor.begin(&inputs, &context);
    let request = |(at, status)| (at, Happening::Step(Box::new(StepEvent::Request(status))));
    let mut clock = Clock::new(requests.into_iter().map(request));
    let mut ended = 0;
    if state.status() != Status::Failed {
        clock.put(0, Happening::Step(Box::new(StepEvent::Request(Status::Running))));
    }
    while let Some(happening) = clock.take() {
        match happening {
            Happening::Start(start) => {
                let (task, route) = (start.task.clone(), start.route);
                let Some((at, event)) = stage.start(*start, clock.now) else { break };
                clock.put(at, Happening::Step(Box::new(StepEvent::Task { task, route, event })));
            }
            Happening::Step(event) => {
                if !matches!(*event, StepEvent::Request(_)) {
                    ended = clock.now;
                }
                // What the conductor refuses changes nothing.
                let Ok(step) = conductor.step(&mut state, *event) else { continue };
                for start in step.start {
                    clock.put(clock.now.saturating_add(micros(seconds(&start))), Happening::Start(Box::new(start)));
                }
            }
        }
        if stage.is_over() {
            break;
        }
    }
    stage.report(&state, ended)
}
