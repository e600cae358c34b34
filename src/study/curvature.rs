//! How a surface bends, from its values on an even grid.

/// The share of the inner points where the surface bends downwards in no direction: 1 for a convex one. `None` where no
/// inner point has finite neighbours. One row is a curve.
///
/// Second differences in two dimensions make the Hessian of each point (mixed ones from the four corners around it); its smaller
/// eigenvalue says whether the surface bends downwards.
pub fn convex_share(rows: &[Vec<f64>]) -> Option<f64> {
    let lowest: Vec<f64> = match rows {
        [row] => row.windows(3).map(|w| w[0] - 2.0 * w[1] + w[2]).filter(|bend| bend.is_finite()).collect(),
        rows => rows.windows(3).flat_map(band).collect(),
    };
    let convex = lowest.iter().filter(|bend| **bend >= 0.0).count();
    (!lowest.is_empty()).then(|| convex as f64 / lowest.len() as f64)
}

/// The smaller eigenvalue at each inner point of the middle one of three rows.
fn band(three: &[Vec<f64>]) -> Vec<f64> {
    let [below, row, above] = three else { return Vec::new() };
    let columns = below.windows(3).zip(row.windows(3)).zip(above.windows(3));
    columns.map(|((a, b), c)| smaller([a, b, c])).filter(|bend| bend.is_finite()).collect()
}

fn smaller([a, b, c]: [&[f64]; 3]) -> f64 {
    let across = b[0] - 2.0 * b[1] + b[2];
    let up = a[1] - 2.0 * b[1] + c[1];
    let mixed = (c[2] - c[0] - a[2] + a[0]) / 4.0;
    (across + up) / 2.0 - ((across - up) / 2.0).hypot(mixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surface(f: impl Fn(f64, f64) -> f64) -> Vec<Vec<f64>> {
        let at = |i: usize| i as f64 / 4.0 - 1.0;
        (0..9).map(|y| (0..9).map(|x| f(at(x), at(y))).collect()).collect()
    }

    #[test]
    fn bowls_are_convex_and_saddles_are_not() {
        assert_eq!(convex_share(&surface(|x, y| x * x + 3.0 * y * y + x * y)), Some(1.0));
        assert_eq!(convex_share(&surface(|x, y| x * x + y * y + 3.0 * x * y)), Some(0.0));
        assert_eq!(convex_share(&surface(|x, y| -x * x - y * y)), Some(0.0));
        let half = convex_share(&surface(|x, y| x * x * x + y * y + 1e-9 * x * x));
        assert!(half.is_some_and(|share| (share - 4.0 / 7.0).abs() < 1e-9), "{half:?}");
    }

    #[test]
    fn a_row_is_a_curve_and_what_is_not_finite_does_not_count() {
        assert_eq!(convex_share(&[vec![4.0, 1.0, 0.0, 1.0, 1.5]]), Some(2.0 / 3.0));
        assert_eq!(convex_share(&[vec![4.0, f64::INFINITY, 0.0]]), None);
        assert_eq!(convex_share(&[]), None);
    }
}
