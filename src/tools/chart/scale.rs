//! From values to positions, and where the ticks go.

use super::Scale;

/// An axis with its range: values between `from` and `to` lie between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ruler {
    scale: Scale,
    /// The ends, in the scale's own numbers: logarithms where it is one.
    from: f64,
    to: f64,
}

impl Ruler {
    /// A ruler from one value to another. Where they are equal, or no numbers, it is widened to be one.
    pub fn new(scale: Scale, (from, to): (f64, f64)) -> Self {
        let (mut from, mut to) = (own(scale, from), own(scale, to));
        if !from.is_finite() || !to.is_finite() {
            (from, to) = (0.0, 1.0);
        }
        if from == to {
            let room = if from == 0.0 || scale == Scale::Log { 1.0 } else { from.abs() / 2.0 };
            (from, to) = (from - room, to + room);
        }
        Self { scale, from, to }
    }

    /// A ruler over values, with a little room at the ends. What cannot be drawn is not looked at.
    pub fn over(scale: Scale, values: impl Iterator<Item = f64>) -> Self {
        let drawn = values.filter(|&v| v.is_finite() && (scale == Scale::Linear || v > 0.0));
        let (low, high) = drawn.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let ruler = Self::new(scale, (low, high));
        let room = 0.04 * (ruler.to - ruler.from);
        let below = if scale == Scale::Linear && low >= 0.0 { (ruler.from - room).max(0.0) } else { ruler.from - room };
        Self { from: below, to: ruler.to + room, ..ruler }
    }

    /// Where a value lies, from 0 to 1; `None` where it cannot be drawn.
    pub fn at(&self, value: f64) -> Option<f64> {
        let value = own(self.scale, value);
        value.is_finite().then(|| (value - self.from) / (self.to - self.from))
    }

    /// Ticks with their texts, about `wanted` of them.
    pub fn ticks(&self, wanted: usize) -> Vec<(f64, String)> {
        match self.scale {
            Scale::Linear => self.even(wanted.max(2)),
            Scale::Log => self.powers(wanted.max(2)),
        }
    }

    /// Multiples of 1, 2 or 5 times a power of ten.
    fn even(&self, wanted: usize) -> Vec<(f64, String)> {
        let raw = (self.to - self.from) / wanted as f64;
        let power = 10f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|&s| s >= raw * 0.999).unwrap_or(raw);
        let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
        let (first, last) = ((self.from / step - 1e-9).ceil() as i64, (self.to / step + 1e-9).floor() as i64);
        (first..=last).take(100).map(|i| (i as f64 * step, decimal(i as f64 * step, decimals))).collect()
    }

    /// Powers of ten; where there are few, also twice and five times them.
    fn powers(&self, wanted: usize) -> Vec<(f64, String)> {
        let (first, last) = ((self.from - 1e-9).ceil() as i32, (self.to + 1e-9).floor() as i32);
        let inside = |v: f64| (self.from - 1e-9..=self.to + 1e-9).contains(&v.log10());
        if last - first >= 2 {
            let every = ((last - first) as usize / wanted + 1).max(1) as i32;
            let shown = (first..=last).filter(|e| e.rem_euclid(every) == 0);
            return shown.map(|e| (10f64.powi(e), power_of_ten(e))).collect();
        }
        let all = (first - 1..=last).flat_map(|e| [1.0, 2.0, 5.0].map(|m| m * 10f64.powi(e)));
        all.filter(|&v| inside(v)).map(|v| (v, number(v))).collect()
    }
}

fn own(scale: Scale, value: f64) -> f64 {
    match scale {
        Scale::Linear => value,
        Scale::Log if value > 0.0 => value.log10(),
        Scale::Log => f64::NAN,
    }
}

fn decimal(value: f64, decimals: usize) -> String {
    let value = if value == 0.0 { 0.0 } else { value };
    format!("{value:.decimals$}").replace('-', "−")
}

/// `10⁻³`
fn power_of_ten(exponent: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    if (0..=3).contains(&exponent) {
        return format!("{}", 10u32.pow(exponent as u32));
    }
    let sign = if exponent < 0 { "⁻" } else { "" };
    let digits = exponent.unsigned_abs().to_string();
    let raised: String = digits.chars().filter_map(|c| DIGITS.get(c.to_digit(10)? as usize)).collect();
    format!("10{sign}{raised}")
}

/// A number in at most three figures, for ticks and cells.
pub fn number(value: f64) -> String {
    let size = value.abs();
    let text = match size {
        _ if !value.is_finite() => return "∞".into(),
        0.0 => "0".into(),
        s if !(1e-3..1e4).contains(&s) => {
            let exponent = s.log10().floor() as i32;
            let tens = power_of_ten(exponent);
            let factor = format!("{:.1}", value / 10f64.powi(exponent)).replace(".0", "");
            if factor == "1" { tens } else { format!("{factor}·{tens}") }
        }
        s => {
            let decimals = (2 - s.log10().floor() as i32).clamp(0, 5) as usize;
            let text = format!("{value:.decimals$}");
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
        }
    };
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(ruler: Ruler) -> Vec<String> {
        ruler.ticks(5).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(texts(Ruler::new(Scale::Linear, (0.0, 1.0))), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(texts(Ruler::new(Scale::Linear, (-3.0, 14.0))), ["0", "5", "10"]);
        assert_eq!(texts(Ruler::new(Scale::Log, (1e-4, 1e2))), ["10⁻⁴", "10⁻²", "1", "100"]);
        assert_eq!(texts(Ruler::new(Scale::Log, (0.15, 3.0))), ["0.2", "0.5", "1", "2"]);
    }

    #[test]
    fn what_cannot_be_drawn_has_no_place() {
        let ruler = Ruler::over(Scale::Log, [0.0, f64::NAN, 1.0, 100.0].into_iter());
        assert_eq!(ruler.at(0.0), None);
        assert_eq!(ruler.at(f64::INFINITY), None);
        assert!((ruler.at(10.0).unwrap() - 0.5).abs() < 1e-9);
        for values in [vec![], vec![3.0, 3.0], vec![0.0], vec![f64::NAN]] {
            assert!(!Ruler::over(Scale::Linear, values.clone().into_iter()).ticks(5).is_empty(), "{values:?}");
        }
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([0.0, 12.345, 0.5, 1e-7, 25000.0, -2.0].map(number), ["0", "12.3", "0.5", "10⁻⁷", "2.5·10⁴", "−2"]);
    }
}
