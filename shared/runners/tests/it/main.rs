//! The runners with real processes and a real HTTP server.
#![expect(clippy::disallowed_methods, reason = "processes and sockets live in real time")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can't go on has failed"
)]

mod http_request;
mod plain;
mod script;
mod server;
mod shell;
mod stop;
mod world;
