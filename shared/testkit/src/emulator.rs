//! AWS on this machine: the emulator of `localstack/`, started once per test process and ended with it.
#![expect(clippy::panic, reason = "a test that can't have the emulator fails, and says why")]
#![expect(
    clippy::disallowed_methods,
    reason = "it is waited for by looking, and there is no clock in tests but the machine's"
)]

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How long the emulator may take to answer: it may have to be installed first, by another process.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running emulator. It ends when the process does, however that ends: it reads a pipe that closes then.
#[derive(Debug)]
pub struct Emulator {
    endpoint: String,
    _child: Child,
}

/// An account of one's own: what other tests make is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// For `AWS_ENDPOINT_URL`.
    pub endpoint: String,
    /// 12 digits, for `AWS_ACCESS_KEY_ID`; any secret will do.
    pub id: String,
    /// For `AWS_REGION`.
    pub region: &'static str,
}

impl Emulator {
    /// The emulator of this process, which lets everybody do everything. The first call installs it where need be and starts it.
    pub fn shared() -> &'static Emulator {
        static SHARED: OnceLock<Emulator> = OnceLock::new();
        SHARED.get_or_init(|| Emulator::start(&[]))
    }

    /// Another one, in which policies count.
    pub fn with_iam() -> &'static Emulator {
        static WITH_IAM: OnceLock<Emulator> = OnceLock::new();
        WITH_IAM.get_or_init(|| Emulator::start(&["--iam"]))
    }

    /// Where it is.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// An account that nobody has had.
    pub fn account(&self) -> Account {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = format!("{:012}", 100_000_000_000 + NEXT.fetch_add(1, Ordering::Relaxed));
        Account { endpoint: self.endpoint.clone(), id, region: "us-east-1" }
    }

    fn start(options: &[&str]) -> Emulator {
        let python = install();
        let mut child = Command::new(&python)
            .arg(localstack().join("launcher.py"))
            .arg("--with-parent")
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{python} can't be started: {error}"));
        let mut endpoint = String::new();
        if let Some(output) = child.stdout.take() {
            // What can't be read leaves the line empty.
            let _read = BufReader::new(output).read_line(&mut endpoint);
        }
        let emulator = Emulator { endpoint: endpoint.trim().to_owned(), _child: child };
        emulator.wait();
        emulator
    }

    fn wait(&self) {
        let until = Instant::now() + PATIENCE;
        while !self.is_well() {
            assert!(Instant::now() < until, "the emulator does not answer at {:?}; its log is above", self.endpoint);
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn is_well(&self) -> bool {
        let Some(address) = self.endpoint.strip_prefix("http://") else {
            panic!("the emulator did not start; its log is above");
        };
        let ask = || {
            let mut stream = TcpStream::connect(address)?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            write!(stream, "GET /_ministack/health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
            let mut answer = [0; 12];
            stream.read_exact(&mut answer)?;
            Ok::<_, std::io::Error>(answer.ends_with(b" 200"))
        };
        ask().unwrap_or(false)
    }
}

impl Account {
    /// What a process needs in its environment to be in this account.
    pub fn environment(&self) -> [(&'static str, &str); 5] {
        [
            ("AWS_ENDPOINT_URL", &self.endpoint),
            ("AWS_ACCESS_KEY_ID", &self.id),
            ("AWS_SECRET_ACCESS_KEY", "any"),
            ("AWS_REGION", self.region),
            // Python's SDK knows no other.
            ("AWS_DEFAULT_REGION", self.region),
        ]
    }

    /// Deploys a SAM template with the binaries of that folder, and gives the stack's outputs.
    pub fn deploy(&self, template: &Path, binaries: &Path, parameters: &[(&str, &str)]) -> BTreeMap<String, String> {
        let output = Command::new(install())
            .arg(localstack().join("deploy.py"))
            .arg("--template")
            .arg(template)
            .arg("--binaries")
            .arg(binaries)
            .args(parameters.iter().map(|(name, value)| format!("--parameter={name}={value}")))
            .envs(self.environment())
            .stderr(Stdio::inherit())
            .output()
            .unwrap_or_else(|error| panic!("the template can't be deployed: {error}"));
        assert!(output.status.success(), "the template was not deployed; the reason is above");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("the outputs can't be read: {error}"))
    }
}

/// The folder of the emulator's scripts.
fn localstack() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../localstack")
}

/// The emulator's Python.
fn install() -> String {
    let script = localstack().join("install");
    let output = Command::new(&script)
        .stderr(Stdio::inherit())
        .output()
        .unwrap_or_else(|error| panic!("{} can't be started: {error}", script.display()));
    assert!(output.status.success(), "the emulator could not be installed; the reason is above");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
