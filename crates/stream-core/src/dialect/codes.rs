//! The numbered errors and alarms of grbl 1.1 in our words.
//!
//! Numbers and meanings follow the CSV tables and `report.h` of gnea/grbl 1.1h.

use crate::retry::Disposition::{self, Abort, Hold, Retry};

/// One row of a table.
pub(super) struct Entry {
    pub(super) code: u16,
    pub(super) text: &'static str,
    pub(super) remedy: &'static str,
    pub(super) disposition: Disposition,
}

/// The row with this number; the tables are sorted.
pub(super) fn find(table: &'static [Entry], code: u16) -> Option<&'static Entry> {
    let at = table.binary_search_by_key(&code, |entry| entry.code).ok()?;
    table.get(at)
}

/// Alarms that stop the machine without a controlled deceleration, or during homing.
pub(super) fn loses_position(code: u16) -> bool {
    !matches!(code, 2 | 4 | 5)
}

/// Alarms in which grbl loops until it is reset.
pub(super) fn needs_reset(code: u16) -> bool {
    matches!(code, 1 | 2 | 10 | 17 | 20)
}

const fn row(
    code: u16,
    disposition: Disposition,
    text: &'static str,
    remedy: &'static str,
) -> Entry {
    Entry {
        code,
        text,
        remedy,
        disposition,
    }
}

pub(super) const ERRORS: &[Entry] = &[
    row(
        1,
        Hold,
        "a word does not begin with a letter",
        "correct the line; a stray `*` or `N…*` checksum is not understood by grbl",
    ),
    row(
        2,
        Hold,
        "a number is missing or not a number",
        "correct the number in the line",
    ),
    row(
        3,
        Hold,
        "the `$` command is not known",
        "check the `$` command; `$` lists those that exist",
    ),
    row(
        4,
        Hold,
        "a negative value where only positive ones are allowed",
        "correct the sign",
    ),
    row(
        5,
        Hold,
        "homing is not switched on",
        "switch homing on with $22=1, or do without $H",
    ),
    row(
        6,
        Hold,
        "the step pulse is shorter than 3 microseconds",
        "set $0 to 3 or more",
    ),
    row(
        7,
        Abort,
        "stored settings could not be read and were reset to defaults",
        "compare `$$` with your notes and set the values again",
    ),
    row(
        8,
        Retry,
        "this `$` command works only while idle",
        "wait until the machine is idle and send it again",
    ),
    row(
        9,
        Abort,
        "g-code is locked out by an alarm or a jog",
        "clear the alarm ($X or $H) before sending g-code",
    ),
    row(
        10,
        Hold,
        "soft limits need homing",
        "switch homing on ($22=1) before $20=1",
    ),
    row(
        11,
        Hold,
        "the line is longer than the controller's line buffer",
        "shorten the line to 79 characters or pack it",
    ),
    row(
        12,
        Hold,
        "the step rate would be too high",
        "lower the steps per mm or the maximum rate ($110 and following)",
    ),
    row(
        13,
        Hold,
        "the safety door is open",
        "close the door and resume",
    ),
    row(
        14,
        Hold,
        "the line is too long to be stored; on FluidNC: too long to be run",
        "shorten the start-up block, build note or line",
    ),
    row(
        15,
        Hold,
        "the jog would leave the machine's travel",
        "jog a shorter way",
    ),
    row(
        16,
        Hold,
        "the jog line has no `=` or a word that does not belong there",
        "write jogs as $J=… with motion words only",
    ),
    row(
        17,
        Hold,
        "laser mode needs a PWM spindle output",
        "leave $32 at 0 on this controller",
    ),
    row(
        20,
        Hold,
        "a command is not supported",
        "remove the command or skip it by name",
    ),
    row(
        21,
        Hold,
        "two commands of the same modal group in one line",
        "split the line",
    ),
    row(
        22,
        Hold,
        "no feed rate is set",
        "put an F word before or in the line",
    ),
    row(
        23,
        Hold,
        "a command needs a whole number",
        "remove the decimals of the value",
    ),
    row(
        24,
        Hold,
        "two commands in one line both need axis words",
        "split the line",
    ),
    row(
        25,
        Hold,
        "a word is repeated in the line",
        "remove the repetition",
    ),
    row(
        26,
        Hold,
        "a command lacks its axis words",
        "add the axis words",
    ),
    row(
        27,
        Hold,
        "the line number is out of range (0 to 9,999,999)",
        "number lower, or strip line numbers",
    ),
    row(
        28,
        Hold,
        "a command lacks a word it needs",
        "add the P or L word",
    ),
    row(
        29,
        Hold,
        "this work coordinate system is not supported",
        "use G54 to G59",
    ),
    row(
        30,
        Hold,
        "G53 is allowed only with G0 or G1",
        "set G0 or G1 in the same line",
    ),
    row(
        31,
        Hold,
        "axis words without a command that uses them",
        "remove the axis words or set a motion mode",
    ),
    row(
        32,
        Hold,
        "an arc without an axis word of its plane",
        "give an end point in the active plane",
    ),
    row(
        33,
        Hold,
        "the target of the motion is invalid",
        "check arc end point and centre, or the probe target",
    ),
    row(
        34,
        Hold,
        "the arc's radius cannot reach the end point",
        "check the R word",
    ),
    row(
        35,
        Hold,
        "an arc without the centre words of its plane",
        "add the I, J or K word of the active plane",
    ),
    row(
        36,
        Hold,
        "words that no command in the line uses",
        "remove the unused words",
    ),
    row(
        37,
        Hold,
        "G43.1 is not on the configured tool length axis",
        "give the offset on Z",
    ),
    row(
        38,
        Hold,
        "the tool number is too large",
        "use a tool number up to 255",
    ),
];

pub(super) const ALARMS: &[Entry] = &[
    row(
        1,
        Abort,
        "hard limit: a limit switch was hit; the position is probably lost",
        "reset, unlock, move off the switch and home",
    ),
    row(
        2,
        Abort,
        "soft limit: the target lies outside the machine's travel; the position is kept",
        "reset, unlock and check the program's bounds and the work zero",
    ),
    row(
        3,
        Abort,
        "reset while moving; the position is probably lost",
        "unlock and home before going on",
    ),
    row(
        4,
        Abort,
        "probe: the input was not in the expected state before the cycle",
        "check the probe's wiring and that it does not touch yet",
    ),
    row(
        5,
        Abort,
        "probe: no contact within the programmed way",
        "check the probe, start closer or probe further",
    ),
    row(6, Abort, "homing: reset during the cycle", "home again"),
    row(
        7,
        Abort,
        "homing: the safety door was opened during the cycle",
        "close the door and home again",
    ),
    row(
        8,
        Abort,
        "homing: the switch did not release at pull-off",
        "raise the pull-off distance ($27) or check the wiring",
    ),
    row(
        9,
        Abort,
        "homing: no switch found within the search distance",
        "check the switch, its wiring and the maximum travel ($130 and following)",
    ),
];
