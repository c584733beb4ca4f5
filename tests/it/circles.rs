//! Workflows that go in a circle and have nothing to do there.

use engine::Principal;
use model::ExecutionStatus;
use serde_json::json;
use std::{sync::Arc, time::Duration};

use crate::policies::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_circle_without_actions_can_be_canceled() {
    let world = World::new(&[]).await;
    let files = [
        ("pack.yaml", "ref: c\nname: c\ndescription: d\nversion: 1.0.0\nauthor: a\n"),
        ("actions/circle.yaml", "name: circle\nrunner_type: orquesta\nentry_point: workflows/circle.yaml\n"),
        (
            "actions/workflows/circle.yaml",
            "version: 1.0\ntasks:\n  enter: {next: [{do: round}]}\n  round: {next: [{do: round}]}\n",
        ),
    ];
    world.register(files.map(|(path, text)| (path.to_owned(), text.to_owned())).to_vec()).await;
    let id = world.request_of("c.circle", json!({})).await;
    let platform = Arc::clone(&world.platform);
    let key = platform.next_wake().unwrap();
    let turning = tokio::spawn(async move { platform.engine.handle(&key).await });
    let begun = async {
        while world.execution(id).await.status != ExecutionStatus::Running {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), begun).await.expect("it does not begin");
    world.platform.engine.cancel(&Principal::system(), id).await.unwrap();
    tokio::time::timeout(Duration::from_secs(60), turning).await.expect("it goes on and on").unwrap().unwrap();
    world.platform.settle().await;
    assert_eq!(world.execution(id).await.status, ExecutionStatus::Canceled);
    assert!(world.is_quiet().await);
}
