//! Which method is the fastest? A model of the time that each takes.
//!
//! Times are sums of what a method multiplies, reads of weights, and moves of values, each with a factor that was fitted by
//! least squares to 227 shapes of 7² to 256² positions and 16 to 1024 channels (two threads of a Zen 5 with 512-bit
//! vectors, cold caches). On those shapes the methods that it chooses take 3 % longer than the fastest of each in
//! geometric mean, and half of its predictions are within 8 %, but for the start of the threads.

use super::Method;
use crate::blocked::blocks;
use crate::blocked::winograd::Winograd;
use crate::conv::ConvShape;
use crate::vector::LANES;

/// What a method costs, in multiply-adds of one number.
struct Factors {
    /// Of a multiply-add.
    product: f64,
    /// Of a weight that is read.
    weight: f64,
    /// Of an input that is read or transformed.
    input: f64,
    /// Of an output that is written or transformed.
    output: f64,
}

const DIRECT: Factors = Factors { product: 1.0, weight: 18.0, input: 25.0, output: 25.0 };
const TWO: Factors = Factors { product: 1.0, weight: 11.0, input: 9.8, output: 13.6 };
const FOUR: Factors = Factors { product: 1.0, weight: 11.0, input: 18.0, output: 20.0 };
const SIX: Factors = Factors { product: 1.1, weight: 11.0, input: 22.0, output: 26.0 };

/// The method that should take the least time. It does not depend on the threads: results should not.
pub fn fastest(shape: &ConvShape) -> Method {
    if !Winograd::supports(shape) {
        return Method::Direct;
    }
    let methods = [Method::Direct, Method::Winograd(2), Method::Winograd(4), Method::Winograd(6)];
    let time = |method: &Method| time(*method, shape);
    methods.into_iter().min_by(|a, b| time(a).total_cmp(&time(b))).unwrap_or(Method::Direct)
}

/// The time of a 3×3 convolution in multiply-adds of one thread.
fn time(method: Method, shape: &ConvShape) -> f64 {
    let (factors, side) = match method {
        Method::Direct => (DIRECT, None),
        Method::Winograd(2) => (TWO, Some(2)),
        Method::Winograd(4) => (FOUR, Some(4)),
        Method::Winograd(_) => (SIX, Some(6)),
    };
    // Windows are taps that meet every position, or transformed tiles.
    let (positions, taps, numbers) = match side {
        None => (shape.positions(), shape.taps(), 1),
        Some(side) => {
            let tiles = shape.output.map(|size| size.div_ceil(side)).iter().product::<usize>();
            (tiles, (side + 2) * (side + 2), (side + 2) * (side + 2))
        }
    };
    let (channels, width) = ((blocks(shape.channels) * LANES) as f64, (blocks(shape.width) * LANES) as f64);
    let positions = (shape.batch * positions) as f64;
    let [taps, numbers] = [taps, numbers].map(|n| n as f64);
    factors.product * positions * taps * channels * width
        + factors.weight * taps * channels * width
        + positions * numbers * (factors.input * channels + factors.output * width)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(channels: usize, width: usize, size: usize) -> ConvShape {
        let [one, size] = [[1, 1], [size; 2]];
        ConvShape {
            batch: 1,
            channels,
            width,
            groups: 1,
            input: size,
            output: size,
            kernel: [3, 3],
            stride: one,
            pad: one,
            dilation: one,
        }
    }

    #[test]
    fn tiles_grow_with_the_map() {
        assert_eq!(fastest(&square(512, 512, 7)), Method::Winograd(2));
        assert_eq!(fastest(&square(64, 64, 56)), Method::Winograd(4));
        assert_eq!(fastest(&square(64, 64, 3)), Method::Direct);
    }

    #[test]
    fn strides_are_computed_directly() {
        let shape = ConvShape { stride: [2, 2], output: [28, 28], ..square(64, 64, 56) };
        assert_eq!(fastest(&shape), Method::Direct);
    }
}
