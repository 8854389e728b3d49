//! grbl 1.1 on a three-axis mill.

/// What can be chosen about the grbl machine beyond what all machines share.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Options {}
