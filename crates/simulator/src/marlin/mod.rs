//! Marlin 2 on a printer.

/// What can be chosen about the Marlin machine beyond what all machines share.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Options {}

impl Options {
    /// Address parameters that this controller knows.
    pub(crate) const KEYS: &'static [&'static str] = &[];

    /// Takes one address parameter: `Ok(false)` for a key that is not in `KEYS`, `Err` with what a
    /// value must look like.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<bool, &'static str> {
        let _ = (key, value);
        Ok(false)
    }
}
