use crate::number::Code;

/// Different codes that are told apart; a program with more of them only has the rest counted.
pub const MAX_CODES: usize = 128;

/// Which G, M and T codes a program uses, in the order of their first use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeUses {
    uses: [CodeUse; MAX_CODES],
    len: usize,
    lost: u64,
}

/// One code and how it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeUse {
    /// `G`, `M` or `T`.
    pub letter: u8,
    /// Its number.
    pub code: Code,
    /// How often it stands in the program.
    pub count: u64,
    /// The line where it stands first, 1-based.
    pub first_line: u64,
}

impl CodeUses {
    pub(super) const fn new() -> Self {
        const NONE: CodeUse = CodeUse {
            letter: 0,
            code: Code::new(0),
            count: 0,
            first_line: 0,
        };
        Self {
            uses: [NONE; MAX_CODES],
            len: 0,
            lost: 0,
        }
    }

    /// The codes in the order of their first use.
    #[must_use]
    pub fn as_slice(&self) -> &[CodeUse] {
        self.uses.get(..self.len).unwrap_or(&[])
    }

    /// The use of one code.
    #[must_use]
    pub fn get(&self, letter: u8, code: Code) -> Option<&CodeUse> {
        self.as_slice()
            .iter()
            .find(|known| known.code == code && known.letter == letter)
    }

    /// Words whose codes found no place.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    #[inline]
    pub(super) fn count(&mut self, letter: u8, code: Code, line: u64) {
        let known = self.uses.get_mut(..self.len).unwrap_or(&mut []);
        if let Some(known) = known
            .iter_mut()
            .find(|known| known.code == code && known.letter == letter)
        {
            known.count += 1;
        } else if let Some(place) = self.uses.get_mut(self.len) {
            *place = CodeUse {
                letter,
                code,
                count: 1,
                first_line: line,
            };
            self.len += 1;
        } else {
            self.lost += 1;
        }
    }
}
