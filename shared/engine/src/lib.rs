//! The services: triggers, enforcement, dispatch, packs, keys, access, audit, housekeeping
