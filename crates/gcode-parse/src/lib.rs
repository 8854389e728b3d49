//! Push lexer, modal state and motion geometry for G-code.
#![cfg_attr(not(feature = "std"), no_std)]

mod block;
mod flavor;
mod line;
mod number;
mod token;

pub use block::{Block, MAX_WORDS};
pub use flavor::Flavor;
pub use line::{Ending, Line, LineReader, MAX_LINE};
pub use number::{Code, Decimal, Number};
pub use token::{
    Assignment, Comment, CommentKind, Fault, FaultKind, OWord, Span, Token, Tokens, Value, Word, checksum, tokens,
};
