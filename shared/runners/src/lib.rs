//! How an action runs, one file per runner type
