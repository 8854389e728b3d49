//! The controller and its set-up as a record keeps them: mirrors of the engine's types, which know no serialisation.

use feedhold_stream_core::resume::{Baseline, ControllerIdentity, SYSTEMS, StoredOffsets};
use serde::{Deserialize, Serialize};

/// Who a controller said it was: see [`ControllerIdentity`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Controller {
    /// Firmware and version in its own words.
    pub firmware: String,
    /// What its owner wrote into it.
    pub note: String,
    /// Its UUID, where it has one.
    pub uuid: Option<String>,
}

impl From<&ControllerIdentity> for Controller {
    fn from(identity: &ControllerIdentity) -> Self {
        Self {
            firmware: identity.firmware.clone(),
            note: identity.note.clone(),
            uuid: identity.uuid.clone(),
        }
    }
}

impl From<&Controller> for ControllerIdentity {
    fn from(controller: &Controller) -> Self {
        Self {
            firmware: controller.firmware.clone(),
            note: controller.note.clone(),
            uuid: controller.uuid.clone(),
        }
    }
}

/// How a machine was set up when a job began: see [`Baseline`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// Machine positions of the origins of G54 to G59, in millimetres.
    pub systems: [Option<[f64; 3]>; SYSTEMS],
    /// What G92 had shifted, in millimetres.
    pub g92: Option<[f64; 3]>,
    /// Tool length offset along Z, in millimetres.
    pub tool_length: Option<f64>,
    /// The parser's words (`$G`).
    pub words: String,
    /// Steps a millimetre of X, Y and Z.
    pub steps_per_mm: Option<[f64; 3]>,
    /// Machine position, in millimetres.
    pub position: Option<[f64; 3]>,
}

impl From<&Baseline> for Setup {
    fn from(baseline: &Baseline) -> Self {
        Self {
            systems: baseline.offsets.systems,
            g92: baseline.offsets.g92,
            tool_length: baseline.offsets.tool_length,
            words: baseline.words.clone(),
            steps_per_mm: baseline.steps_per_mm,
            position: baseline.position,
        }
    }
}

impl From<&Setup> for Baseline {
    fn from(setup: &Setup) -> Self {
        Self {
            offsets: StoredOffsets {
                systems: setup.systems,
                g92: setup.g92,
                tool_length: setup.tool_length,
            },
            words: setup.words.clone(),
            steps_per_mm: setup.steps_per_mm,
            position: setup.position,
        }
    }
}

/// A [`NumberAnchor`](feedhold_stream_core::resume::NumberAnchor) as the pair of its number and its line.
pub(super) mod anchor {
    use feedhold_stream_core::resume::NumberAnchor;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::record) fn serialize<S: Serializer>(
        anchor: &Option<NumberAnchor>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        anchor
            .map(|anchor| (anchor.number, anchor.line))
            .serialize(to)
    }

    pub(in crate::record) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<NumberAnchor>, D::Error> {
        let pair = Option::<(u64, u64)>::deserialize(from)?;
        Ok(pair.map(|(number, line)| NumberAnchor { number, line }))
    }
}

/// An [`InDoubt`](feedhold_stream_core::streamer::InDoubt) as the pair of its ends.
pub(super) mod decided {
    use feedhold_stream_core::streamer::InDoubt;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::record) fn serialize<S: Serializer>(
        lines: &Option<InDoubt>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        lines.map(|lines| (lines.first, lines.last)).serialize(to)
    }

    pub(in crate::record) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<InDoubt>, D::Error> {
        let pair = Option::<(u64, u64)>::deserialize(from)?;
        Ok(pair.map(|(first, last)| InDoubt { first, last }))
    }
}
