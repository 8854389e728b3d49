//! grbl 1.1 on a three-axis mill.

/// What can be chosen about the grbl machine beyond what all machines share.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Options {}
impl Options {
    /// Address parameters that this controller knows.
    pub(crate) const KEYS: &'static [&'static str] = &[];
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<bool, &'static str> {
        let _ = (key, value);
        Ok(false)
    }
}
