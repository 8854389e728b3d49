//! How lines are prepared and sent: what has to be the same when a job goes on another day.

use feedhold_stream_core::{
    dialect::Dialect,
    streamer::{self, Windowing},
    wire::{BlockDelete, Chain, ChainConfig, LineNumbers, Pack, WordName},
};
use serde::{Deserialize, Serialize};

use crate::Error;

/// How the lines of a file are prepared and sent.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// The firmware family spoken to.
    pub dialect: Dialect,
    /// What is taken out of lines to make them shorter.
    pub pack: Pack,
    /// What becomes of lines that begin with `/`.
    pub block_delete: BlockDelete,
    /// What becomes of `N` words.
    pub line_numbers: LineNumbers,
    /// Words left out.
    pub skip: Vec<WordName>,
    /// Words sent although a stock firmware does not know them.
    pub allow: Vec<WordName>,
    /// How lines wait for answers.
    pub windowing: Windowing,
    /// Size of the receive buffer, bytes; `None`: as the controller tells.
    pub rx_bytes: Option<usize>,
}

impl Settings {
    /// The defaults for a dialect.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            pack: Pack::default(),
            block_delete: BlockDelete::default(),
            line_numbers: LineNumbers::default(),
            skip: Vec::new(),
            allow: Vec::new(),
            windowing: Windowing::default(),
            rx_bytes: None,
        }
    }

    /// The chain from lines of the file to lines on the wire.
    ///
    /// # Errors
    /// [`Error::Limit`] for a receive buffer that no line fits.
    pub fn chain(&self) -> Result<Chain, Error> {
        let mut config = ChainConfig::new(self.dialect)
            .with_pack(self.pack)
            .with_block_delete(self.block_delete)
            .with_line_numbers(self.line_numbers)
            .with_skip(self.skip.iter().copied())
            .with_allowed(self.allow.iter().copied());
        if let Some(bytes) = self.rx_bytes {
            config = config.with_rx(bytes)?;
        }
        Ok(Chain::new(config))
    }

    /// The configuration of the streamer.
    ///
    /// # Errors
    /// [`Error::Setting`] for a receive buffer outside its range.
    pub fn streamer(&self) -> Result<streamer::Config, Error> {
        let config = streamer::Config::new(self.dialect).windowing(self.windowing);
        Ok(match self.rx_bytes {
            Some(bytes) => config.rx_bytes(bytes)?,
            None => config,
        })
    }

    /// The text of `job.json`: the words that users type.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // Strings, numbers and a bool: there is nothing that JSON cannot say.
        serde_json::to_vec_pretty(&Written::from(self)).unwrap_or_default()
    }

    /// Reads what [`to_json`](Self::to_json) has written.
    ///
    /// # Errors
    /// What is wrong with it, in words without its place.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        let written: Written = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        written.try_into()
    }
}

/// The settings as they lie beside the records of a job: the words that users type.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    dialect: String,
    pack: String,
    block_delete: String,
    line_numbers: String,
    skip: Vec<String>,
    allow: Vec<String>,
    send_response: bool,
    rx_bytes: Option<usize>,
}

impl From<&Settings> for Written {
    fn from(settings: &Settings) -> Self {
        let words = |names: &[WordName]| names.iter().map(ToString::to_string).collect();
        Self {
            dialect: settings.dialect.name().to_owned(),
            pack: settings.pack.to_string(),
            block_delete: settings.block_delete.to_string(),
            line_numbers: settings.line_numbers.to_string(),
            skip: words(&settings.skip),
            allow: words(&settings.allow),
            send_response: settings.windowing == Windowing::SendResponse,
            rx_bytes: settings.rx_bytes,
        }
    }
}

impl TryFrom<Written> for Settings {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let words = |names: &[String]| -> Result<Vec<WordName>, String> {
            names
                .iter()
                .map(|name| name.parse().map_err(|error| format!("{error}")))
                .collect()
        };
        Ok(Self {
            dialect: crate::guess::dialect_named(&written.dialect)
                .ok_or_else(|| format!("there is no dialect {:?}", written.dialect))?,
            pack: written.pack.parse().map_err(|error| format!("{error}"))?,
            block_delete: written
                .block_delete
                .parse()
                .map_err(|error| format!("{error}"))?,
            line_numbers: written
                .line_numbers
                .parse()
                .map_err(|error| format!("{error}"))?,
            skip: words(&written.skip)?,
            allow: words(&written.allow)?,
            windowing: if written.send_response {
                Windowing::SendResponse
            } else {
                Windowing::Native
            },
            rx_bytes: written.rx_bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_back_as_they_were_written() {
        let plain = Settings::new(Dialect::Marlin);
        let odd = Settings {
            pack: Pack::Lossless,
            block_delete: BlockDelete::Drop,
            line_numbers: LineNumbers::Keep,
            skip: vec![
                "G64".parse().expect("a code"),
                "H".parse().expect("a letter"),
            ],
            allow: vec!["M7".parse().expect("a code")],
            windowing: Windowing::SendResponse,
            rx_bytes: Some(1024),
            ..Settings::new(Dialect::Grbl)
        };
        for settings in [plain, odd] {
            assert_eq!(Settings::from_json(&settings.to_json()), Ok(settings));
        }
    }

    #[test]
    fn a_receive_buffer_that_holds_nothing_is_refused() {
        let settings = Settings {
            rx_bytes: Some(3),
            ..Settings::new(Dialect::Grbl)
        };
        assert!(settings.chain().is_err() && settings.streamer().is_err());
    }
}
