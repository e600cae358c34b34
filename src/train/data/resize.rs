//! Bilinear resizing of planes, antialiased when they shrink, and nearest resizing of masks.

/// A rectangle of an image, in pixels; edges may lie between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    /// Upper edge.
    pub top: f64,
    /// Left edge.
    pub left: f64,
    /// Height.
    pub height: f64,
    /// Width.
    pub width: f64,
}

impl Region {
    /// The whole of an image.
    pub fn whole([height, width]: [usize; 2]) -> Self {
        Self { top: 0.0, left: 0.0, height: height as f64, width: width as f64 }
    }

    /// The largest centred part of an image that has the proportions of `to`: what is left when the image is resized
    /// until it covers `to` and its longer side is cropped.
    pub fn cover([height, width]: [usize; 2], to: [usize; 2]) -> Self {
        let (h, w) = (height as f64, width as f64);
        let scale = (h / to[0] as f64).min(w / to[1] as f64);
        let (rh, rw) = (to[0] as f64 * scale, to[1] as f64 * scale);
        Self { top: (h - rh) / 2.0, left: (w - rw) / 2.0, height: rh, width: rw }
    }
}

/// What one output pixel takes from a row of input pixels.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

/// The taps of every output pixel: a triangle as wide as an output pixel, at least as wide as an input pixel, cut off at
/// the image's edges (as PIL's `BILINEAR`).
fn taps(start: f64, length: f64, input: usize, output: usize) -> Vec<Taps> {
    let scale = length / output as f64;
    let support = scale.max(1.0);
    let one = |i: usize| {
        let centre = start + (i as f64 + 0.5) * scale;
        let first = ((centre - support + 0.5).max(0.0) as usize).min(input - 1);
        let end = ((centre + support + 0.5).max(0.0) as usize).clamp(first + 1, input);
        let weight = |x: usize| (1.0 - ((x as f64 + 0.5 - centre) / support).abs()).max(0.0);
        let sum: f64 = (first..end).map(weight).sum();
        // Beyond the edge every weight may be 0; then the edge pixel counts alone.
        let weights = (first..end).map(|x| if sum > 0.0 { (weight(x) / sum) as f32 } else { 1.0 });
        Taps { first, weights: weights.take(if sum > 0.0 { end - first } else { 1 }).collect() }
    };
    (0..output).map(one).collect()
}

/// Appends a region of each plane of `[C, H, W]` values, resized to `to`, to `out`.
pub fn bilinear<T: Copy>(
    values: &[T],
    from: [usize; 2],
    region: Region,
    to: [usize; 2],
    float: impl Fn(T) -> f32,
    out: &mut Vec<f32>,
) {
    let ([h, w], [th, tw]) = (from, to);
    let columns = taps(region.left, region.width, w, tw);
    let rows = taps(region.top, region.height, h, th);
    let first_row = rows.iter().map(|t| t.first).min().unwrap_or(0);
    let end_row = rows.iter().map(|t| t.first + t.weights.len()).max().unwrap_or(0);
    let mut narrow = vec![0f32; (end_row - first_row) * tw];
    for plane in values.chunks_exact(h * w) {
        for (line, row) in narrow.chunks_exact_mut(tw).zip(plane.chunks_exact(w).skip(first_row)) {
            for (value, tap) in line.iter_mut().zip(&columns) {
                let pixels = &row[tap.first..tap.first + tap.weights.len()];
                *value = pixels.iter().zip(&tap.weights).map(|(&p, &k)| float(p) * k).sum();
            }
        }
        for tap in &rows {
            let at = out.len();
            out.resize(at + tw, 0.0);
            for (k, &weight) in tap.weights.iter().enumerate() {
                let line = &narrow[(tap.first - first_row + k) * tw..][..tw];
                out[at..].iter_mut().zip(line).for_each(|(o, &v)| *o += weight * v);
            }
        }
    }
}

/// A region of a mask, resized to `to` by taking the nearest pixel.
pub fn nearest(mask: &[i32], [h, w]: [usize; 2], region: Region, [th, tw]: [usize; 2]) -> Vec<i32> {
    let place = |start: f64, length: f64, i: usize, to: usize, size: usize| {
        ((start + (i as f64 + 0.5) * length / to as f64).max(0.0) as usize).min(size - 1)
    };
    let columns: Vec<usize> = (0..tw).map(|j| place(region.left, region.width, j, tw, w)).collect();
    let mut out = Vec::with_capacity(th * tw);
    for i in 0..th {
        let row = place(region.top, region.height, i, th, h) * w;
        out.extend(columns.iter().map(|&j| mask[row + j]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resized(values: &[f32], from: [usize; 2], region: Region, to: [usize; 2]) -> Vec<f32> {
        let mut out = Vec::new();
        bilinear(values, from, region, to, |v| v, &mut out);
        out
    }

    /// `Image.fromarray(x).resize((4, 3), Image.BILINEAR)` of a 5 × 7 ramp of squares, mode F, PIL 13.
    #[test]
    fn shrinking_agrees_with_pil() {
        let values: Vec<f32> = (0..35).map(|i| (i * i % 23) as f32).collect();
        let out = resized(&values, [5, 7], Region::whole([5, 7]), [3, 4]);
        let pil = [4.57823, 7.92, 9.23429, 7.83673, 10.6085, 7.68, 6.76, 10.8095, 4.94558, 5.46286, 9.14286, 9.40816];
        assert!(out.iter().zip(pil).all(|(a, b)| (a - b).abs() < 1e-4), "{out:?}");
    }

    /// The same, to 8 × 3.
    #[test]
    fn growing_agrees_with_pil() {
        let values: Vec<f32> = (0..35).map(|i| (i * i % 23) as f32).collect();
        let out = resized(&values, [5, 7], Region::whole([5, 7]), [8, 3]);
        let pil = [
            1.28571, 8.58823, 8.92857, 5.69196, 8.74265, 7.95982, 11.4375, 8.91544, 6.95089, 12.2411, 8.65809, 9.31696,
            9.27232, 6.47059, 10.4777, 2.53125, 2.35294, 10.433, 4.70982, 7.69853, 9.14286, 6.92857, 12.1765, 8.14286,
        ];
        assert!(out.iter().zip(pil).all(|(a, b)| (a - b).abs() < 1e-4), "{out:?}");
    }

    #[test]
    fn covering_keeps_proportions() {
        let region = Region::cover([100, 200], [50, 50]);
        assert_eq!(region, Region { top: 0.0, left: 50.0, height: 100.0, width: 100.0 });
        let values: Vec<f32> = (0..6).map(|i| i as f32).collect();
        assert_eq!(resized(&values, [2, 3], Region::whole([2, 3]), [2, 3]), values);
    }

    #[test]
    fn masks_keep_their_classes() {
        let mask = [1, 2, 3, 4];
        assert_eq!(nearest(&mask, [2, 2], Region::whole([2, 2]), [4, 4])[..8], [1, 1, 2, 2, 1, 1, 2, 2]);
    }
}
