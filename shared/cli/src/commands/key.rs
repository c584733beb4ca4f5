//! `squall key`.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::Query,
    documents::read_text,
    failure::{Failure, Outcome},
    output::{Column, Field, Kind},
    session::Session,
};

/// More keys than anybody looks at in a terminal.
const MOST: usize = 10_000;

const COLUMNS: [Column; 6] = [
    Column::new("name", "/name"),
    Column::new("value", "/value"),
    Column::new("secret", "/secret"),
    Column::new("scope", "/scope").of(Kind::Quiet),
    Column::new("user", "/user").of(Kind::Quiet),
    Column::new("expires", "/expire_timestamp").of(Kind::Time),
];

const FIELDS: [Field; 7] = [
    Field::new("name", "/name"),
    Field::new("value", "/value"),
    Field::new("secret", "/secret"),
    Field::new("scope", "/scope"),
    Field::new("user", "/user"),
    Field::new("expires", "/expire_timestamp").of(Kind::Time),
    Field::new("description", "/description"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    List(List),
    Get(Get),
    Set(Set),
    Delete(Delete),
}

/// Whose key it is.
#[derive(Debug, Args)]
struct Owner {
    /// Everybody's, or one user's
    #[arg(short = 's', long, default_value = "system", value_parser = ["system", "user"])]
    scope: String,
    /// The user, where it is another's (administrators only)
    #[arg(short = 'u', long)]
    user: Option<String>,
}

impl Owner {
    fn query(&self) -> Query {
        Query::new().with("scope", &*self.scope).maybe("user", self.user.clone())
    }
}

/// List keys
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall key list --prefix deploy.")]
pub(crate) struct List {
    /// Everybody's, one user's, or both
    #[arg(short = 's', long, default_value = "system", value_parser = ["system", "user", "all"])]
    scope: String,
    /// The user, where it is another's (administrators only)
    #[arg(short = 'u', long)]
    user: Option<String>,
    /// Only names that begin so
    #[arg(short = 'p', long)]
    prefix: Option<String>,
    /// Show secrets as plain text
    #[arg(short = 'd', long)]
    decrypt: bool,
}

/// Show one key
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall key get deploy.token --decrypt")]
pub(crate) struct Get {
    /// The key's name
    name: String,
    #[command(flatten)]
    owner: Owner,
    /// Show a secret as plain text
    #[arg(short = 'd', long)]
    decrypt: bool,
}

/// Set a key
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall key set deploy.colour blue --ttl 3600
  squall key set deploy.token - --encrypt < token.txt     (a secret does not belong on a command line)")]
pub(crate) struct Set {
    /// The key's name
    name: String,
    /// The value; - reads the standard input
    value: String,
    #[command(flatten)]
    owner: Owner,
    /// Keep it encrypted
    #[arg(short = 'e', long)]
    encrypt: bool,
    /// Forget it after so many seconds
    #[arg(short = 'l', long, value_name = "SECONDS")]
    ttl: Option<u64>,
}

/// Delete keys
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall key delete deploy.token")]
pub(crate) struct Delete {
    /// The keys' names
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    owner: Owner,
}

impl Key {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        match self {
            Key::List(list) => list.run(session).await?,
            Key::Get(get) => {
                let query = get.owner.query().flag("decrypt", get.decrypt);
                let key = session.client()?.get_one("keys", &get.name, &query).await?;
                session.print_details(&key, &FIELDS)?;
            }
            Key::Set(set) => set.run(session).await?,
            Key::Delete(delete) => delete.run(session).await?,
        }
        Ok(Outcome::Success)
    }
}

impl List {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let query = Query::new()
            .with("scope", self.scope)
            .maybe("user", self.user)
            .maybe("prefix", self.prefix)
            .flag("decrypt", self.decrypt);
        let listing = session.client()?.list(&["keys"], &query, MOST).await?;
        session.print_table(&listing.items, &COLUMNS, "there are no such keys")
    }
}

impl Set {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let value =
            if self.value == "-" { read_text("-")?.trim_end_matches(['\r', '\n']).to_owned() } else { self.value };
        let mut body = json!({"name": self.name, "value": value, "scope": self.owner.scope, "secret": self.encrypt});
        if let Value::Object(fields) = &mut body {
            fields.extend(self.ttl.map(|ttl| ("ttl".to_owned(), json!(ttl))));
            fields.extend(self.owner.user.map(|user| ("user".to_owned(), json!(user))));
        }
        let key = session.client()?.call(Method::PUT, &["keys", &self.name], Some(&body)).await?;
        session.print_done(&key, &format!("{} is set", self.name))
    }
}

impl Delete {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let client = session.client()?;
        for name in &self.names {
            let request = client.request(Method::DELETE, &["keys", name])?.query(self.owner.query().pairs());
            client.send(request).await?;
            session.print_done(&json!({"deleted": name}), &format!("{name} is deleted"))?;
        }
        Ok(())
    }
}
