use crate::block::Block;
use crate::diagnostic::{Findings, Reason};
use crate::motion::{AXES, Axis};
use crate::token::{Value, Word};

/// The values of a block by letter, each converted once; G and M words are not among them.
pub(super) struct Reading {
    values: [f64; 26],
    /// Letters with a value that is known here.
    present: Letters,
    /// Letters with a parameter, an expression or a number beyond all machines.
    computed: Letters,
    /// Letters without a value (Marlin).
    bare: Letters,
    /// Letters that some code of the block has asked for.
    used: Letters,
}

impl Reading {
    pub(super) const fn new() -> Self {
        let none = Letters::of(b"");
        Self {
            values: [0.0; 26],
            present: none,
            computed: none,
            bare: none,
            used: none,
        }
    }

    /// Takes one word in.
    #[inline]
    pub(super) fn add(&mut self, word: &Word<'_>, findings: &mut Findings) {
        /// Far beyond any machine, and so far below what an `f64` holds that no sum ever overflows.
        const LIMIT: f64 = 1e12;
        let letter = Letters::one(word.letter);
        if self.present.or(self.computed).or(self.bare).has(letter) {
            findings.push(word.span.column(), Reason::RepeatedWord(word.letter));
        }
        match word.value {
            Value::Number(number) => {
                let value = number.to_f64();
                if value.abs() > LIMIT {
                    self.computed = self.computed.or(letter);
                    findings.push(word.span.column(), Reason::OutOfRange(word.letter));
                } else if let Some(place) = self.values.get_mut(index(word.letter)) {
                    // Adding 0 makes a plain zero of -0.
                    *place = value + 0.0;
                    self.present = self.present.or(letter);
                }
            }
            Value::Parameter(_) | Value::Expression(_) => {
                self.computed = self.computed.or(letter);
                findings.push(word.span.column(), Reason::NotComputed(word.letter));
            }
            Value::None | Value::Text(_) => self.bare = self.bare.or(letter),
        }
    }

    /// The value of a letter.
    #[inline]
    pub(super) fn take(&mut self, letter: u8) -> Option<f64> {
        let mark = Letters::one(letter);
        self.used = self.used.or(mark);
        if self.present.has(mark) {
            self.values.get(index(letter)).copied()
        } else {
            None
        }
    }

    /// The value of a letter as a count below 2³²; anything else is a finding.
    pub(super) fn take_count(
        &mut self,
        letter: u8,
        block: &Block<'_>,
        findings: &mut Findings,
    ) -> Option<u32> {
        let value = self.take(letter)?;
        let count = value as u32;
        if f64::from(count) == value {
            return Some(count);
        }
        findings.push(column_of(block, letter), Reason::BadCount(letter));
        None
    }

    /// Whether a letter stands in the block, with a value or without.
    pub(super) fn names(&mut self, letter: u8) -> bool {
        let mark = Letters::one(letter);
        self.used = self.used.or(mark);
        self.present.or(self.computed).or(self.bare).has(mark)
    }

    /// Whether any of the letters has a value.
    #[inline]
    pub(super) fn any(&self, letters: Letters) -> bool {
        self.present.or(self.computed).has(letters)
    }

    /// Whether the value of any of the letters is not known here.
    #[inline]
    pub(super) fn any_computed(&self, letters: Letters) -> bool {
        self.computed.has(letters)
    }

    /// Declares letters as asked for.
    pub(super) fn mark_used(&mut self, letters: Letters) {
        self.used = self.used.or(letters);
    }

    /// Calls back with each axis that has a value.
    #[inline]
    pub(super) fn axes(&mut self, allowed: Letters, mut each: impl FnMut(Axis, f64)) {
        self.used = self.used.or(allowed);
        let mut rest = self.present.0 & allowed.0;
        while rest != 0 {
            let index = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            if let (Some(Some(axis)), Some(value)) =
                (AXIS_OF_LETTER.get(index), self.values.get(index))
            {
                each(*axis, *value);
            }
        }
    }

    /// Reports what no code has asked for.
    #[inline]
    pub(super) fn report_unused(&self, block: &Block<'_>, findings: &mut Findings) {
        let unused = self.present.or(self.computed).0 & !self.used.0;
        if unused != 0 {
            for word in block.words() {
                if Letters(unused).has(Letters::one(word.letter)) {
                    findings.push(word.span.column(), Reason::UnusedWord(word.letter));
                }
            }
        }
    }
}

/// The 1-based column of the first word with a letter; 1 when there is none.
pub(super) fn column_of(block: &Block<'_>, letter: u8) -> usize {
    block.word(letter).map_or(1, |word| word.span.column())
}

/// A set of letters.
#[derive(Clone, Copy)]
pub(super) struct Letters(u32);

impl Letters {
    /// The axes of RS-274/NGC.
    pub(super) const AXES: Self = Self::of(b"XYZABCUVW");
    /// The axes of Marlin, filament included.
    pub(super) const PRINTER_AXES: Self = Self::of(b"XYZABCUVWE");

    pub(super) const fn of(letters: &[u8]) -> Self {
        let mut set = 0;
        let mut at = 0;
        while at < letters.len() {
            set |= 1 << index(letters[at]);
            at += 1;
        }
        Self(set)
    }

    #[inline]
    const fn one(letter: u8) -> Self {
        Self(1 << index(letter))
    }

    #[inline]
    const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether both have a letter in common.
    #[inline]
    const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// 0 to 25 for letters; the rare `@` and `^` of LinuxCNC get places behind that hold no value.
const fn index(letter: u8) -> usize {
    match letter {
        b'A'..=b'Z' => (letter - b'A') as usize,
        b'@' => 26,
        _ => 27,
    }
}

const AXIS_OF_LETTER: [Option<Axis>; 26] = {
    let mut table = [None; 26];
    let mut at = 0;
    while at < AXES {
        table[index(Axis::ALL[at].letter())] = Some(Axis::ALL[at]);
        at += 1;
    }
    table
};
