//! A shell, and a host that answers with what it was told to.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::Response,
};
use cli::{Console, Environment, Look};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    io::Write,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) error: String,
}

impl Done {
    /// All of it in one text, for snapshots.
    pub(crate) fn text(&self) -> String {
        let errors: String = self.error.lines().map(|line| format!("! {line}\n")).collect();
        format!("{}{errors}exit {}", self.out, self.code)
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

impl Sheet {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Runs a command line in that environment, with the output going nowhere near a terminal.
pub(crate) async fn squall_in(environment: &[(&str, &str)], arguments: &[&str]) -> Done {
    let (out, error) = (Sheet::default(), Sheet::default());
    let console = Console::new(Box::new(out.clone()), Box::new(error.clone()), Look::default());
    let arguments = std::iter::once("squall").chain(arguments.iter().copied());
    let code = cli::run(arguments, environment.iter().copied().collect::<Environment>(), console).await;
    Done { code, out: out.text(), error: error.text() }
}

/// One request that came in.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) key: Option<String>,
    pub(crate) body: String,
}

type Answer = (u16, Vec<(&'static str, String)>, Value);

#[derive(Default)]
struct Desk {
    answers: BTreeMap<String, VecDeque<Answer>>,
    seen: Vec<Seen>,
}

/// A host with recorded answers.
pub(crate) struct Host {
    pub(crate) address: SocketAddr,
    desk: Arc<Mutex<Desk>>,
}

impl Host {
    pub(crate) async fn start() -> Host {
        let desk = Arc::new(Mutex::new(Desk::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(desk.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Host { address, desk }
    }

    /// `GET /path` (below /api/v1, query left out) is answered so; the last answer is given again and again.
    pub(crate) fn on(&self, line: &str, status: u16, body: Value) -> &Host {
        self.on_with(line, status, &[], body)
    }

    pub(crate) fn on_with(&self, line: &str, status: u16, headers: &[(&'static str, &str)], body: Value) -> &Host {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.desk.lock().unwrap().answers.entry(line.to_owned()).or_default().push_back((status, headers, body));
        self
    }

    /// Runs a command line that knows this host and its key.
    pub(crate) async fn squall(&self, arguments: &[&str]) -> Done {
        let url = format!("http://{}", self.address);
        squall_in(&[("SQUALL_URL", &url), ("SQUALL_API_KEY", "secret-key"), ("HOME", "/nowhere")], arguments).await
    }

    /// The requests that came in, as `METHOD path?query`.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.desk.lock().unwrap().seen.clone()
    }

    /// The JSON body of the last request with a body.
    pub(crate) fn sent(&self) -> Value {
        let seen = self.seen();
        let last = seen.iter().rev().find(|seen| !seen.body.is_empty()).unwrap();
        serde_json::from_str(&last.body).unwrap()
    }
}

async fn answer(State(desk): State<Arc<Mutex<Desk>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = String::from_utf8_lossy(&to_bytes(body, 10_000_000).await.unwrap()).into_owned();
    let target = parts.uri.to_string();
    let path = parts.uri.path().strip_prefix("/api/v1").unwrap_or("outside of the API").to_owned();
    let key = parts.headers.get("St2-Api-Key").map(|key| key.to_str().unwrap().to_owned());
    let line = format!("{} {}", parts.method, target.replace("/api/v1", ""));
    let mut desk = desk.lock().unwrap();
    desk.seen.push(Seen { line, key, body });
    let recorded = desk
        .answers
        .get_mut(&format!("{} {path}", parts.method))
        .and_then(|answers| if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() });
    let nothing = || (404, Vec::new(), json!({"faultstring": format!("nothing is at {path}")}));
    let (status, headers, body) = recorded.unwrap_or_else(nothing);
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(if status == 204 { Body::empty() } else { Body::from(body.to_string()) }).unwrap()
}

/// A pack's directory with these files.
pub(crate) fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = directory.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    directory
}
