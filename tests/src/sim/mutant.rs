//! Engines and ports that are broken on purpose: an auditor that does not see these is worth nothing.

/// One way to be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// The store writes whether or not the guards hold.
    GuardsIgnored,
    /// The store says it is written, and at times it is not.
    CommitsLost,
    /// The store forgets by when somebody must look at a record.
    DueForgotten,
    /// The store drops pieces of output.
    OutputDropped,
    /// Who is woken for an execution runs its action at once, without a claim.
    RunsUnclaimed,
    /// The bus gives a repeated event another id.
    DeliveriesRenamed,
}
