//! Floats of 16 bits, widened.

/// IEEE 754 binary16.
pub fn half(bits: u16) -> f32 {
    let (sign, exponent, fraction) = ((bits >> 15) as u32, (bits >> 10 & 31) as u32, (bits & 1023) as u32);
    let magnitude = match exponent {
        0 => fraction as f32 * 2f32.powi(-24),
        31 => f32::from_bits(0x7f80_0000 | fraction << 13),
        _ => f32::from_bits((exponent + 112) << 23 | fraction << 13),
    };
    if sign == 1 { -magnitude } else { magnitude }
}

/// bfloat16: the upper half of a 32-bit float.
pub fn from_bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widened_values_are_exact() {
        assert_eq!([0x3c00, 0xc000, 0x0001, 0x7bff].map(half), [1.0, -2.0, 2f32.powi(-24), 65504.0]);
        assert!(half(0x7e00).is_nan() && half(0xfc00) == f32::NEG_INFINITY);
        assert_eq!([0x3f80, 0xc040].map(from_bf16), [1.0, -3.0]);
    }
}
