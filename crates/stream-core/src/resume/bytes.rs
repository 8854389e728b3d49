//! Structures as bytes, field by field, without names: for what is kept beside a version and a digest.
//!
//! [`fields!`] and [`variants!`] name every part once, for writing and for reading; a part that was forgotten does not compile.

use feedhold_gcode_parse::{Code, Interpreter};

use crate::dialect::Dialect;

/// Something that can be written and read again.
pub(super) trait Bytes: Sized {
    fn put(&self, out: &mut Vec<u8>);
    /// Takes its bytes from the front; `None` when they are none of this type.
    fn take(rest: &mut &[u8]) -> Option<Self>;
}

/// The structure is its fields in this order.
macro_rules! fields {
    ($type:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::resume::bytes::Bytes for $type {
            fn put(&self, out: &mut Vec<u8>) {
                let Self { $($field),+ } = self;
                $($crate::resume::bytes::Bytes::put($field, out);)+
            }

            fn take(rest: &mut &[u8]) -> Option<Self> {
                $(let $field = $crate::resume::bytes::Bytes::take(rest)?;)+
                Some(Self { $($field),+ })
            }
        }

        impl $type {
            /// Tells apart what has other fields.
            pub(in crate::resume) const FIELDS: u32 = $crate::resume::bytes::mark(concat!($(stringify!($field), " "),+));
        }
    };
}

/// The enumeration without content is the number of its variant in this order.
macro_rules! variants {
    ($type:ident { $($variant:ident),+ $(,)? }) => {
        impl $crate::resume::bytes::Bytes for $type {
            fn put(&self, out: &mut Vec<u8>) {
                // Without a catch-all, so that a new variant has to be named above.
                match self { $(Self::$variant => {})+ }
                let all = [$(Self::$variant),+];
                let at = all.iter().position(|one| one == self);
                out.push(at.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX));
            }

            fn take(rest: &mut &[u8]) -> Option<Self> {
                let at: u8 = $crate::resume::bytes::Bytes::take(rest)?;
                [$(Self::$variant),+].into_iter().nth(usize::from(at))
            }
        }
    };
}

pub(super) use {fields, variants};

/// FNV-1a of a text.
pub(super) const fn mark(text: &str) -> u32 {
    let mut hash = 0x811C_9DC5_u32;
    let mut at = 0;
    while at < text.len() {
        hash = (hash ^ text.as_bytes()[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    hash
}

fn split<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(len)?;
    *rest = left;
    Some(taken)
}

macro_rules! numbers {
    ($($type:ty),+) => {$(
        impl Bytes for $type {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend(self.to_le_bytes());
            }

            fn take(rest: &mut &[u8]) -> Option<Self> {
                let bytes = split(rest, size_of::<Self>())?;
                Some(Self::from_le_bytes(bytes.try_into().ok()?))
            }
        }
    )+};
}

numbers!(u8, u16, u32, u64, i32, i64, f64);

impl Bytes for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn take(rest: &mut &[u8]) -> Option<Self> {
        match u8::take(rest)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl<T: Bytes> Bytes for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn take(rest: &mut &[u8]) -> Option<Self> {
        if bool::take(rest)? {
            T::take(rest).map(Some)
        } else {
            Some(None)
        }
    }
}

impl<T: Bytes, const N: usize> Bytes for [T; N] {
    fn put(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|value| value.put(out));
    }

    fn take(rest: &mut &[u8]) -> Option<Self> {
        let values: Vec<T> = (0..N).map(|_| T::take(rest)).collect::<Option<_>>()?;
        values.try_into().ok()
    }
}

impl<T: Bytes> Bytes for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        // Nothing that a program leaves behind comes near four billion.
        u32::try_from(self.len()).unwrap_or(u32::MAX).put(out);
        self.iter().for_each(|value| value.put(out));
    }

    fn take(rest: &mut &[u8]) -> Option<Self> {
        let count = u32::take(rest)?;
        (0..count).map(|_| T::take(rest)).collect()
    }
}

impl<A: Bytes, B: Bytes> Bytes for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(rest: &mut &[u8]) -> Option<Self> {
        Some((A::take(rest)?, B::take(rest)?))
    }
}

impl<A: Bytes, B: Bytes, C: Bytes> Bytes for (A, B, C) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
        self.2.put(out);
    }

    fn take(rest: &mut &[u8]) -> Option<Self> {
        Some((A::take(rest)?, B::take(rest)?, C::take(rest)?))
    }
}

impl<A: Bytes, B: Bytes, C: Bytes, D: Bytes> Bytes for (A, B, C, D) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
        self.2.put(out);
        self.3.put(out);
    }

    fn take(rest: &mut &[u8]) -> Option<Self> {
        Some((
            A::take(rest)?,
            B::take(rest)?,
            C::take(rest)?,
            D::take(rest)?,
        ))
    }
}

impl Bytes for String {
    fn put(&self, out: &mut Vec<u8>) {
        u32::try_from(self.len()).unwrap_or(u32::MAX).put(out);
        out.extend(self.as_bytes());
    }

    fn take(rest: &mut &[u8]) -> Option<Self> {
        let len = usize::try_from(u32::take(rest)?).ok()?;
        Self::from_utf8(split(rest, len)?.to_vec()).ok()
    }
}

impl Bytes for Code {
    fn put(&self, out: &mut Vec<u8>) {
        self.major.put(out);
        self.minor.put(out);
    }

    fn take(rest: &mut &[u8]) -> Option<Self> {
        Some(Self::tenths(Bytes::take(rest)?, Bytes::take(rest)?))
    }
}

impl Bytes for Interpreter {
    fn put(&self, out: &mut Vec<u8>) {
        let bytes = self.to_bytes();
        // At most `InterpreterBytes::MAX`.
        (bytes.len() as u16).put(out);
        out.extend(&*bytes);
    }

    fn take(rest: &mut &[u8]) -> Option<Self> {
        let len = usize::from(u16::take(rest)?);
        Self::from_bytes(split(rest, len)?).ok()
    }
}

impl Bytes for Dialect {
    fn put(&self, out: &mut Vec<u8>) {
        self.name().to_owned().put(out);
    }

    fn take(rest: &mut &[u8]) -> Option<Self> {
        let name = String::take(rest)?;
        [Self::Grbl, Self::Marlin]
            .into_iter()
            .find(|dialect| dialect.name() == name)
    }
}
