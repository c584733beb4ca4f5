//! An account with the platform's resources in it.

use aws::{Clients, INDEXES, IndexSchema, Patience, RequestCounter, Settings, SystemClock};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use aws_sdk_eventbridge::types::Target;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_smithy_http_client::Builder;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use std::sync::{Arc, LazyLock};
use testkit::emulator::Emulator;
use tokio::runtime::{Builder as RuntimeBuilder, Runtime};

/// One for all tests: connections belong to the runtime on which they were opened.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| RuntimeBuilder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

/// Runs a case to its end.
pub(crate) fn run<T>(case: impl Future<Output = T>) -> T {
    RUNTIME.block_on(case)
}

/// An account of the emulator.
pub(crate) struct Place {
    pub(crate) clients: Clients,
    pub(crate) requests: RequestCounter,
    pub(crate) settings: Settings,
}

impl Place {
    /// An account in which nothing is yet.
    pub(crate) async fn new() -> Place {
        Place::behind(Builder::new().build_http()).await
    }

    /// The same, whose requests go through that client.
    pub(crate) async fn behind(http: SharedHttpClient) -> Place {
        let account = Emulator::shared().account();
        let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
            .endpoint_url(&account.endpoint)
            .region(aws_config::Region::new(account.region))
            .credentials_provider(aws_sdk_dynamodb::config::Credentials::new(&account.id, "any", None, None, "test"))
            .http_client(http);
        let requests = RequestCounter::default();
        let clients = Clients::new(config.load().await).counting(requests.clone());
        // Names of buckets are the whole world's.
        let settings =
            Settings::from_lookup(|name| Some(format!("{}-{}", name.to_lowercase().replace('_', "-"), account.id)));
        let settings = settings.unwrap();
        Place { clients, requests, settings }
    }

    /// Makes the table, as the template does.
    pub(crate) async fn create_table(&self) {
        let string = |name: &str| {
            let attribute = AttributeDefinition::builder().attribute_name(name);
            attribute.attribute_type(ScalarAttributeType::S).build().unwrap()
        };
        let key = |name: &str, kind: KeyType| {
            KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
        };
        let index = |schema: &IndexSchema| {
            GlobalSecondaryIndex::builder()
                .index_name(schema.name)
                .key_schema(key(schema.partition, KeyType::Hash))
                .key_schema(key(schema.sort, KeyType::Range))
                .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
                .build()
                .unwrap()
        };
        let attributes =
            ["pk", "sk"].into_iter().chain(INDEXES.iter().flat_map(|schema| [schema.partition, schema.sort]));
        let request = self.clients.dynamodb().create_table().table_name(&self.settings.table);
        let request = request.set_attribute_definitions(Some(attributes.map(string).collect()));
        let request = request.key_schema(key("pk", KeyType::Hash)).key_schema(key("sk", KeyType::Range));
        let request = request.set_global_secondary_indexes(Some(INDEXES.iter().map(index).collect()));
        request.billing_mode(BillingMode::PayPerRequest).send().await.unwrap();
    }

    /// Makes the bucket.
    pub(crate) async fn create_bucket(&self) {
        self.clients.s3().create_bucket().bucket(&self.settings.bucket).send().await.unwrap();
    }

    /// Makes a queue and gives its URL.
    pub(crate) async fn create_queue(&self, name: &str) -> String {
        let made = self.clients.sqs().create_queue().queue_name(name).send().await.unwrap();
        made.queue_url.unwrap()
    }

    /// Makes the bus and a queue that gets all of its events; gives the queue's URL.
    pub(crate) async fn create_bus_to(&self, queue: &str) -> String {
        let (client, name) = (self.clients.eventbridge(), &self.settings.bus);
        let url = self.create_queue(queue).await;
        client.create_event_bus().name(name).send().await.unwrap();
        let rule = client.put_rule().name("all").event_bus_name(name).event_pattern(r#"{"source": ["squall"]}"#);
        rule.send().await.unwrap();
        let arn = QueueAttributeName::QueueArn;
        let attributes = self.clients.sqs().get_queue_attributes().queue_url(&url).attribute_names(arn.clone());
        let attributes = attributes.send().await.unwrap().attributes.unwrap();
        let target = Target::builder().id("queue").arn(&attributes[&arn]).build().unwrap();
        client.put_targets().rule("all").event_bus_name(name).targets(target).send().await.unwrap();
        url
    }

    /// Takes the messages that are in a queue, once the first is there or a second has passed.
    pub(crate) async fn receive(&self, url: &str) -> Vec<String> {
        let mut bodies = Vec::new();
        loop {
            let request = self.clients.sqs().receive_message().queue_url(url).max_number_of_messages(10);
            let wait = if bodies.is_empty() { 1 } else { 0 };
            let messages = request.wait_time_seconds(wait).send().await.unwrap().messages.unwrap_or_default();
            if messages.is_empty() {
                return bodies;
            }
            for message in messages {
                let delete = self.clients.sqs().delete_message().queue_url(url);
                delete.receipt_handle(message.receipt_handle.unwrap()).send().await.unwrap();
                bodies.extend(message.body);
            }
        }
    }
}

/// The usual patience, by the machine's clock.
pub(crate) fn patience() -> Patience {
    Patience::new(Arc::new(SystemClock))
}
