//! The clients of all services, from one configuration.

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use std::{sync::OnceLock, time::Duration};

use crate::RequestCounter;

/// One try of a small request.
const TRY: Duration = Duration::from_secs(5);
/// One try of a request that carries a blob.
const LONG_TRY: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(2);

/// Clients, each built when it is first asked for. They try once: trying again is [`Patience`](crate::Patience)'s.
#[derive(Debug)]
pub struct Clients {
    config: SdkConfig,
    counter: Option<RequestCounter>,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    eventbridge: OnceLock<aws_sdk_eventbridge::Client>,
    sqs: OnceLock<aws_sdk_sqs::Client>,
    s3: OnceLock<aws_sdk_s3::Client>,
    kms: OnceLock<aws_sdk_kms::Client>,
    sfn: OnceLock<aws_sdk_sfn::Client>,
}

impl Clients {
    /// From the environment; `AWS_ENDPOINT_URL` leads to an emulator.
    pub async fn load() -> Clients {
        Clients::new(aws_config::load_defaults(BehaviorVersion::latest()).await)
    }

    /// From a configuration.
    pub fn new(config: SdkConfig) -> Clients {
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(TRY).build();
        let config = config.into_builder().retry_config(RetryConfig::disabled()).timeout_config(timeouts).build();
        Clients {
            config,
            counter: None,
            dynamodb: OnceLock::new(),
            eventbridge: OnceLock::new(),
            sqs: OnceLock::new(),
            s3: OnceLock::new(),
            kms: OnceLock::new(),
            sfn: OnceLock::new(),
        }
    }

    /// The same clients, whose requests are counted. To be said before the first client is asked for.
    pub fn counting(mut self, counter: RequestCounter) -> Clients {
        self.counter = Some(counter);
        self
    }

    /// What the clients are built from.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// DynamoDB.
    pub fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        self.dynamodb.get_or_init(|| {
            let mut builder = aws_sdk_dynamodb::config::Builder::from(&self.config);
            if let Some(counter) = self.counter.clone() {
                builder = builder.interceptor(counter);
            }
            aws_sdk_dynamodb::Client::from_conf(builder.build())
        })
    }

    /// EventBridge.
    pub fn eventbridge(&self) -> &aws_sdk_eventbridge::Client {
        self.eventbridge.get_or_init(|| {
            let mut builder = aws_sdk_eventbridge::config::Builder::from(&self.config);
            if let Some(counter) = self.counter.clone() {
                builder = builder.interceptor(counter);
            }
            aws_sdk_eventbridge::Client::from_conf(builder.build())
        })
    }

    /// SQS.
    pub fn sqs(&self) -> &aws_sdk_sqs::Client {
        self.sqs.get_or_init(|| {
            let mut builder = aws_sdk_sqs::config::Builder::from(&self.config);
            if let Some(counter) = self.counter.clone() {
                builder = builder.interceptor(counter);
            }
            aws_sdk_sqs::Client::from_conf(builder.build())
        })
    }

    /// S3. Buckets are named in the path where there is an endpoint of one's own: an emulator has no names for them.
    pub fn s3(&self) -> &aws_sdk_s3::Client {
        self.s3.get_or_init(|| {
            let timeouts =
                TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(LONG_TRY).build();
            let mut builder = aws_sdk_s3::config::Builder::from(&self.config)
                .timeout_config(timeouts)
                .force_path_style(self.config.endpoint_url().is_some());
            if let Some(counter) = self.counter.clone() {
                builder = builder.interceptor(counter);
            }
            aws_sdk_s3::Client::from_conf(builder.build())
        })
    }

    /// Step Functions.
    pub fn sfn(&self) -> &aws_sdk_sfn::Client {
        self.sfn.get_or_init(|| {
            let mut builder = aws_sdk_sfn::config::Builder::from(&self.config);
            if let Some(counter) = self.counter.clone() {
                builder = builder.interceptor(counter);
            }
            aws_sdk_sfn::Client::from_conf(builder.build())
        })
    }

    /// KMS.
    pub fn kms(&self) -> &aws_sdk_kms::Client {
        self.kms.get_or_init(|| {
            let mut builder = aws_sdk_kms::config::Builder::from(&self.config);
            if let Some(counter) = self.counter.clone() {
                builder = builder.interceptor(counter);
            }
            aws_sdk_kms::Client::from_conf(builder.build())
        })
    }
}
