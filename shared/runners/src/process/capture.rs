//! Reading a process's output: to the sink as it comes, and kept for the result.

use model::OutputStream;
use ports::{Canceled, OutputSink};
use tokio::io::{AsyncRead, AsyncReadExt};

/// What is read at once.
const CHUNK: usize = 16 * 1024;

/// What was kept of one stream.
#[derive(Debug)]
pub(crate) struct Captured {
    bytes: Vec<u8>,
    limit: usize,
    cut: bool,
}

impl Captured {
    pub(crate) const fn new(limit: usize) -> Captured {
        Captured { bytes: Vec::new(), limit, cut: false }
    }

    /// Was there more than is kept?
    pub(crate) const fn is_cut(&self) -> bool {
        self.cut
    }

    /// The text, bytes that are no UTF-8 replaced, without the one line end that closes it.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.bytes).into_owned();
        for end in ['\n', '\r'] {
            if text.ends_with(end) {
                text.pop();
            }
        }
        text
    }

    /// Keeps what there is room for, and returns that part.
    fn keep<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let room = self.limit.saturating_sub(self.bytes.len()).min(bytes.len());
        let (kept, dropped) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
        self.cut |= !dropped.is_empty();
        self.bytes.extend_from_slice(kept);
        kept
    }
}

/// Reads until the pipe's end, or until it has nothing to say after `closing`. What is past the limit is read, so that the process is
/// not held up, and dropped.
pub(crate) async fn pump(
    pipe: Option<impl AsyncRead + Unpin>,
    (stream, output): (OutputStream, &dyn OutputSink),
    captured: &mut Captured,
    closing: Canceled,
) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = Vec::with_capacity(CHUNK);
    loop {
        buffer.clear();
        let read = tokio::select! {
            biased;
            () = closing.wait() => return,
            read = pipe.read_buf(&mut buffer) => read,
        };
        // A pipe that can't be read has ended as much as one that is closed.
        if !matches!(read, Ok(1..)) {
            return;
        }
        let kept = captured.keep(&buffer);
        if !kept.is_empty() {
            output.write(stream, kept).await;
        }
    }
}
