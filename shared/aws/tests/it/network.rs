//! The way to the emulator, on which requests and answers are lost, refused and held up as a plan says.

use aws_smithy_http_client::Builder;
use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};

/// A request on its way.
pub(crate) struct Call<'a> {
    /// `PutItem`.
    pub(crate) operation: &'a str,
    /// How many there were before it.
    pub(crate) number: u64,
    /// The same request was not let through just before.
    pub(crate) repeated: bool,
}

/// What becomes of it.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It is answered.
    None,
    /// It does not arrive.
    Unreachable,
    /// It is done, and nobody hears of it.
    LostAnswer,
    /// It does not arrive, and this is the answer.
    Answer(u16, String),
    /// It gets the answer that the same request got first.
    Replay,
}

impl Fault {
    /// A refusal of that code.
    pub(crate) fn refusal(status: u16, code: &str) -> Fault {
        Fault::Answer(status, serde_json::json!({"__type": code, "message": "made up"}).to_string())
    }

    /// Another transaction was in the way.
    pub(crate) fn conflict() -> Fault {
        let reasons = serde_json::json!([{"Code": "None"}, {"Code": "TransactionConflict", "Message": "made up"}]);
        let code = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
        Fault::Answer(
            400,
            serde_json::json!({"__type": code, "Message": "made up", "CancellationReasons": reasons}).to_string(),
        )
    }
}

type Plan = dyn Fn(&Call<'_>) -> Fault + Send + Sync;

#[derive(Default)]
struct State {
    number: u64,
    held_up: HashSet<Vec<u8>>,
    first: HashMap<Vec<u8>, Vec<u8>>,
}

#[derive(Clone)]
struct Network {
    inner: SharedHttpConnectorOf,
    plan: Arc<Plan>,
    state: Arc<Mutex<State>>,
}

/// The client that really sends, and the connector that it gave.
#[derive(Clone)]
enum SharedHttpConnectorOf {
    Client(SharedHttpClient),
    Connector(SharedHttpConnector),
}

/// A client on whose requests `plan` decides.
pub(crate) fn network(plan: impl Fn(&Call<'_>) -> Fault + Send + Sync + 'static) -> SharedHttpClient {
    let inner = SharedHttpConnectorOf::Client(Builder::new().build_http());
    SharedHttpClient::new(Network { inner, plan: Arc::new(plan), state: Arc::default() })
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

impl Network {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn fault(&self, request: &HttpRequest, body: &[u8]) -> Fault {
        let operation = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next());
        let mut state = self.state();
        let (number, repeated) = (state.number, state.held_up.remove(body));
        state.number += 1;
        let fault = (self.plan)(&Call { operation: operation.unwrap_or_default(), number, repeated });
        if !matches!(fault, Fault::None | Fault::Replay) {
            state.held_up.insert(body.to_vec());
        }
        fault
    }
}

impl HttpClient for Network {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let SharedHttpConnectorOf::Client(client) = &self.inner else { panic!("a connector has no connector") };
        let inner = SharedHttpConnectorOf::Connector(client.http_connector(settings, components));
        SharedHttpConnector::new(Network { inner, ..self.clone() })
    }
}

impl HttpConnector for Network {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let SharedHttpConnectorOf::Connector(inner) = self.inner.clone() else { panic!("a client sends nothing") };
        let network = self.clone();
        HttpConnectorFuture::new(async move {
            let body = request.body().bytes().unwrap_or_default().to_vec();
            let lost = |what: &str| Err(ConnectorError::timeout(what.into()));
            let fault = network.fault(&request, &body);
            match fault {
                Fault::Unreachable => return lost("the request was lost"),
                Fault::Answer(status, text) => return Ok(answer(status, text.into())),
                Fault::Replay => {
                    let first = network.state().first.get(&body).cloned().unwrap();
                    return Ok(answer(200, first));
                }
                Fault::None | Fault::LostAnswer => {}
            }
            let mut response = inner.call(request).await?;
            if matches!(fault, Fault::LostAnswer) {
                return lost("the answer was lost");
            }
            let content = ByteStream::new(response.take_body()).collect().await;
            let content = content.map_err(|error| ConnectorError::io(error.into()))?.to_vec();
            network.state().first.entry(body).or_insert_with(|| content.clone());
            *response.body_mut() = SdkBody::from(content);
            Ok(response)
        })
    }
}

fn answer(status: u16, content: Vec<u8>) -> HttpResponse {
    HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(content))
}
