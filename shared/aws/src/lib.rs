//! The ports on DynamoDB, EventBridge, SQS, S3, KMS and Step Functions.
#![expect(
    clippy::disallowed_methods,
    reason = "the edge: this crate reads the environment and the time for those below"
)]

mod blobs;
mod bus;
mod clients;
mod clock;
mod counter;
mod dead_letters;
mod retry;
mod settings;
mod state_machines;
mod store;
mod subscriptions;
mod sweep;
mod uploads;
mod vault;
mod wakes;

use ports::{Clock, Ports, Runner};
use std::sync::Arc;

pub use blobs::S3Blobs;
pub use bus::{EVENT_SOURCE, EventBridgeBus, EventError, event_of};
pub use clients::Clients;
pub use clock::SystemClock;
pub use counter::RequestCounter;
pub use dead_letters::{DeadLetterOffice, Given, Queue};
pub use retry::Patience;
pub use settings::{Settings, SettingsError};
pub use state_machines::{StateMachineSettings, StepFunctions};
pub use store::{DynamoStore, INDEXES, IndexSchema};
pub use subscriptions::Subscriptions;
pub use sweep::{Swept, sweep};
pub use uploads::{S3Uploads, upload_of};
pub use vault::KmsVault;
pub use wakes::{LOOK_AHEAD, MessageError, SqsWakes, key_of};

/// Leases end by time alone: there is no start of the platform at which older ones could lapse.
pub const EPOCH: u64 = 1;

/// Everything outside, on AWS. Clones of the store, the blobs and the others may be had one by one where a function needs no more.
pub fn ports(clients: &Clients, settings: &Settings, runner: Arc<dyn Runner>) -> Ports {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let patience = Patience::new(Arc::clone(&clock));
    let blobs = Arc::new(S3Blobs::new(clients.s3().clone(), &settings.bucket, patience.clone()));
    Ports {
        store: Arc::new(DynamoStore::new(
            clients.dynamodb().clone(),
            &settings.table,
            Arc::clone(&clock),
            patience.clone(),
        )),
        wakes: Arc::new(SqsWakes::new(clients.sqs().clone(), settings, patience.clone())),
        bus: Arc::new(
            EventBridgeBus::new(
                clients.eventbridge().clone(),
                &settings.bus,
                Arc::clone(&blobs) as Arc<dyn ports::Blobs>,
                patience.clone(),
            )
            .subscribing(settings.subscriptions.clone()),
        ),
        blobs,
        state_machines: settings.state_machines.clone().map(|machines| {
            let client = clients.sfn().clone();
            Arc::new(StepFunctions::new(client, machines, patience.clone())) as Arc<dyn ports::StateMachines>
        }),
        vault: Arc::new(KmsVault::new(clients.kms().clone(), &settings.key_id, patience)),
        runner,
        clock,
        epoch: EPOCH,
    }
}
