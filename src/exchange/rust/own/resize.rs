/// The plane of `x`, each axis times a factor.
pub fn times(x: &Tensor, factor: [usize; 2]) -> [usize; 2] {
    let input = plane(x);
    [input[0] * factor[0], input[1] * factor[1]]
}

/// The plane of `x`.
pub fn size_of(x: &Tensor) -> [usize; 2] {
    plane(x)
}

/// Cuts the plane to a size, centred.
pub fn center_crop(x: &Tensor, size: [usize; 2]) -> Result<Tensor> {
    let input = plane(x);
    crop(x, [0, 1].map(|a| (input[a] - size[a]) / 2), size)
}

/// Pads the plane with zeros to a size, centred.
pub fn center_pad(x: &Tensor, size: [usize; 2]) -> Result<Tensor> {
    let input = plane(x);
    let amounts = [0, 1].map(|a| {
        let missing = size[a] - input[a];
        (missing / 2, missing - missing / 2)
    });
    pad(x, amounts, Fill::Zero)
}
