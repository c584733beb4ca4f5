//! The router over a real engine, without a socket. Tests bear the names of the paths that they call.

mod audit;
mod content;
mod contract;
mod datastore;
mod executions;
mod inquiries;
mod notify;
mod webhooks;
mod workflows;
mod world;
