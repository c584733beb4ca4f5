//! The ports in one process, and the loops that AWS has event sources for
