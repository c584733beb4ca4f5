//! Fake clock and ids, in-memory store, port contract suites, corpus runner
