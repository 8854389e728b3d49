//! The few functions that `core` lacks. Every one gives the same bits on every machine.

use core::f64::consts::{FRAC_PI_2, PI};

/// The square root, correctly rounded, of a number that is not negative; 0 for anything else.
#[cfg(feature = "std")]
pub(crate) fn sqrt(value: f64) -> f64 {
    // The processor's own root is correctly rounded as well, so the bits are those of `sqrt_in_software`.
    if value > 0.0 { value.sqrt() } else { 0.0 }
}

#[cfg(not(feature = "std"))]
pub(crate) use sqrt_in_software as sqrt;

/// Newton's iteration finds the root to within a few units of the last place; whole numbers settle them.
#[cfg_attr(
    feature = "std",
    allow(dead_code, reason = "the tests compare it with the processor's root")
)]
pub(crate) fn sqrt_in_software(value: f64) -> f64 {
    if value.is_nan() || value <= 0.0 {
        return 0.0;
    }
    if value == f64::INFINITY {
        return value;
    }
    // A subnormal is lifted by an even power of two, so that its root is lowered by a power of two.
    let (value, lowered) = if value < f64::MIN_POSITIVE {
        (value * power_of_two(108), 54)
    } else {
        (value, 0)
    };
    let bits = value.to_bits();
    let exponent = (bits >> 52) as i64 - 1075;
    let mantissa = (bits & ((1 << 52) - 1)) | (1 << 52);
    // value = mantissa * 2^exponent = radicand * 2^(2 * half) with a radicand of 107 or 108 bits.
    let shift = if exponent % 2 == 0 { 54 } else { 55 };
    let radicand = u128::from(mantissa) << shift;
    let half = (exponent - shift) / 2;
    let mut guess = f64::from_bits((bits >> 1) + (1023 << 51));
    for _ in 0..5 {
        guess = 0.5 * (guess + value / guess);
    }
    let mut root = (guess * power_of_two(-half)) as u128;
    while root * root > radicand {
        root -= 1;
    }
    while (root + 1) * (root + 1) <= radicand {
        root += 1;
    }
    // The root has 54 bits: one more than fits. It is exact only when it ends in zero or squares to the
    // radicand, and a root is never half way between two floats, so the last bit alone rounds it.
    let rounded = (root >> 1) + (root & 1);
    rounded as f64 * power_of_two(half + 1 - lowered)
}

/// 2 to the power of an exponent between -1022 and 1023.
const fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// The length of the vector `(x, y)`.
pub(crate) fn hypot(x: f64, y: f64) -> f64 {
    sqrt(x * x + y * y)
}

/// The angle of the point `(x, y)` in radians, from -π to π; 0 for the origin.
pub(crate) fn atan2(y: f64, x: f64) -> f64 {
    let (ax, ay) = (x.abs(), y.abs());
    if ax == 0.0 && ay == 0.0 {
        return 0.0;
    }
    let acute = if ay <= ax {
        atan_of_unit(ay / ax)
    } else {
        FRAC_PI_2 - atan_of_unit(ax / ay)
    };
    let upper = if x < 0.0 { PI - acute } else { acute };
    if y < 0.0 { -upper } else { upper }
}

/// Arcus tangens from 0 to 1: the nearest eighth from a table, the rest by its series.
///
/// The rest is at most 1/16, where the first term left out is below 10⁻²⁰.
fn atan_of_unit(value: f64) -> f64 {
    const EIGHTHS: [f64; 9] = [
        0.0,
        0.124_354_994_546_761_44,
        0.244_978_663_126_864_14,
        0.358_770_670_270_572_2,
        0.463_647_609_000_806_1,
        0.558_599_315_343_562_4,
        0.643_501_108_793_284_4,
        0.718_829_999_621_624_5,
        core::f64::consts::FRAC_PI_4,
    ];
    let index = (value * 8.0 + 0.5) as usize;
    let eighth = index as f64 / 8.0;
    let rest = (value - eighth) / (1.0 + value * eighth);
    let square = rest * rest;
    let mut series = 0.0;
    for odd in [15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        series = 1.0 / odd - square * series;
    }
    EIGHTHS.get(index).copied().unwrap_or(0.0) + rest * series
}

#[cfg(test)]
mod tests {
    use super::{atan2, sqrt_in_software};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_root_is_the_processors(bits in 0..f64::INFINITY.to_bits()) {
            let value = f64::from_bits(bits);
            prop_assert_eq!(sqrt_in_software(value).to_bits(), value.sqrt().to_bits(), "{:e}", value);
        }

        #[test]
        fn roots_of_squares_are_exact(value in 0_u32..) {
            let value = f64::from(value);
            prop_assert_eq!(sqrt_in_software(value * value), value);
        }

        #[test]
        fn the_angle_is_that_of_the_standard_library(y in -1e6..1e6f64, x in -1e6..1e6f64) {
            prop_assert!((atan2(y, x) - y.atan2(x)).abs() < 1e-15 * 4.0);
        }
    }

    #[test]
    fn edges_of_the_root() {
        for value in [0.0, -1.0, f64::NAN] {
            assert_eq!(sqrt_in_software(value), 0.0);
        }
        for value in [
            f64::MIN_POSITIVE,
            5e-324,
            1e-310,
            f64::MAX,
            f64::INFINITY,
            1.0,
            2.0,
            4.0,
            0.25,
        ] {
            assert_eq!(
                sqrt_in_software(value).to_bits(),
                value.sqrt().to_bits(),
                "{value:e}"
            );
        }
    }

    #[test]
    fn angles_of_the_axes() {
        use core::f64::consts::{FRAC_PI_2, PI};
        for (y, x, angle) in [
            (0.0, 1.0, 0.0),
            (1.0, 0.0, FRAC_PI_2),
            (0.0, -1.0, PI),
            (-1.0, 0.0, -FRAC_PI_2),
            (0.0, 0.0, 0.0),
        ] {
            assert_eq!(atan2(y, x), angle);
        }
    }
}
