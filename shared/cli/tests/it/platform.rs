//! The real binary as a server, and a client of it.

use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// `squall up` on a directory of its own; killed when it is dropped.
pub(crate) struct Platform {
    root: PathBuf,
    process: Child,
}

impl Platform {
    /// Starts on `root/data`, with the packs in `root/packs`; what it prints goes to `root/log`.
    pub(crate) fn start(root: &Path) -> Platform {
        // The address of the process before must not be taken for this one's.
        let _none_yet = std::fs::remove_file(root.join("data/address"));
        let log = File::options().create(true).append(true).open(root.join("log")).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_squall"))
            .args(["up", "--listen", "127.0.0.1:0", "--data"])
            .arg(root.join("data"))
            .arg("--packs")
            .arg(root.join("packs"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Platform { root: root.to_owned(), process }
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) fn kill_and_start(&mut self) {
        self.kill();
        *self = Platform::start(&self.root.clone());
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A client of whatever process is up now.
#[derive(Clone)]
pub(crate) struct Api {
    root: PathBuf,
    client: Client,
}

impl Api {
    pub(crate) fn new(root: &Path) -> Api {
        let client = Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
        Api { root: root.to_owned(), client }
    }

    fn endpoint(&self) -> Option<(String, String)> {
        let read = |name: &str| std::fs::read_to_string(self.root.join("data").join(name)).ok();
        let address = read("address").filter(|address| !address.trim().is_empty())?;
        Some((address.trim().to_owned(), read("api-key")?.trim().to_owned()))
    }

    /// A request to the process that is up, if one is.
    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> Option<RequestBuilder> {
        let (address, key) = self.endpoint()?;
        Some(self.client.request(method, format!("{address}/api/v1/{path}")).header("St2-Api-Key", key))
    }

    /// The text of an answer; empty while nobody answers.
    pub(crate) async fn text(&self, path: &str) -> String {
        let Some(request) = self.request(reqwest::Method::GET, path) else { return String::new() };
        match request.send().await {
            Ok(answer) => answer.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    pub(crate) async fn json(&self, path: &str) -> Option<Value> {
        serde_json::from_str(&self.text(path).await).ok()
    }

    /// Asks until the answer is as wanted, for a minute at most.
    pub(crate) async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let asking = async {
            loop {
                if let Some(answer) = self.json(path).await.filter(&wanted) {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), asking)
            .await
            .unwrap_or_else(|_| panic!("{path} never became as wanted"))
    }
}

/// Writes a pack's files.
pub(crate) fn write_pack(root: &Path, name: &str, files: &[(&str, &str)]) {
    let meta = format!("ref: {name}\nname: {name}\ndescription: d\nversion: 1.0.0\nauthor: a\n");
    for (path, text) in files.iter().copied().chain([("pack.yaml", meta.as_str())]) {
        let path = root.join("packs").join(name).join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}
