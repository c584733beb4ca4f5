//! Templates, parameters and bounds, from the outside.

mod bounds;
mod cases;
mod datastore;
mod parameters;
mod properties;
