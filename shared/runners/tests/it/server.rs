//! An HTTP server that answers what a test tells it to, and remembers what it was asked.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

/// A request. Header names in lower case.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    arrived: Arc<Notify>,
}

impl Server {
    /// Answers each target with the bytes that `answer` has for it; with none, never.
    pub(crate) async fn start(answer: impl Fn(&Received) -> Option<Vec<u8>> + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server =
            Server { port: listener.local_addr().unwrap().port(), received: Arc::default(), arrived: Arc::default() };
        let (serving, answer) = (server.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (serving, answer) = (serving.clone(), Arc::clone(&answer));
                tokio::spawn(async move { serving.serve(stream, &*answer).await });
            }
        });
        server
    }

    async fn serve(&self, stream: TcpStream, answer: &(impl Fn(&Received) -> Option<Vec<u8>> + Send + Sync)) {
        let mut stream = BufReader::new(stream);
        let request = read(&mut stream).await;
        self.received.lock().unwrap().push(request.clone());
        self.arrived.notify_one();
        match answer(&request) {
            Some(bytes) => stream.write_all(&bytes).await.unwrap_or_default(),
            None => std::future::pending().await,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub(crate) async fn arrival(&self) {
        self.arrived.notified().await;
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Received {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut words = lines[0].split(' ');
    let headers: HashMap<_, _> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    Received {
        method: words.next().unwrap().to_owned(),
        target: words.next().unwrap().to_owned(),
        headers,
        body: String::from_utf8(body).unwrap(),
    }
}

/// A whole response.
pub(crate) fn response(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}
