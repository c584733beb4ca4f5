//! An action's output on its way to the store: redacted, cut into chunks, written while the action runs.

use async_trait::async_trait;
use model::{Id, OutputChunk, OutputStream, Timestamp};
use ports::{Guard, Operation, OutputSink, Query};
use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use crate::{Engine, Error, ErrorKind, Principal, catalog::lock, records, redact::Redactor};

/// Text in one chunk; escaped as JSON it must fit into a record.
const CHUNK_BYTES: usize = 16 * 1024;
/// Chunks in one commit.
const BATCH: usize = 32;
/// Output of one execution that is kept; what comes after is dropped, with a word that it was.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// What came and is not yet cut.
#[derive(Default)]
struct Tail {
    bytes: Vec<u8>,
}

#[derive(Default)]
struct State {
    stdout: Tail,
    stderr: Tail,
    /// Cut and not known to be stored.
    cut: Vec<OutputChunk>,
    /// The last commit failed: it may have been done all the same.
    in_doubt: bool,
    sequence: u64,
    total: usize,
}

/// The sink of one execution.
pub(crate) struct Output<'a> {
    engine: &'a Engine,
    execution: Id,
    redactor: &'a Redactor,
    /// The version of the execution that its worker holds: who does not hold it any more writes no output either.
    held: AtomicU64,
    state: Mutex<State>,
    writing: futures::lock::Mutex<()>,
}

impl<'a> Output<'a> {
    pub(crate) fn new(engine: &'a Engine, execution: Id, version: u64, redactor: &'a Redactor) -> Output<'a> {
        let (held, state, writing) = (AtomicU64::new(version), Mutex::default(), futures::lock::Mutex::default());
        Output { engine, execution, redactor, held, state, writing }
    }

    /// Says which version of the execution its worker holds now.
    pub(crate) fn hold(&self, version: u64) {
        self.held.store(version, Ordering::Relaxed);
    }

    /// Writes what has come so far, so that whoever follows the execution sees it.
    pub(crate) async fn flush(&self) -> Result<(), Error> {
        // The action writes, and so does its worker, within one task: neither may wait for the other.
        let Some(_writing) = self.writing.try_lock() else { return Ok(()) };
        self.cut_all(false);
        self.store_all_but(0).await
    }

    /// What is left, for the commit that ends the execution.
    pub(crate) async fn finish(&self) -> Result<Vec<Operation>, Error> {
        self.cut_all(true);
        self.store_all_but(BATCH).await?;
        let left = lock(&self.state).cut.clone();
        self.operations(&left)
    }

    /// Stores chunks until there are no more than `rest`. A chunk is forgotten only when it is known to be stored.
    async fn store_all_but(&self, rest: usize) -> Result<(), Error> {
        if lock(&self.state).in_doubt {
            self.forget_stored().await?;
        }
        loop {
            let batch: Vec<OutputChunk> = {
                let state = lock(&self.state);
                if state.cut.len() <= rest {
                    return Ok(());
                }
                state.cut.iter().take(BATCH).cloned().collect()
            };
            let mut operations = self.operations(&batch)?;
            let version = self.held.load(Ordering::Relaxed);
            operations.push(Operation::Check(records::execution_key(self.execution), Guard::Version(version)));
            if let Err(error) = self.engine.ports.store.commit(operations).await {
                lock(&self.state).in_doubt = true;
                return Err(self.unless_held(error.into()).await);
            }
            lock(&self.state).cut.drain(..batch.len());
        }
    }

    /// After a commit of which it is not known whether it was done: what is there need not be written again.
    async fn forget_stored(&self) -> Result<(), Error> {
        let last = Query::partition(records::output_partition(self.execution), 1).descending();
        let page = self.engine.ports.store.query(&last).await?;
        let last: Option<OutputChunk> = page.records.first().map(records::read).transpose()?;
        let mut state = lock(&self.state);
        state.cut.retain(|chunk| last.as_ref().is_none_or(|last| chunk.sequence > last.sequence));
        state.in_doubt = false;
        Ok(())
    }

    /// A conflict, where the execution is still held, is about chunks that are there already, or about a version that the worker has
    /// moved itself meanwhile: both pass.
    async fn unless_held(&self, error: Error) -> Error {
        if error.kind != ErrorKind::Conflict {
            return error;
        }
        match self.engine.ports.store.get(&records::execution_key(self.execution)).await {
            Ok(Some(record)) if record.version != self.held.load(Ordering::Relaxed) => error,
            Ok(None) => error,
            Ok(Some(_)) | Err(_) => Error::new(ErrorKind::Unavailable, error.message),
        }
    }

    fn operations(&self, chunks: &[OutputChunk]) -> Result<Vec<Operation>, Error> {
        let ttl = self.engine.ports.clock.now().after(self.engine.options.output_retention);
        let life = records::Life { due: None, ttl: Some(ttl) };
        let put = |chunk: &OutputChunk| {
            records::put(records::output_key(self.execution, chunk.sequence), chunk, Vec::new(), Guard::Absent, life)
        };
        chunks.iter().map(put).collect()
    }

    fn cut_all(&self, last: bool) {
        let now = self.engine.ports.clock.now();
        let mut state = lock(&self.state);
        for stream in [OutputStream::Stdout, OutputStream::Stderr] {
            self.cut(&mut state, stream, now, last);
        }
    }

    /// Cuts a chunk off a stream's tail. The beginning of a character or of a secret stays until the rest has come.
    fn cut(&self, state: &mut State, stream: OutputStream, now: Timestamp, last: bool) {
        let tail = match stream {
            OutputStream::Stdout => &mut state.stdout,
            OutputStream::Stderr => &mut state.stderr,
        };
        let keep = if last { 0 } else { self.kept_back(&tail.bytes) };
        if tail.bytes.len() <= keep {
            return;
        }
        let rest = tail.bytes.split_off(tail.bytes.len() - keep);
        let whole = std::mem::replace(&mut tail.bytes, rest);
        let text = self.redactor.text(String::from_utf8_lossy(&whole).into_owned());
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (data, more) = rest.split_at_checked(rest.floor_char_boundary(CHUNK_BYTES)).unwrap_or((rest, ""));
            state.cut.push(OutputChunk { sequence: state.sequence, stream, timestamp: now, data: data.to_owned() });
            state.sequence += 1;
            rest = more;
        }
    }

    fn kept_back(&self, bytes: &[u8]) -> usize {
        let incomplete = match std::str::from_utf8(bytes) {
            Err(error) if error.error_len().is_none() => bytes.len() - error.valid_up_to(),
            _ => 0,
        };
        // A cut inside a character would break it: go back to the beginning of one.
        let keep = incomplete.max(self.redactor.overlap()).min(bytes.len());
        let mut keep = bytes.len() - self.redactor.before_secret(bytes, bytes.len() - keep);
        while keep < bytes.len() && bytes.get(bytes.len() - keep).is_some_and(|byte| byte & 0xC0 == 0x80) {
            keep += 1;
        }
        keep
    }
}

#[async_trait]
impl OutputSink for Output<'_> {
    async fn write(&self, stream: OutputStream, bytes: &[u8]) {
        let full = {
            let mut state = lock(&self.state);
            let room = MAX_BYTES.saturating_sub(state.total);
            if room > 0 && bytes.len() >= room {
                state.stderr.bytes.extend_from_slice(b"\n[the rest of the output is dropped: it is too long]\n");
            }
            state.total += bytes.len();
            let taken = bytes.get(..bytes.len().min(room)).unwrap_or_default();
            let tail = match stream {
                OutputStream::Stdout => &mut state.stdout,
                OutputStream::Stderr => &mut state.stderr,
            };
            tail.bytes.extend_from_slice(taken);
            tail.bytes.len() >= CHUNK_BYTES
        };
        if full && let Err(error) = self.flush().await {
            tracing::warn!(execution = %self.execution, %error, "a piece of output could not be stored");
        }
    }
}

impl Engine {
    /// An execution's output, in order, behind a chunk's number; at most 1,000 chunks.
    pub async fn output(
        &self,
        principal: &Principal,
        execution: Id,
        after: Option<u64>,
    ) -> Result<Vec<OutputChunk>, Error> {
        self.execution(principal, execution).await?;
        let mut query = Query::partition(records::output_partition(execution), 1_000);
        query.from = after.map(|sequence| records::output_key(execution, sequence.saturating_add(1)).sort);
        let page = self.ports.store.query(&query).await?;
        page.records.iter().map(records::read).collect()
    }
}
