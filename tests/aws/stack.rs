//! A deployed stack, and what tests ask of it.

use aws::{Clients, Settings};
use cli::{Console, Environment, Look};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use testkit::emulator::{Account, Emulator};

/// How long something may take that happens at once where the machine is not busy.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long an action has; the longest that tests wait for a function that was killed.
pub(crate) const ACTION_SECONDS: u64 = 15;
/// The operator's key; the stack knows its hash.
const KEY: &str = "key-of-the-tests";
const KEY_HASH: &str = "0db0cfa9c68ac89c105d4e21f5081f11c9e99114313652db9aeb5aed1bb6e71d";

/// One deployment.
pub(crate) struct Stack {
    account: Account,
    outputs: BTreeMap<String, String>,
}

/// What a command printed.
pub(crate) struct Printed {
    pub(crate) code: u8,
    pub(crate) text: String,
}

impl Stack {
    /// The stack that most tests share; the first call builds the functions, deploys, and uploads the packs.
    pub(crate) async fn shared() -> &'static Stack {
        static SHARED: tokio::sync::OnceCell<Stack> = tokio::sync::OnceCell::const_new();
        SHARED.get_or_init(|| Stack::deploy(Emulator::shared())).await
    }

    /// A stack of its own, with the packs in it.
    pub(crate) async fn deploy(emulator: &'static Emulator) -> Stack {
        // A request without a signature, as the API's callers send it, is one to the emulator's default account.
        let account = Account { id: "000000000000".to_owned(), ..emulator.account() };
        let stack = Stack::deploy_bare(account, root().join("infra/template.yaml")).await;
        for pack in ["packs/core", "packs/examples", "tests/aws/pack", "tests/aws/flows"] {
            let printed = stack.squall(&["pack", "upload", root().join(pack).to_str().unwrap()]).await;
            assert_eq!(printed.code, 0, "{}", printed.text);
        }
        stack
    }

    /// A stack of that template, with nothing in it.
    pub(crate) async fn deploy_bare(account: Account, template: PathBuf) -> Stack {
        let stack = tokio::task::spawn_blocking(move || {
            let seconds = ACTION_SECONDS.to_string();
            let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
            let parameters = [
                ("Architecture", architecture),
                ("ActionSeconds", seconds.as_str()),
                ("OperatorKeyHash", KEY_HASH),
                ("RequireTls", "false"),
            ];
            let outputs = account.deploy(&template, binaries(), &parameters);
            Stack { account, outputs }
        });
        stack.await.unwrap()
    }

    pub(crate) fn output(&self, name: &str) -> &str {
        &self.outputs[name]
    }

    /// The API's address.
    pub(crate) fn url(&self) -> String {
        format!("{}/_aws/execute-api/{}/$default", self.account.endpoint, self.output("ApiId"))
    }

    /// Runs a command line against the stack.
    pub(crate) async fn squall(&self, arguments: &[&str]) -> Printed {
        let sheet = Sheet::default();
        let console = Console::new(Box::new(sheet.clone()), Box::new(sheet.clone()), Look::default());
        let url = self.url();
        let environment: Environment =
            [("SQUALL_URL", url.as_str()), ("SQUALL_API_KEY", KEY), ("HOME", "/nowhere")].into_iter().collect();
        let code = cli::run(std::iter::once("squall").chain(arguments.iter().copied()), environment, console).await;
        let text = String::from_utf8(sheet.0.lock().unwrap().clone()).unwrap();
        Printed { code, text }
    }

    /// A request to the API; the answer's body, where the status is a success.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.try_to_ask(method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    pub(crate) async fn try_to_ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("{}/api/v1/{path}", self.url());
        let request = http().request(method.parse().unwrap(), url).header("St2-Api-Key", KEY);
        let request = body.into_iter().fold(request, |request, body| request.json(&body));
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// A POST with that header and an empty object.
    pub(crate) async fn ask_with(&self, (name, value): (&str, &str), path: &str) {
        let url = format!("{}/api/v1/{path}", self.url());
        let request = http().post(url).header("St2-Api-Key", KEY).header(name, value).json(&json!({}));
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    /// Sends a delivery to the webhook `chain`.
    pub(crate) async fn send(&self, delivery: &str, n: &Value) -> u16 {
        let url = format!("{}/api/v1/webhooks/chain", self.url());
        let request = http().post(url).header("St2-Api-Key", KEY).header("Idempotency-Key", delivery);
        request.json(&json!({"n": n})).send().await.unwrap().status().as_u16()
    }

    /// The executions that ended with this text on their output.
    pub(crate) async fn noted(&self, text: &str) -> Vec<Value> {
        let listed =
            self.ask("GET", "executions?action=chain.note&limit=100&exclude_attributes=trigger_instance", None).await;
        let wanted = format!("noted {text}");
        let is_it = |execution: &&Value| execution.pointer("/result/stdout").and_then(Value::as_str) == Some(&wanted);
        listed.as_array().unwrap().iter().filter(is_it).cloned().collect()
    }

    /// Looks until there is something.
    pub(crate) async fn until<T, F: Future<Output = Option<T>>>(&self, what: &str, mut look: impl FnMut() -> F) -> T {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(Instant::now() < until, "{what}: not after {} s", PATIENCE.as_secs());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// AWS in the stack's account, with all permissions.
    pub(crate) async fn clients(&self) -> Clients {
        Clients::new(self.configuration(&self.account.id).await)
    }

    async fn configuration(&self, key_id: &str) -> aws_config::SdkConfig {
        let credentials = aws_sdk_sqs::config::Credentials::new(key_id, "any", None, None, "tests");
        aws_config::defaults(aws_config::BehaviorVersion::latest())
            .endpoint_url(&self.account.endpoint)
            .region(aws_config::Region::new(self.account.region))
            .credentials_provider(credentials)
            .load()
            .await
    }

    /// The names of the stack's resources.
    pub(crate) fn settings(&self) -> Settings {
        let variables = [
            ("SQUALL_TABLE", "TableName"),
            ("SQUALL_BUS", "BusName"),
            ("SQUALL_BUCKET", "BucketName"),
            ("SQUALL_KEY_ID", "KeyArn"),
            ("SQUALL_ACTIONS_QUEUE_URL", "ActionsQueueUrl"),
            ("SQUALL_WORKFLOWS_QUEUE_URL", "WorkflowsQueueUrl"),
            ("SQUALL_ENGINE_QUEUE_URL", "EngineQueueUrl"),
        ];
        let output =
            |name| variables.iter().find(|(variable, _)| *variable == name).map(|(_, output)| self.output(output));
        Settings::from_lookup(|name| output(name).map(str::to_owned)).unwrap()
    }

    /// Has the garbage collector sweep now.
    pub(crate) async fn sweep(&self) {
        let (failed, answer) = self.try_to_sweep().await;
        assert!(!failed && answer.contains("overdue"), "{answer}");
    }

    /// Did the function fail, and what did it say?
    pub(crate) async fn try_to_sweep(&self) -> (bool, String) {
        let function = self.output("GarbageCollectorName");
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.account.endpoint);
        let credential = format!(
            "AWS4-HMAC-SHA256 Credential={}/20260101/{}/lambda/aws4_request, SignedHeaders=host, Signature=0",
            self.account.id, self.account.region
        );
        let answer = http().post(url).header("Authorization", credential).json(&json!({})).send().await.unwrap();
        let failed = answer.headers().contains_key("x-amz-function-error");
        (failed, answer.text().await.unwrap())
    }
}

/// Collects what is written to it.
#[derive(Clone, Default)]
struct Sheet(Arc<Mutex<Vec<u8>>>);

impl Write for Sheet {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where cargo put the functions.
fn binaries() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_api")).parent().unwrap()
}
