//! The embedded host with the REST interface in front of it: what `up` and `demo` start.

use api::ApiOptions;
use embedded::{Host, HostOptions};
use engine::{Principal, Registered};
use model::PackFiles;
use std::{
    future::IntoFuture,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tracing::Level;

use crate::{
    Environment,
    client::{Access, Client},
    failure::Failure,
};

/// How long running actions get when the host is told to stop.
const GRACE: Duration = Duration::from_secs(10);
/// How long open connections get after that.
const HANG_UP: Duration = Duration::from_secs(1);

/// A host that listens.
pub(crate) struct Platform {
    host: Host,
    address: String,
    server: JoinHandle<std::io::Result<()>>,
    hang_up: watch::Sender<bool>,
}

impl Platform {
    /// Starts a host and listens there.
    pub(crate) async fn start(mut options: HostOptions, listen: SocketAddr) -> Result<Platform, Failure> {
        let listener = TcpListener::bind(listen).await.map_err(|error| {
            Failure::new(format!("{listen} can't be listened at: {error}"))
                .hint("name another address with --listen; port 0 takes any that is free")
        })?;
        let address = format!("http://{}", reachable(listener.local_addr()?));
        options.engine.api_url = Some(format!("{address}/api/v1"));
        let host = Host::start(options).await.map_err(|error| Failure::new(error.to_string()))?;
        host.data().write_address(&address).map_err(|error| Failure::new(error.to_string()))?;
        let router = api::router(host.engine().clone(), ApiOptions::default());
        let (hang_up, mut told) = watch::channel(false);
        let server = axum::serve(listener, router).with_graceful_shutdown(async move {
            // An error means that the platform is gone, which is as good a reason.
            let _ = told.wait_for(|told| *told).await;
        });
        Ok(Platform { host, address, server: tokio::spawn(server.into_future()), hang_up })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The file that holds the API key.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.host.data().layout().api_key()
    }

    /// The API key, where this start made it.
    pub(crate) fn first_key(&self) -> Option<&str> {
        self.host.first_key().map(|key| key.expose().as_str())
    }

    /// Makes a pack live.
    pub(crate) async fn register(&self, files: PackFiles) -> Result<Registered, engine::Error> {
        self.host.engine().register_pack(&Principal::system(), files).await
    }

    /// The way to this host, over its socket as for everybody else.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let key = self.host.data().api_key().map_err(|error| Failure::new(error.to_string()))?;
        let mut access = Access::new(&self.address)?;
        access.key = key.map(|key| key.expose().clone());
        Client::new(access)
    }

    /// Takes no more requests and no more work, lets what runs end, and stops. A second interrupt does not wait.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        let _ = self.hang_up.send(true);
        tokio::select! {
            () = self.host.stop(GRACE) => {}
            interrupt = interrupted() => interrupt?,
        }
        // A client that holds its connection open does not hold us.
        let _ = tokio::time::timeout(HANG_UP, self.server).await;
        Ok(())
    }
}

/// The address by which this machine reaches what listens there.
fn reachable(listening: SocketAddr) -> SocketAddr {
    match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, listening.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, listening.port()).into(),
        _ => listening,
    }
}

/// Returns when somebody wants this process to end: Ctrl-C, or SIGTERM.
pub(crate) async fn interrupted() -> Result<(), Failure> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Sends the log to the error output, at the level of SQUALL_LOG or what goes wrong.
pub(crate) fn start_log(environment: &Environment, colour: bool) -> Result<(), Failure> {
    let level = match environment.first(&["SQUALL_LOG"]) {
        Some(name) => name.parse::<Level>().map_err(|_| {
            Failure::usage(format!("SQUALL_LOG is \"{name}\", which is no level"))
                .hint("there are error, warn, info, debug and trace")
        })?,
        None => Level::WARN,
    };
    let log = tracing_subscriber::fmt().with_max_level(level).with_ansi(colour).with_writer(std::io::stderr);
    // A second one in the same process, as in tests, changes nothing.
    let _ = log.try_init();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_listens_everywhere_is_reached_on_this_machine() {
        let reached = |text: &str| reachable(text.parse().unwrap()).to_string();
        assert_eq!(reached("0.0.0.0:9101"), "127.0.0.1:9101");
        assert_eq!(reached("[::]:9101"), "[::1]:9101");
        assert_eq!(reached("10.0.0.7:9101"), "10.0.0.7:9101");
    }
}
