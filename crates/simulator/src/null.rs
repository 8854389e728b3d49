use std::time::Duration;

use crate::controller::{Controller, Outside, Snapshot, State, Touch};
use crate::log::Digest;
use crate::wire::RxStats;

/// A controller that takes every line at once and answers `ok`: the machine against which a host
/// measures itself. It counts lines and motions and keeps a digest over all bytes, so that a test
/// can prove that every line came, once and in order.
#[derive(Debug, Default)]
pub(crate) struct Null {
    lines: u64,
    motions: u64,
    digest: Digest,
    /// The first bytes of the line under way, for the two questions it can answer.
    head: [u8; 2],
    len: usize,
    has_axis: bool,
    answers: Vec<u8>,
}

const BANNER: &[u8] = b"\r\nGrbl 1.1h ['$' for help]\r\n";
const STATUS: &[u8] = b"<Idle|MPos:0.000,0.000,0.000|Bf:15,128|FS:0,0>\r\n";
const VERSION: &[u8] = b"[VER:1.1h.20190830:]\r\n[OPT:V,15,128]\r\n";
