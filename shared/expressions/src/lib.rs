//! Jinja over JSON values
