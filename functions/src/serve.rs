//! The loop of a function: an event in, an answer out, and around both what every function does.

use futures::{FutureExt, TryFutureExt};
use lambda_http::{Request, RequestExt};
use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use tower::{Service, ServiceExt};

use crate::{Failure, log, metrics};

/// Hands every event to the handler, until the environment ends.
pub async fn serve<A, B, F, Fut>(handle: F) -> Result<(), lambda_runtime::Error>
where
    A: for<'de> Deserialize<'de> + Send + 'static,
    B: Serialize + Send + 'static,
    F: Fn(A, Context) -> Fut,
    Fut: Future<Output = Result<B, Failure>>,
{
    let one = |event: LambdaEvent<A>| {
        log::invoked(&event.context);
        let answer = handle(event.payload, event.context);
        answer.map_err(Diagnostic::from).inspect(|_| metrics::flush())
    };
    lambda_runtime::run(service_fn(one)).await
}

/// Hands every HTTP request to the router, until the environment ends.
pub async fn serve_http<R, B>(router: R) -> Result<(), lambda_http::Error>
where
    R: Service<Request, Response = lambda_http::http::Response<B>> + Clone + Send,
    R::Future: Send,
    R::Error: Into<Diagnostic> + std::fmt::Debug,
    lambda_http::http::Response<B>: lambda_http::IntoResponse,
{
    let one = |request: Request| {
        if let Some(context) = request.lambda_context_ref() {
            log::invoked(context);
        }
        router.clone().oneshot(request).inspect(|_| metrics::flush())
    };
    lambda_http::run(service_fn(one)).await
}
