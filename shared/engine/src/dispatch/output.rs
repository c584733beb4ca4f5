//! An action's output on its way to the store: redacted, cut into chunks, written while the action runs.

use async_trait::async_trait;
use model::{Id, OutputChunk, OutputStream, Timestamp};
use ports::{Guard, Operation, OutputSink, Query};
use std::sync::Mutex;

use crate::{Engine, Error, Principal, catalog::lock, records, redact::Redactor};

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
    cut: Vec<OutputChunk>,
    sequence: u64,
    total: usize,
}

/// The sink of one execution.
pub(crate) struct Output<'a> {
    engine: &'a Engine,
    execution: Id,
    redactor: &'a Redactor,
    state: Mutex<State>,
}

impl<'a> Output<'a> {
    pub(crate) fn new(engine: &'a Engine, execution: Id, redactor: &'a Redactor) -> Output<'a> {
        Output { engine, execution, redactor, state: Mutex::default() }
    }

    /// Writes what has come so far, so that whoever follows the execution sees it.
    pub(crate) async fn flush(&self) -> Result<(), Error> {
        let chunks = {
            let mut state = lock(&self.state);
            self.cut_all(&mut state, false);
            std::mem::take(&mut state.cut)
        };
        for batch in chunks.chunks(BATCH) {
            self.engine.ports.store.commit(self.operations(batch)?).await?;
        }
        Ok(())
    }

    /// What is left, for the commit that ends the execution.
    pub(crate) async fn finish(&self) -> Result<Vec<Operation>, Error> {
        let mut chunks = {
            let mut state = lock(&self.state);
            self.cut_all(&mut state, true);
            std::mem::take(&mut state.cut)
        };
        while chunks.len() > BATCH {
            let rest = chunks.split_off(BATCH);
            self.engine.ports.store.commit(self.operations(&chunks)?).await?;
            chunks = rest;
        }
        self.operations(&chunks)
    }

    fn operations(&self, chunks: &[OutputChunk]) -> Result<Vec<Operation>, Error> {
        let ttl = self.engine.ports.clock.now().after(self.engine.options.output_retention);
        let life = records::Life { due: None, ttl: Some(ttl) };
        let put = |chunk: &OutputChunk| {
            records::put(records::output_key(self.execution, chunk.sequence), chunk, Vec::new(), Guard::Absent, life)
        };
        chunks.iter().map(put).collect()
    }

    fn cut_all(&self, state: &mut State, last: bool) {
        let now = self.engine.ports.clock.now();
        for stream in [OutputStream::Stdout, OutputStream::Stderr] {
            self.cut(state, stream, now, last);
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
