use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// How far numbers may lie apart, as a part of themselves and at least of 1: the rounding of sums in double precision.
const TOLERANCE: f64 = 1e-9;

/// A machine's state as named values, so that states of different makers can be compared field by field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(BTreeMap<Cow<'static, str>, Value>);

/// What a field holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// One of a few words, such as `G17`.
    Word(Cow<'static, str>),
    /// A number: mm, mm/min, rpm, °C, percent.
    Number(f64),
}

/// One field that two states do not agree on.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Its name.
    pub field: String,
    /// What the first state has.
    pub left: Option<Value>,
    /// What the second one has.
    pub right: Option<Value>,
}

impl Fields {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a value.
    pub fn set(&mut self, name: impl Into<Cow<'static, str>>, value: Value) {
        self.0.insert(name.into(), value);
    }

    /// Notes a word.
    pub fn set_word(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        word: impl Into<Cow<'static, str>>,
    ) {
        self.0.insert(name.into(), Value::Word(word.into()));
    }

    /// Notes a number.
    pub fn set_number(&mut self, name: impl Into<Cow<'static, str>>, number: f64) {
        self.0.insert(name.into(), Value::Number(number));
    }

    /// Notes one number for each name, such as an axis.
    pub fn set_numbers<const N: usize>(
        &mut self,
        prefix: &'static str,
        names: [&'static str; N],
        numbers: [f64; N],
    ) {
        for (name, number) in names.into_iter().zip(numbers) {
            match prefix {
                "" => self.set_number(name, number),
                _ => self.set_number(format!("{prefix} {name}"), number),
            }
        }
    }

    /// The word of a field.
    #[must_use]
    pub fn word(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            Value::Word(word) => Some(word),
            Value::Number(_) => None,
        }
    }

    /// The number of a field.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.0.get(name)? {
            Value::Number(number) => Some(*number),
            Value::Word(_) => None,
        }
    }

    /// All fields, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// The fields in which the two differ; one that only one of them has is a difference.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let names = self.0.keys().chain(
            other
                .0
                .keys()
                .filter(|name| !self.0.contains_key(name.as_ref())),
        );
        let pairs = names.map(|name| (name, self.0.get(name), other.0.get(name)));
        pairs
            .filter(|(_, left, right)| !same(*left, *right))
            .map(|(name, left, right)| Difference {
                field: name.clone().into_owned(),
                left: left.cloned(),
                right: right.cloned(),
            })
            .collect()
    }

    /// Like [`differences`](Self::differences), of the fields that both have.
    #[must_use]
    pub fn contradictions(&self, other: &Self) -> Vec<Difference> {
        let mut differences = self.differences(other);
        differences.retain(|difference| difference.left.is_some() && difference.right.is_some());
        differences
    }
}

/// Equal words, or numbers that are equal but for rounding.
fn same(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(Value::Number(left)), Some(Value::Number(right))) => {
            (left - right).abs() <= TOLERANCE * left.abs().max(1.0)
        }
        (left, right) => left == right,
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |value: &Option<Value>| match value {
            Some(value) => value.to_string(),
            None => "nothing".to_owned(),
        };
        let Self { field, left, right } = self;
        write!(f, "{field}: {} against {}", told(left), told(right))
    }
}
