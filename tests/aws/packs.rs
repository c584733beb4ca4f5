//! Packs on their way in.

use std::fs;

use crate::stack::{Stack, root};

#[tokio::test]
async fn an_uploaded_pack_is_live_when_the_command_returns() {
    let stack = Stack::shared().await;
    let printed = stack.squall(&["pack", "upload", root().join("packs/demo").to_str().unwrap()]).await;
    assert_eq!(printed.code, 0, "{}", printed.text);
    assert!(printed.text.contains("waiting for its registration"), "{}", printed.text);
    let actions = stack.ask("GET", "actions?pack=demo", None).await;
    assert!(!actions.as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_bad_pack_is_refused_with_what_validate_says() {
    let stack = Stack::shared().await;
    let pack = tempfile::tempdir().unwrap();
    for (file, text) in [
        ("pack.yaml", "ref: bad\nname: bad\ndescription: d\nversion: 1.0.0\nauthor: a\n"),
        ("actions/one.yaml", "name: one\nrunner_type: local-shel-cmd\n"),
        (
            "rules/two.yaml",
            "name: two\npack: bad\nenabled: true\ntrigger: {type: core.st2.webhook}\naction: {ref: bad.one}\ncriterai: {}\n",
        ),
    ] {
        let path = pack.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let directory = pack.path().to_str().unwrap();
    let validated = stack.squall(&["pack", "validate", directory]).await;
    let uploaded = stack.squall(&["pack", "upload", directory]).await;
    assert_eq!((validated.code, uploaded.code), (1, 1), "{}", uploaded.text);
    let findings = |text: &str| {
        let lines = text.lines().filter(|line| line.contains("error[") || line.contains("warning["));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(findings(&validated.text).len() >= 2, "{}", validated.text);
    assert_eq!(findings(&uploaded.text), findings(&validated.text), "{}", uploaded.text);
    assert_eq!(stack.try_to_ask("GET", "packs/bad", None).await.0, 404);
}

#[tokio::test]
async fn an_action_that_wants_more_time_than_a_function_has_is_refused() {
    let stack = Stack::shared().await;
    let pack = tempfile::tempdir().unwrap();
    fs::create_dir_all(pack.path().join("actions")).unwrap();
    fs::write(pack.path().join("pack.yaml"), "ref: long\nname: long\ndescription: d\nversion: 1.0.0\nauthor: a\n")
        .unwrap();
    let action = "name: wait\nrunner_type: local-shell-cmd\nparameters:\n  timeout: {default: 3600}\n";
    fs::write(pack.path().join("actions/wait.yaml"), action).unwrap();
    let printed = stack.squall(&["pack", "upload", pack.path().to_str().unwrap()]).await;
    assert_eq!(printed.code, 1);
    assert!(printed.text.contains("error[timeout-too-long]") && printed.text.contains("squall up"), "{}", printed.text);
}
