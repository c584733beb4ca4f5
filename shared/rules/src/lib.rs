//! Criteria, operators, index, match, explain
