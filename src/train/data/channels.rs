//! Grey to colour and back.

/// A value that can be a pixel.
pub trait Value: Copy {
    /// Weighs red, green and blue to grey (ITU-R BT.601, as PIL's `L` mode).
    fn grey(rgb: [Self; 3]) -> Self;
}

impl Value for u8 {
    fn grey([r, g, b]: [u8; 3]) -> u8 {
        // PIL's fixed-point weights, so that bytes agree with it.
        ((r as u32 * 19595 + g as u32 * 38470 + b as u32 * 7471 + 0x8000) >> 16) as u8
    }
}

impl Value for f32 {
    fn grey([r, g, b]: [f32; 3]) -> f32 {
        0.299 * r + 0.587 * g + 0.114 * b
    }
}

/// Appends `values` (`[from, H, W]`) to `out` with `to` channels: as they are, one repeated, or three weighed to one.
pub fn adapt<T: Value>(values: &[T], from: usize, to: usize, out: &mut Vec<T>) {
    match (from, to) {
        (1, 3) => (0..3).for_each(|_| out.extend_from_slice(values)),
        (3, 1) => {
            let plane = values.len() / 3;
            let (r, rest) = values.split_at(plane);
            let (g, b) = rest.split_at(plane);
            out.extend(r.iter().zip(g).zip(b).map(|((&r, &g), &b)| T::grey([r, g, b])));
        }
        _ => out.extend_from_slice(values),
    }
}

#[cfg(test)]
mod tests {
    use super::adapt;

    #[test]
    fn grey_is_repeated_and_colour_is_weighed() {
        let mut out = Vec::new();
        adapt(&[1u8, 2], 1, 3, &mut out);
        assert_eq!(out, [1, 2, 1, 2, 1, 2]);
        let mut out = Vec::new();
        adapt(&[255u8, 255, 0, 255, 0, 255, 10, 255, 77], 3, 1, &mut out);
        // As PIL.Image.convert("L") gives for (255, 255, 10), (255, 0, 255), (0, 255, 77).
        assert_eq!(out, [227, 105, 158]);
    }
}
