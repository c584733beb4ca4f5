//! Starting a process.

use model::Secret;
use rustix::io::Errno;
use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::OnceLock,
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt,
    process::{Child, ChildStdin, Command},
    time::sleep,
};

/// How often a file that is busy is tried again, and after what time: another process that is just being started may for a moment
/// hold a script open that was just written.
const BUSY_ATTEMPTS: u32 = 20;
const BUSY_WAIT: Duration = Duration::from_millis(5);

/// What to start. Not printable: arguments and environment may hold secrets.
pub(crate) struct Invocation {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// All of it; a later one wins.
    pub(crate) environment: Vec<(String, String)>,
    /// The server's own where there is none.
    pub(crate) directory: Option<PathBuf>,
    pub(crate) sudo: Option<Sudo>,
    pub(crate) timeout: Option<Duration>,
    /// Of each stream.
    pub(crate) output_limit: usize,
}

/// As root.
pub(crate) struct Sudo {
    /// Given by stdin, never in argv; without one sudo must not ask.
    pub(crate) password: Option<Secret<String>>,
}

impl Sudo {
    /// The environment is kept; the prompt would be taken for output.
    const fn options(&self) -> &'static [&'static str] {
        match self.password {
            Some(_) => &["-E", "-S", "-p", ""],
            None => &["-E", "-n"],
        }
    }

    fn stdin(&self) -> Stdio {
        if self.password.is_some() { Stdio::piped() } else { Stdio::null() }
    }

    /// A sudo that doesn't want the password has closed its end, which is fine.
    pub(super) async fn write_password(&self, stdin: &mut ChildStdin) {
        if let Some(password) = &self.password {
            let _closed = stdin.write_all(format!("{}\n", password.expose()).as_bytes()).await;
        }
    }
}

/// bash, or where there is none the system's shell.
pub(crate) fn shell() -> &'static Path {
    static SHELL: OnceLock<&Path> = OnceLock::new();
    SHELL.get_or_init(|| {
        let places = ["/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash", "/opt/homebrew/bin/bash"];
        places.into_iter().map(Path::new).find(|path| path.is_file()).unwrap_or(Path::new("/bin/sh"))
    })
}

/// Starts it as the leader of a new process group. A file that is neither a binary nor names its interpreter runs through the shell,
/// as when it is called from one.
#[expect(clippy::disallowed_methods, reason = "waits for a file of the machine to be free")]
pub(super) async fn start(invocation: &Invocation) -> Result<Child, String> {
    let mut through_shell = false;
    for _attempt in 0..BUSY_ATTEMPTS {
        match command(invocation, through_shell).spawn() {
            Ok(child) => {
                tracing::debug!(pid = child.id(), "process started");
                return Ok(child);
            }
            Err(error) if is(&error, Errno::TXTBSY) => sleep(BUSY_WAIT).await,
            Err(error) if is(&error, Errno::NOEXEC) && !through_shell => through_shell = true,
            Err(error) => return Err(explain(invocation, &error)),
        }
    }
    Err(format!("{} can't be started: it is being written to", invocation.program.display()))
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}

fn command(invocation: &Invocation, through_shell: bool) -> Command {
    let program = invocation.program.as_os_str();
    let words = through_shell
        .then_some(shell().as_os_str())
        .into_iter()
        .chain([program])
        .chain(invocation.arguments.iter().map(OsStr::new));
    let mut command = match &invocation.sudo {
        None => plain(words, Stdio::null()),
        Some(sudo) => plain(sudo_words(sudo).chain(words), sudo.stdin()),
    };
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    surround(&mut command, invocation);
    command
}

fn sudo_words(sudo: &Sudo) -> impl Iterator<Item = &OsStr> {
    ["sudo"].iter().chain(sudo.options()).chain(&["--"]).map(OsStr::new)
}

fn plain<'a>(mut words: impl Iterator<Item = &'a OsStr>, stdin: Stdio) -> Command {
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).stdin(stdin);
    command
}

fn surround(command: &mut Command, invocation: &Invocation) {
    command.env_clear().envs(invocation.environment.iter().map(|(name, value)| (name, value)));
    if let Some(directory) = &invocation.directory {
        command.current_dir(directory);
    }
}

/// Sends a signal to a process group that is not ours to signal.
pub(super) async fn kill_by_sudo(invocation: &Invocation, sudo: &Sudo, [signal, group]: [&str; 2]) {
    let words = ["kill", "-s", signal, "--", group].map(OsStr::new);
    let mut command = plain(sudo_words(sudo).chain(words), sudo.stdin());
    command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    surround(&mut command, invocation);
    let Ok(mut child) = command.spawn() else { return };
    if let Some(mut stdin) = child.stdin.take() {
        sudo.write_password(&mut stdin).await;
    }
    let _status = child.wait().await;
}

fn explain(invocation: &Invocation, error: &io::Error) -> String {
    if invocation.directory.as_ref().is_some_and(|directory| !directory.is_dir()) {
        return "parameter \"cwd\": there is no such directory".to_owned();
    }
    if is(error, Errno::TOOBIG) {
        return "the command with its parameters and environment is too long for a process: pass large values by a file or the \
                datastore"
            .to_owned();
    }
    if error.kind() == io::ErrorKind::InvalidInput {
        return "a NUL character can't be passed to a process".to_owned();
    }
    let program = if invocation.sudo.is_some() { Path::new("sudo") } else { &invocation.program };
    format!("{} can't be started: {error}", program.display())
}
