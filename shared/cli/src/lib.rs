//! The squall command
