//! What stands in the brackets of RS-274/NGC: tokens only, nothing is computed here.

use core::fmt;

use crate::number::{Number, is_blank};
use crate::token::{Fault, FaultKind};

/// The tokens of an expression or parameter, as [`Value::Expression`](crate::Value::Expression) and
/// [`Value::Parameter`](crate::Value::Parameter) hold them.
///
/// Columns of faults count from the first byte of `text`.
///
/// ```
/// use feedhold_gcode_parse::expr::{self, Operator, Token};
///
/// let mut tokens = expr::tokens(b"[#<depth> * 2]");
/// assert_eq!(tokens.next(), Some(Token::Open));
/// assert_eq!(tokens.next(), Some(Token::Named(b"depth")));
/// assert_eq!(tokens.next(), Some(Token::Operator(Operator::Multiply)));
/// ```
#[must_use]
pub const fn tokens(text: &[u8]) -> Tokens<'_> {
    Tokens {
        text,
        at: 0,
        after_operand: false,
    }
}

/// Iterator over an expression; see [`tokens`].
#[derive(Clone, Debug)]
pub struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
    /// A sign here is an operator.
    after_operand: bool,
}

/// One thing in an expression.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// `10.5`.
    Number(Number<'a>),
    /// `#` before a number, a bracket or another `#`: the parameter with that number.
    Parameter,
    /// `#<name>`, without the marks.
    Named(&'a [u8]),
    /// `[`
    Open,
    /// `]`
    Close,
    /// `+`, `MOD`, `GE`.
    Operator(Operator),
    /// `SIN`.
    Function(Function),
    /// What could not be read.
    Invalid(Fault),
}

/// What stands between two operands, or before one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `**`
    Power,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `MOD`
    Modulo,
    /// `+` between operands
    Add,
    /// `-` between operands
    Subtract,
    /// `+` before an operand
    Plus,
    /// `-` before an operand
    Minus,
    /// `EQ`
    Equal,
    /// `NE`
    NotEqual,
    /// `GT`
    Greater,
    /// `GE`
    GreaterOrEqual,
    /// `LT`
    Less,
    /// `LE`
    LessOrEqual,
    /// `AND`
    And,
    /// `OR`
    Or,
    /// `XOR`
    Xor,
}

/// Functions of one argument; `ATAN` takes a second one behind a `/`. Angles are in degrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// Absolute value.
    Abs,
    /// Inverse cosine.
    Acos,
    /// Inverse sine.
    Asin,
    /// Angle of a point: `ATAN[y]/[x]`.
    Atan,
    /// Cosine.
    Cos,
    /// Whether a named parameter is set.
    Exists,
    /// e to the power of.
    Exp,
    /// Round down.
    Fix,
    /// Round up.
    Fup,
    /// Natural logarithm.
    Ln,
    /// Round to the nearest.
    Round,
    /// Sine.
    Sin,
    /// Square root.
    Sqrt,
    /// Tangent.
    Tan,
}

impl Function {
    const ALL: [Self; 14] = [
        Self::Abs,
        Self::Acos,
        Self::Asin,
        Self::Atan,
        Self::Cos,
        Self::Exists,
        Self::Exp,
        Self::Fix,
        Self::Fup,
        Self::Ln,
        Self::Round,
        Self::Sin,
        Self::Sqrt,
        Self::Tan,
    ];

    /// As it is written, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Abs => "abs",
            Self::Acos => "acos",
            Self::Asin => "asin",
            Self::Atan => "atan",
            Self::Cos => "cos",
            Self::Exists => "exists",
            Self::Exp => "exp",
            Self::Fix => "fix",
            Self::Fup => "fup",
            Self::Ln => "ln",
            Self::Round => "round",
            Self::Sin => "sin",
            Self::Sqrt => "sqrt",
            Self::Tan => "tan",
        }
    }

    /// The function whose call `text` begins with: its name, blanks, a bracket.
    pub(crate) fn at_front(text: &[u8]) -> Option<Self> {
        let letters = text
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        let name = text.get(..letters)?;
        let bracket = text.get(letters..)?.iter().find(|byte| !is_blank(**byte));
        (bracket == Some(&b'[')).then_some(())?;
        Self::ALL
            .into_iter()
            .find(|function| function.name().as_bytes().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

const WORDS: [(&[u8], Operator); 10] = [
    (b"MOD", Operator::Modulo),
    (b"EQ", Operator::Equal),
    (b"NE", Operator::NotEqual),
    (b"GT", Operator::Greater),
    (b"GE", Operator::GreaterOrEqual),
    (b"LT", Operator::Less),
    (b"LE", Operator::LessOrEqual),
    (b"AND", Operator::And),
    (b"OR", Operator::Or),
    (b"XOR", Operator::Xor),
];

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        while self.text.get(self.at).is_some_and(|byte| is_blank(*byte)) {
            self.at += 1;
        }
        let byte = *self.text.get(self.at)?;
        let token = match byte {
            b'[' => self.one(Token::Open),
            b']' => self.one(Token::Close),
            b'#' => self.parameter(),
            b'0'..=b'9' | b'.' => self.number(),
            b'a'..=b'z' | b'A'..=b'Z' => self.name(),
            b'*' if self.text.get(self.at + 1) == Some(&b'*') => {
                self.at += 1;
                self.one(Token::Operator(Operator::Power))
            }
            b'*' => self.one(Token::Operator(Operator::Multiply)),
            b'/' => self.one(Token::Operator(Operator::Divide)),
            b'+' if self.after_operand => self.one(Token::Operator(Operator::Add)),
            b'+' => self.one(Token::Operator(Operator::Plus)),
            b'-' if self.after_operand => self.one(Token::Operator(Operator::Subtract)),
            b'-' => self.one(Token::Operator(Operator::Minus)),
            other => self.one(Token::Invalid(Fault {
                column: self.at + 1,
                kind: FaultKind::StrayByte(other),
            })),
        };
        self.after_operand = matches!(token, Token::Number(_) | Token::Named(_) | Token::Close);
        Some(token)
    }
}

impl<'a> Tokens<'a> {
    fn one(&mut self, token: Token<'a>) -> Token<'a> {
        self.at += 1;
        token
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or(&[])
    }

    fn parameter(&mut self) -> Token<'a> {
        let column = self.at + 1;
        self.at += 1;
        let rest = self.rest();
        let front = rest.len() - rest.trim_ascii_start().len();
        if rest.get(front) != Some(&b'<') {
            return Token::Parameter;
        }
        match rest.iter().position(|byte| *byte == b'>') {
            Some(end) => {
                self.at += end + 1;
                Token::Named(rest.get(front + 1..end).unwrap_or(&[]))
            }
            None => {
                self.at = self.text.len();
                Token::Invalid(Fault {
                    column,
                    kind: FaultKind::UnclosedName,
                })
            }
        }
    }

    fn number(&mut self) -> Token<'a> {
        let column = self.at + 1;
        let rest = self.rest();
        let length = rest
            .iter()
            .take_while(|byte| matches!(byte, b'0'..=b'9' | b'.'))
            .count();
        self.at += length;
        match rest.get(..length).and_then(Number::new) {
            Some(number) => Token::Number(number),
            None => Token::Invalid(Fault {
                column,
                kind: FaultKind::BadNumber,
            }),
        }
    }

    fn name(&mut self) -> Token<'a> {
        let column = self.at + 1;
        let rest = self.rest();
        let length = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        let name = rest.get(..length).unwrap_or(&[]);
        self.at += length;
        if let Some(function) = Function::at_front(rest) {
            return Token::Function(function);
        }
        match WORDS
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(name))
        {
            Some((_, operator)) => Token::Operator(*operator),
            None => {
                let byte = rest.first().copied().unwrap_or(0);
                Token::Invalid(Fault {
                    column,
                    kind: FaultKind::StrayByte(byte),
                })
            }
        }
    }
}
