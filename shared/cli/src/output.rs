//! How answers look to people.

mod details;
mod diagnostics;
mod differences;
mod table;
mod trail;
mod values;

pub(crate) use details::{Field, details};
pub(crate) use diagnostics::{DiagnosticView, Excerpts, counted};
pub(crate) use differences::differences;
pub(crate) use table::{Column, table};
pub(crate) use trail::{criterion, cut, timeline};
pub(crate) use values::{Kind, duration};
