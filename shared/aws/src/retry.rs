//! Which errors of AWS may be tried again, and how patiently. The one place that knows.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::{display::DisplayErrorContext, metadata::ProvideErrorMetadata};
use model::Timestamp;
use ports::Clock;
use std::{sync::Arc, time::Duration};

/// How long a call is tried, unless it is said otherwise: less than what a client of the REST interface waits.
const BUDGET: Duration = Duration::from_secs(10);
/// The first pause is at most so long; each next one may be twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Codes that say "not now".
const BUSY: [&str; 27] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "LimitExceededException",
    "SlowDown",
    "PriorRequestNotComplete",
    "RequestTimeout",
    "RequestTimeoutException",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "KMSInternalException",
    "DependencyTimeoutException",
    "KeyUnavailableException",
    "TransactionConflictException",
    "TransactionInProgressException",
    "ReplicatedWriteConflictException",
    // S3: two conditional writes of one object at once.
    "ConditionalRequestConflict",
];

/// Reasons for which DynamoDB gives up a transaction that say "not now".
const BUSY_REASONS: [&str; 3] = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];

/// Tries again what may pass, with full jitter, while the budget lasts.
#[derive(Clone)]
pub struct Patience {
    clock: Arc<dyn Clock>,
    budget: Duration,
}

impl Patience {
    /// The usual patience.
    pub fn new(clock: Arc<dyn Clock>) -> Patience {
        Patience { clock, budget: BUDGET }
    }

    /// The same with another budget; zero tries once.
    pub fn with_budget(self, budget: Duration) -> Patience {
        Patience { budget, ..self }
    }

    /// Sends until there is an answer, or an error that no second try can mend, or no time is left.
    pub(crate) async fn send<T, E, F>(&self, send: impl FnMut() -> F) -> Result<T, SdkError<E, HttpResponse>>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata,
    {
        self.send_while(send, is_passing).await
    }

    /// The same, where the caller's `again` says which errors are worth another try.
    pub(crate) async fn send_while<T, E, F>(
        &self,
        mut send: impl FnMut() -> F,
        again: impl Fn(&E) -> bool,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let mut pauses = self.begin();
        loop {
            match send().await {
                Err(error) if again(&error) && pauses.pause().await => {}
                other => return other,
            }
        }
    }

    /// The time of its clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Pauses for what is tried in a loop of its own.
    pub(crate) fn begin(&self) -> Pauses<'_> {
        let until = self.clock.now().after(self.budget);
        Pauses { clock: self.clock.as_ref(), until, longest: FIRST_PAUSE }
    }
}

/// The pauses between the tries of one call.
pub(crate) struct Pauses<'a> {
    clock: &'a dyn Clock,
    until: Timestamp,
    longest: Duration,
}

impl Pauses<'_> {
    /// Waits before the next try; false where no time is left for one.
    pub(crate) async fn pause(&mut self) -> bool {
        let micros = u64::try_from(self.longest.as_micros()).unwrap_or(u64::MAX);
        let pause = Duration::from_micros(self.clock.entropy() % (micros + 1));
        let wake = self.clock.now().after(pause);
        if wake >= self.until {
            return false;
        }
        self.longest = (self.longest * 2).min(LONGEST_PAUSE);
        self.clock.sleep_until(wake).await;
        true
    }
}

/// May the same request be answered otherwise in a moment? What never reached the service, or was not answered, may.
pub(crate) fn is_passing<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            status >= 500 || status == 429 || answer.err().code().is_some_and(is_passing_code)
        }
        _ => false,
    }
}

/// The same of a code that stands in an answer: in an entry of a batch that was refused.
pub(crate) fn is_passing_code(code: &str) -> bool {
    BUSY.contains(&code)
}

/// The same of a transaction: one that another stood in the way of passes, one whose guards don't hold doesn't.
pub(crate) fn is_passing_transaction(error: &SdkError<TransactWriteItemsError, HttpResponse>) -> bool {
    let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.as_service_error() else {
        return is_passing(error);
    };
    let mut codes = canceled.cancellation_reasons().iter().filter_map(|reason| reason.code());
    let mut is_busy = false;
    let hopeless = codes.any(|code| {
        is_busy |= BUSY_REASONS.contains(&code);
        code != "None" && !BUSY_REASONS.contains(&code)
    });
    is_busy && !hopeless
}

/// What an error says, for people.
pub(crate) fn words<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match error.as_service_error() {
        Some(refusal) => {
            let code = refusal.code().unwrap_or("no code");
            refusal.message().map_or_else(|| code.to_owned(), |message| format!("{message} ({code})"))
        }
        None => DisplayErrorContext(error).to_string(),
    }
}
